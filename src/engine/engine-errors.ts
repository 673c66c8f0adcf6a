/** Errors that every engine throws in the same words. */

import { HoldfastError } from '../base/errors.ts';

/** `HOLDFAST_CLOSED` for an engine, an iterator, …: `what` is its name in the message. */
export function closedError(what: string): HoldfastError {
  return new HoldfastError('HOLDFAST_CLOSED', `the ${what} is closed`);
}
