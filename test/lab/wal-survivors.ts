/**
 * Mutants of the write-ahead log that no crash shows in any story, each with the reason. Most change the order of
 * two calls; what each call of a log asks for is counted in `test/unit/wal/wal-work.test.ts`.
 */

const LATER =
  'a later sync of the same directory comes before anything is promised; the order is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';

const BEFORE_THE_PROMISE =
  'it comes one change later, behind the first bytes of the segment, and still before anybody hears of a record in it';

const BELOW_THE_FIRST =
  'the pointer names a later segment durably before the first is removed: recovery removes what is left below it, in ' +
  'any order; oldest first is for readers that know nothing of the pointer';

const NOTHING_IN_IT =
  'recovery removes what lies below the pointer, and a segment that holds nothing ahead of another, before it writes: ' +
  'one that is left is removed by the next recovery, and a sync of the directory comes before anything is promised';

const BLOCKING =
  'the awaited form is needed by "killed when the directory has been made, and opened again"; the blocking one makes the ' +
  'same call at the same place, and no story dies just before it';

const ZEROS =
  'zeros written ahead promise nothing; their sync keeps them from being written together with a record that waits ' +
  'for its own: see "zeros are written ahead in the background, and close cuts them" of append-file.test.ts';

const LOCK =
  'the files of the lock promise nothing over a power cut: their owner is gone with the boot that they name, and one ' +
  'that is there, gone or torn blocks nobody';

export const WAL_SURVIVORS: Readonly<Record<string, string>> = {
  'postponed: fsync of / in mkdirAll, open': LATER,
  'postponed: fsync of / in #syncExisting, mkdirAllSync': LATER,
  'dropped: fsync of / in #syncExisting, mkdirAllSync': BLOCKING,
  'postponed: fsync of / in sync, changeNames': LATER,
  'postponed: fsync of /log in sync, changeNames': LATER,
  'postponed: fsync of / in syncSync, changeNamesSync': LATER,
  'postponed: fsync of /log in syncSync, changeNamesSync': LATER,
  'postponed: fsync of /log in createFiles, create': BEFORE_THE_PROMISE,
  'reordered: unlink of /log/000001.log in #make, unlink': BELOW_THE_FIRST,
  'reordered: unlink of /log/000002.log in #make, unlink': BELOW_THE_FIRST,
  'reordered: unlink of /log/000003.log in #make, unlink': BELOW_THE_FIRST,
  'reordered: unlink of /log/000001.log in #makeSync, unlinkSync': NOTHING_IN_IT,
  'reordered: unlink of /log/000002.log in #makeSync, unlinkSync': NOTHING_IN_IT,
  'reordered: unlink of /log/000003.log in #makeSync, unlinkSync': NOTHING_IN_IT,
  'dropped: fdatasync in #extend': ZEROS,
  'postponed: fdatasync in #extend': ZEROS,
  'dropped: fdatasync in keepAheadSync, append': ZEROS,
  'postponed: fdatasync in keepAheadSync, append': ZEROS,
  'reordered: unlink of /log/holdfast-lock-00000001 in acquire, open': LOCK,
  'reordered: unlink of /log/holdfast-lock-00000001 in acquireSync, openSync': LOCK,
  'reordered: unlink of /log/holdfast-lock-00000002 in acquireSync, openSync': LOCK,
  'reordered: unlink of /log/holdfast-lock-00000002 in release, #close': LOCK,
};
