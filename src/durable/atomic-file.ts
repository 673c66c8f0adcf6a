/**
 * Atomic replace: a whole new file or the old one, at every moment, for every reader, after any
 * crash; and the new one for good once the call has returned. The steps and their order are in
 * `atomic-replacement`; here is what surrounds them: which file is meant, one after the other, and
 * the sweep. Runs on any `Vfs`.
 */

import { randomBytes } from 'node:crypto';

import { systemClock } from '../base/clock.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { SharedNames } from './atomic-names.ts';
import { AtomicQueue } from './atomic-queue.ts';
import { replaceOnce, replaceOnceSync } from './atomic-replacement.ts';
import type { ReplaceOptions, ReplaceSystem } from './atomic-replacement.ts';
import { givenDirectory, realDirectory, resolveTarget } from './atomic-target.ts';
import type { AtomicTarget, DirectoryName } from './atomic-target.ts';
import { explainFailure } from './change-outcome.ts';
import { SyncDispatch } from './sync-dispatch.ts';
import { SystemOwnerJudge, systemProbe } from './temporary-file-owner.ts';
import type { OwnerJudge } from './temporary-file-owner.ts';
import { sweepTemporaryFiles, sweepTemporaryFilesSync } from './temporary-file.ts';

export type { ReplaceOptions, ReplaceSystem } from './atomic-replacement.ts';

/** Asynchronous replacements under way at once; the others wait. Each takes a descriptor. */
const JOBS_MAX = 64;

/** Directories remembered as swept; when there are more, all are forgotten and swept again. */
const SWEPT_MAX = 10_000;

const NONCES_DRAWN = 128;

/**
 * Replaces files on one `Vfs`. One for a process: what it knows (the queue, the sweep) is for all
 * its files.
 */
export class AtomicFile {
  readonly #system: ReplaceSystem;
  readonly #names: SharedNames;
  readonly #queue = new AtomicQueue(JOBS_MAX);
  readonly #swept = new Set<string>();
  readonly #alone = (): boolean => this.#queue.alone;

  constructor(system: ReplaceSystem) {
    this.#system = system;
    this.#names = new SharedNames(system.dispatch);
  }

  /**
   * Puts `bytes` in the place of the file at `path`, or makes it. Calls for one file take effect in
   * their order. `bytes` must not change until it resolves.
   *
   * When it resolves, the new file is there for every reader and, unless `sync` is false, after a
   * power cut. If the process is killed before, the old or the new file is there, whole; after a
   * power cut too, unless `sync` is false. Never waits for a device on the calling thread.
   *
   * @throws FileChangeError with the operating system's code, and the outcome: `'old'` before the
   *   rename, `'unknown'` when the directory sync after it failed
   */
  async replace(path: string, bytes: Uint8Array, options: ReplaceOptions = {}): Promise<void> {
    const first = this.#resolve(path, realDirectory);
    await this.#queue.run(first.path, async (waited) => {
      // A link or the file's rights may have changed while others were at work.
      const target = waited ? this.#resolve(path, realDirectory) : first;
      if (this.#mustSweep(target.directory)) {
        await sweepTemporaryFiles(this.#vfs, target.directory, this.#system.judge);
      }
      await replaceOnce(this.#system, this.#names, target, bytes, options, this.#alone);
    });
  }

  /** As `replace`, on the calling thread. Overtakes asynchronous calls that are under way. */
  replaceSync(path: string, bytes: Uint8Array, options: ReplaceOptions = {}): void {
    const target = this.#resolve(path, givenDirectory);
    if (this.#mustSweep(target.directory)) {
      sweepTemporaryFilesSync(this.#vfs, target.directory, this.#system.judge);
    }
    replaceOnceSync(this.#system, target, bytes, options);
  }

  get #vfs(): Vfs {
    return this.#system.dispatch.vfs;
  }

  #resolve(path: string, name: DirectoryName): AtomicTarget {
    try {
      return resolveTarget(this.#vfs, path, name);
    } catch (error) {
      throw explainFailure(error, 'replacing', path, 'old');
    }
  }

  /** True once for each directory. */
  #mustSweep(directory: string): boolean {
    if (this.#swept.has(directory)) return false;
    if (this.#swept.size >= SWEPT_MAX) this.#swept.clear();
    this.#swept.add(directory);
    return true;
  }
}

/**
 * The surroundings of a replacement on `vfs`: this machine's clock, processes and randomness, where
 * not given.
 */
export function replaceSystem(vfs: Vfs, given: Partial<ReplaceSystem> = {}): ReplaceSystem {
  return {
    dispatch: given.dispatch ?? new SyncDispatch(vfs),
    clock: given.clock ?? systemClock,
    judge: given.judge ?? systemJudge(),
    nonce: given.nonce ?? nextNonce,
    atExit: given.atExit,
  };
}

/** `AtomicFile.replace` on any `Vfs`: calls on one `vfs` object share queue and sweep. */
export function replaceFile(
  vfs: Vfs,
  path: string,
  bytes: Uint8Array,
  options: ReplaceOptions = {},
): Promise<void> {
  return atomicFileOf(vfs).replace(path, bytes, options);
}

/** `AtomicFile.replaceSync` on any `Vfs`. */
export function replaceFileSync(
  vfs: Vfs,
  path: string,
  bytes: Uint8Array,
  options: ReplaceOptions = {},
): void {
  atomicFileOf(vfs).replaceSync(path, bytes, options);
}

const atomicFiles = new WeakMap<Vfs, AtomicFile>();

function atomicFileOf(vfs: Vfs): AtomicFile {
  let file = atomicFiles.get(vfs);
  if (file === undefined) {
    file = new AtomicFile(replaceSystem(vfs));
    atomicFiles.set(vfs, file);
  }
  return file;
}

/**
 * Drawn in bulk: one call for eight bytes costs as much as a system call of the replacement itself.
 */
const nonces: string[] = [];

function nextNonce(): string {
  if (nonces.length === 0) {
    const drawn = randomBytes(8 * NONCES_DRAWN).toString('hex');
    for (let i = 0; i < drawn.length; i += 16) nonces.push(drawn.slice(i, i + 16));
  }
  return nonces.pop() ?? '';
}

let judge: OwnerJudge | undefined;

/** Made at first use: importing this module asks the system nothing. */
function systemJudge(): OwnerJudge {
  judge ??= new SystemOwnerJudge(systemProbe(nodeVfs));
  return judge;
}
