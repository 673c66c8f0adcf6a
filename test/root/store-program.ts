/**
 * A program under the rig: the subjects of `rig-subjects.ts`, side by side, each in a directory of its own that is
 * there already; what each is promised is told as marks that begin with its name. In the root of a disk:
 *
 *   node store-program.js tell POLICY SUBJECT,…          the stories, on a fresh disk
 *   node store-program.js brief POLICY SUBJECT,…         a third of them
 *   node store-program.js unsynced POLICY SUBJECT,…      a third, and no sync is made: the check of the check
 *   node store-program.js mutate POLICY SUBJECT KIND SITE  a third, with the syncs of a place in the code taken away
 *                                                         (`mutation-run.ts`); exit code 3 when it has no such sync
 *   node store-program.js recover POLICY SUBJECT,… FILE  recovery alone, on what a power cut left; FILE has the marks
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { mark } from '../../src/lab/record/mark.ts';
import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import { nodeVfs } from '../../src/vfs/node-vfs.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import type { OpenOptions, Vfs, VfsFile } from '../../src/vfs/vfs.ts';
import { MUTATION_KINDS, MutatingVfs } from '../support/mutation-run.ts';
import { isRefusal, marksOf, NO_DISK, rigSubject } from '../support/rig-subjects.ts';
import { RootedVfs } from '../support/rooted-vfs.ts';

const [task, policy = '', names = '', file = '', site = ''] = process.argv.slice(2);
const root = process.env['HOLDFAST_ROOT'] ?? process.cwd();
const before =
  task === 'recover' ? (JSON.parse(readFileSync(file, 'utf8')) as readonly string[]) : [];

/** Says that it has synced. */
class UnsyncedVfs extends ForwardingVfs {
  override open(path: string, { sync: _, ...options }: OpenOptions): Promise<VfsFile> {
    return super.open(path, options);
  }

  override openSync(path: string, { sync: _, ...options }: OpenOptions): VfsFile {
    return super.openSync(path, options);
  }

  override async intercept<T>(call: VfsCall, make: (call: VfsCall) => Promise<T>): Promise<T> {
    return call.name.endsWith('sync') ? (undefined as T) : make(call);
  }

  override interceptSync<T>(call: VfsCall, make: (call: VfsCall) => T): T {
    return call.name.endsWith('sync') ? (undefined as T) : make(call);
  }
}

/** `top`: where the subject's directory is, which the places in the code do not name. */
function weakened(disk: Vfs, top: string): Vfs {
  if (task === 'unsynced') return new UnsyncedVfs(disk);
  const kind = MUTATION_KINDS.find((one) => one === file);
  return task === 'mutate' && kind !== undefined
    ? new MutatingVfs(disk, {
        kind,
        at: (what) => what.replace(`${top}/`, '/').replace(`${top} `, '/ ') === site,
      })
    : disk;
}

async function run(name: string): Promise<void> {
  const subject = rigSubject(name, policy, task !== 'tell');
  const top = join(root, name);
  const vfs = weakened(new RootedVfs(nodeVfs, top), top);
  const told = (text: string): void => mark(`${name} ${text}`);
  if (task !== 'recover') {
    await subject.workload(vfs, { mark: told });
    if (vfs instanceof MutatingVfs && vfs.met === null) process.exitCode = 3;
    return;
  }
  try {
    await subject.recover(vfs, { mark: told, marks: marksOf(name, before), disk: NO_DISK });
  } catch (error) {
    // Whether it may refuse is for the judge, who sees the same disk.
    if (!isRefusal(error)) throw error;
  }
}

await Promise.all(names.split(',').map(run));
