/**
 * A process that can be killed: from then on none of its calls reaches the file system, and none of those that it
 * awaits settles. What it wrote stays where it is; its locks are for the next process to judge.
 */

import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import type { VfsCall, VfsCallName } from '../../src/vfs/vfs-call.ts';

const SYNCS: readonly VfsCallName[] = ['file.sync', 'file.datasync'];

interface CallAwaited {
  readonly isIt: (call: VfsCall) => boolean;
  readonly tell: () => void;
}

export class KillableVfs extends ForwardingVfs {
  #killed = false;
  #last: CallAwaited | null = null;
  #next: CallAwaited | null = null;

  /** A sync of this process has failed: whatever nobody has awaited may not be durable. */
  syncFailed = false;

  kill(): void {
    this.#killed = true;
  }

  /** Kills it as soon as the first call of which `isIt` says so has been made. Resolves then. */
  killBehind(isIt: (call: VfsCall) => boolean): Promise<void> {
    return new Promise((resolve) => (this.#last = { isIt, tell: resolve }));
  }

  /** Resolves behind the first call of which `isIt` says so. */
  behind(isIt: (call: VfsCall) => boolean): Promise<void> {
    return new Promise((resolve) => (this.#next = { isIt, tell: resolve }));
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    if (this.#killed) return never();
    try {
      const result = await run(call);
      this.#made(call);
      return this.#killed ? never() : result;
    } catch (error) {
      if (SYNCS.includes(call.name)) this.syncFailed = true;
      throw error;
    }
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    if (this.#killed) throw new Error('the process was killed');
    const result = run(call);
    this.#made(call);
    return result;
  }

  #made(call: VfsCall): void {
    if (this.#killed) return;
    if (this.#next?.isIt(call) === true) this.#next.tell();
    if (this.#last?.isIt(call) !== true) return;
    this.kill();
    this.#last.tell();
  }
}

/** Nothing holds on to it, so it goes with those who wait for it. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
