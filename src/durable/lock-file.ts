/**
 * One owner per directory (promise P8), by a file that names its owner. How it is taken is in
 * `lock-steps`, who counts as dead in `lock-judge`.
 */

import { nodeVfs } from '../vfs/node-vfs.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { systemLockJudge } from './lock-judge.ts';
import type { LockJudge } from './lock-judge.ts';
import type { LockOwner } from './lock-owner.ts';
import { acquireLock, releaseLock, requireNoOwner } from './lock-steps.ts';
import type { LockOptions, TakenLock } from './lock-steps.ts';
import { runLater, runNow } from './two-forms.ts';

export type { LockOptions } from './lock-steps.ts';
export { LockedError } from './locked-error.ts';

/**
 * A lock that is held. Excludes Holdfast processes and their threads from each other, and nothing
 * else. It ends with `release`, with the process, and on Linux with the thread: at once, without a
 * heartbeat.
 */
export class DirectoryLock {
  /** The lock file. */
  readonly path: string;
  readonly owner: LockOwner;
  readonly #vfs: Vfs;
  readonly #judge: LockJudge;
  #held = true;

  private constructor(vfs: Vfs, judge: LockJudge, taken: TakenLock) {
    this.#vfs = vfs;
    this.#judge = judge;
    this.path = taken.path;
    this.owner = taken.owner;
  }

  /**
   * Takes the lock of a directory that exists.
   * @throws HOLDFAST_LOCKED at once when an owner may live; a `FileChangeError` with the operating
   *   system's code when the lock file cannot be made, and then none of ours is left unless it
   *   cannot be removed either; the operating system's error when the directory cannot be read
   */
  static async acquire(directory: string, options: LockOptions = {}): Promise<DirectoryLock> {
    const judge = options.judge ?? systemLockJudge();
    const taken = await runLater(acquireLock(directory, { ...options, judge }));
    return new DirectoryLock(options.vfs ?? nodeVfs, judge, taken);
  }

  /** As `acquire`, on the calling thread. */
  static acquireSync(directory: string, options: LockOptions = {}): DirectoryLock {
    const judge = options.judge ?? systemLockJudge();
    const taken = runNow(acquireLock(directory, { ...options, judge }));
    return new DirectoryLock(options.vfs ?? nodeVfs, judge, taken);
  }

  /**
   * Resolves when nobody holds the lock of a directory now. Changes nothing, and keeps nobody from
   * taking it in the next moment.
   * @throws HOLDFAST_LOCKED when an owner may live; the operating system's error when the directory
   *   cannot be read
   */
  static async requireFree(directory: string, options: LockOptions = {}): Promise<void> {
    const judge = options.judge ?? systemLockJudge();
    await runLater(requireNoOwner(directory, { ...options, judge }));
  }

  /** Whether `release` has not been called. */
  get held(): boolean {
    return this.#held;
  }

  /**
   * Gives the lock back. REQUIRES: the owner makes no further change. When it rejects, the file is
   * still there, and this thread may take the lock again; others see it held until this process
   * ends.
   */
  async release(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    await runLater(releaseLock(this.#vfs, this.#judge, this));
  }

  /** As `release`, on the calling thread. */
  releaseSync(): void {
    if (!this.#held) return;
    this.#held = false;
    runNow(releaseLock(this.#vfs, this.#judge, this));
  }
}
