/**
 * Fail-stop (promise P7): after a failed sync, or a write that failed with an I/O error, nobody
 * knows what the disk holds, so every later write is refused with the first cause until the thing
 * is opened again and recovered. Not here: undoing what the failed call left behind, which is for
 * its owner.
 */

import { HoldfastError } from '../base/errors.ts';
import type { Outcome } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';

/**
 * A call of the operating system that can fail. A write that is durable when it returns counts as a
 * `sync`.
 */
export type FailingCall = 'write' | 'sync';

/**
 * What a failure means: `'refused'` takes back the one operation and writing goes on; `'poisoned'`
 * ends writing.
 */
export type FailureMeaning = 'refused' | 'poisoned';

/**
 * The codes with which a *write* says that it could not be done, and no more: no room (ENOSPC,
 * EDQUOT, EFBIG), no memory or descriptor (ENOMEM, EMFILE, ENFILE). Bytes written before are
 * untouched. EIO is not among them.
 * @see https://man7.org/linux/man-pages/man2/write.2.html ERRORS
 */
const REFUSALS: ReadonlySet<string | undefined> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
]);

/**
 * What the failure of a call means. A failed sync always poisons, with ENOSPC too: the pages that
 * could not be written are marked clean, and a second sync would succeed without them.
 * @see Rebello et al., Can Applications Recover from fsync Failures?, USENIX ATC 2020
 */
export function meaningOf(call: FailingCall, error: unknown): FailureMeaning {
  return call === 'write' && REFUSALS.has(errorCode(error)) ? 'refused' : 'poisoned';
}

/**
 * Thrown by every write after the one that failed, and by the failed one itself. `cause` is the
 * first failure and never changes. `outcome` is `'old'` when nothing was done for this call, and
 * `'unknown'` when its bytes may or may not be there once the thing is opened again.
 */
export class PoisonedError extends HoldfastError {
  readonly path: string;
  readonly outcome: Outcome;

  constructor(path: string, outcome: Outcome, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      'HOLDFAST_POISONED',
      `${path} takes no more writes until it is opened again: a write or sync failed: ${reason}`,
      { cause },
    );
    this.path = path;
    this.outcome = outcome;
  }
}

/**
 * The state of one thing that fails for good. Share one among all parts that must stop together.
 */
export class Poison {
  readonly path: string;
  #poisoned = false;
  #cause: unknown = undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether writing has ended. */
  get poisoned(): boolean {
    return this.#poisoned;
  }

  /** Ends writing. The first cause stays; later ones are its consequences. */
  poison(cause: unknown): void {
    if (this.#poisoned) return;
    this.#poisoned = true;
    this.#cause = cause;
  }

  /**
   * What is told of a call that failed before anything else was begun: the failure itself where it
   * refuses no more than the call; anything else ends writing.
   */
  failed(call: FailingCall, cause: unknown): unknown {
    if (meaningOf(call, cause) === 'refused') return cause;
    this.poison(cause);
    return this.error('old');
  }

  /** The error for a call, with the first cause. REQUIRES: `poisoned`. */
  error(outcome: Outcome): PoisonedError {
    return new PoisonedError(this.path, outcome, this.#cause);
  }

  /** Throws for a call that has not begun. @throws HOLDFAST_POISONED with outcome `'old'` */
  check(): void {
    if (this.#poisoned) throw this.error('old');
  }
}
