/** Counts the work of a step: calls, syncs, bytes, and trips through the thread pool. */

import { MeteredVfs } from '../../src/vfs/metered-vfs.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';

/** What one step cost. */
export interface CountedWork {
  /** Calls by method, in either form. */
  readonly calls: Readonly<Record<string, number>>;
  /** Calls of these that went through the thread pool. */
  readonly hops: number;
  readonly syncs: number;
  readonly bytesWritten: number;
  readonly bytesRead: number;
}

export class CountedVfs extends MeteredVfs {
  #hops = 0;

  /** What was done since the last call of this. */
  take(): CountedWork {
    const counts = Object.entries(this.counts()).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const work = {
      calls: Object.fromEntries(counts),
      hops: this.#hops,
      syncs: this.syncCount,
      bytesWritten: this.bytesWritten,
      bytesRead: this.bytesRead,
    };
    this.reset();
    this.#hops = 0;
    return work;
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    this.#hops += 1;
    return super.intercept(call, run);
  }
}
