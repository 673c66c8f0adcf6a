/**
 * Errors that every engine throws in the same words. `abstract-level`'s suite looks for "does not
 * exist" and "exists" in two of them.
 */

import { HoldfastError } from '../base/errors.ts';

/** `HOLDFAST_CLOSED` for an engine, an iterator, …: `what` is its name in the message. */
export function closedError(what: string): HoldfastError {
  return new HoldfastError('HOLDFAST_CLOSED', `the ${what} is closed`);
}

/** `HOLDFAST_UNSUPPORTED`: a batch has entries with a time to live, which the engine does not keep. */
export function expiryError(engine: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_UNSUPPORTED',
    `the engine '${engine}' has no entries that expire (ttl): open the store with engine: 'bitcask'`,
  );
}

/** `HOLDFAST_MISSING`: nothing is there, and nothing may be made. */
export function missingError(directory: string): HoldfastError {
  return new HoldfastError('HOLDFAST_MISSING', `the store ${directory} does not exist`);
}

/** `HOLDFAST_EXISTS`: a store is there already. */
export function existsError(directory: string): HoldfastError {
  return new HoldfastError('HOLDFAST_EXISTS', `the store ${directory} exists already`);
}
