/**
 * The three sync policies, in the words of the field, and how an option becomes one. What each
 * promises is stated here once; who keeps the promise is the append file, the log or the engine
 * that takes the option.
 */

import { inspect } from 'node:util';

/**
 * When a write resolves, and what a power cut may take afterwards.
 *
 * - `'sync'`: resolves when the record is on stable storage. A power cut takes nothing that
 *   resolved.
 * - `'batch'`: resolves when the record is with the operating system; a sync follows after a number
 *   of records, bytes or milliseconds, whichever is first. A power cut takes at most that window,
 *   always a suffix.
 * - `'none'`: resolves when the record is with the operating system; synced at rotation, checkpoint
 *   and close. A power cut takes at most the unsynced suffix.
 *
 * A killed process loses nothing that resolved, under all three.
 */
export type SyncPolicy = 'sync' | 'batch' | 'none';

/** What a caller may say: `true` is `'sync'`, `false` is `'none'`. */
export type SyncOption = boolean | SyncPolicy;

/**
 * The policy that an option names; `fallback` where it is not given.
 * @throws TypeError for anything else: a typing mistake must never weaken a promise in silence.
 */
export function toSyncPolicy(
  option: SyncOption | undefined,
  fallback: SyncPolicy = 'sync',
): SyncPolicy {
  switch (option) {
    case undefined:
      return fallback;
    case true:
      return 'sync';
    case false:
      return 'none';
    case 'sync':
    case 'batch':
    case 'none':
      return option;
    default:
      throw new TypeError(
        `sync must be true, false, 'sync', 'batch' or 'none', not ${inspect(option)}`,
      );
  }
}
