/** Atomic replacement on a file system in memory, in both forms, with everything watched. */

import { AtomicFile, replaceSystem } from '../../src/durable/atomic-file.ts';
import type { ReplaceOptions, ReplaceSystem } from '../../src/durable/atomic-file.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { FileOwner } from '../../src/durable/temporary-file-owner.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../src/vfs/transfer.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { ManualClock } from './manual-clock.ts';
import { SpyVfs } from './spy-vfs.ts';
import { utf8 } from './vfs-helpers.ts';

export type Form = 'asynchronous' | 'synchronous';
export const FORMS: readonly Form[] = ['asynchronous', 'synchronous'];

export const SELF: FileOwner = { world: 'a'.repeat(16), host: '0', processId: 7, start: '42' };
export const DEAD: FileOwner = { ...SELF, processId: 8 };

export interface AtomicRig {
  readonly memory: MemoryVfs;
  readonly spy: SpyVfs;
  readonly clock: ManualClock;
  readonly atomic: AtomicFile;
  /** In the form of the rig. The synchronous form rejects too. */
  readonly replace: (
    path: string,
    content: string | Uint8Array,
    options?: ReplaceOptions,
  ) => Promise<void>;
  readonly text: (path: string) => string;
  readonly names: (directory?: string) => string[];
}

export function atomicRig(
  form: Form,
  platform: string = 'linux',
  memory: MemoryVfs = new MemoryVfs(),
): AtomicRig {
  const spy = new SpyVfs(memory);
  const clock = new ManualClock();
  const atomic = new AtomicFile(rigSystem(spy, platform, clock));
  return {
    memory,
    spy,
    clock,
    atomic,
    async replace(path, content, options) {
      const bytes = typeof content === 'string' ? utf8(content) : content;
      if (form === 'asynchronous') await atomic.replace(path, bytes, options);
      else atomic.replaceSync(path, bytes, options);
    },
    text: (path) => new TextDecoder().decode(readWholeFileSync(memory, path)),
    names: (directory = '/') =>
      memory
        .readDirectorySync(directory)
        .map((entry) => entry.name)
        .toSorted(),
  };
}

/** The surroundings of a rig: no process but ours and a dead one, and time that stands still. */
export function rigSystem(
  vfs: Vfs,
  platform: string = 'linux',
  clock: ManualClock = new ManualClock(),
): ReplaceSystem {
  return replaceSystem(vfs, {
    dispatch: new SyncDispatch(vfs, syncRulesFor(platform, 'node')),
    judge: { self: SELF, isDead: (owner) => owner.processId === DEAD.processId },
    clock,
  });
}

/** Makes a file without syncing anything. */
export function put(vfs: Vfs, path: string, text: string, mode?: number): void {
  const file = vfs.openSync(path, { write: true, create: true, truncate: true });
  file.writeSync(utf8(text), 0, utf8(text).length, 0);
  if (mode !== undefined) file.chmodSync(mode);
  file.closeSync();
}
