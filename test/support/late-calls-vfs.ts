/** Faults, and asynchronous calls whose callers hear of their end only when they are let go. */

import { FaultVfs } from '../../src/vfs/fault-vfs.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';

export class LateCallsVfs extends FaultVfs {
  /** Calls that were held, or were made after. */
  begun = 0;
  readonly #isIt: (call: VfsCall) => boolean;
  #held: Promise<void> | null = null;
  #release = (): void => {};
  #reached = (): void => {};

  constructor(inner: Vfs, isIt: (call: VfsCall) => boolean) {
    super(inner);
    this.#isIt = isIt;
  }

  /** From now on calls of which `isIt` says so are held. Resolves when the first has begun. */
  hold(): Promise<void> {
    this.#held = new Promise((resolve) => (this.#release = resolve));
    return new Promise((resolve) => (this.#reached = resolve));
  }

  release(): void {
    this.#release();
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const result = super.intercept(call, run);
    if (this.#held !== null && this.#isIt(call)) {
      this.begun++;
      this.#reached();
      await Promise.all([this.#held, Promise.allSettled([result])]);
    }
    return result;
  }
}
