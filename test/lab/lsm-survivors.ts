/** Steps of the LSM engine that no crash misses, each with the reason, and the test that counts its work. */

const KILLED_MAKER =
  'a later sync of the same directory comes before anything is promised; this one is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';

const BEFORE_THE_NAME =
  'it comes one change later, at the making of another file of the copy, and still before the manifest of the copy ' +
  'names the table; without it "backed up" fails';

const ZEROS =
  'zeros written ahead promise nothing; their sync keeps them from being written together with a record that waits ' +
  'for its own: see "zeros are written ahead in the background, and close cuts them" of append-file.test.ts';

const BEFORE_CURRENT =
  'opening makes a manifest in the same directory after it, and where directories can be synced, the sync that makes that ' +
  'name durable does so for the table, before `CURRENT` leads to either; where they cannot (Windows) names are made durable ' +
  'file by file, and it is this step that names the table. It is also that of a flush: "fsync of /store in #flushOnce, #flush"';

const BEFORE_CURRENT_TOO =
  'it comes one change later, at the making of the log or the manifest, and still before `CURRENT` leads to the table; ' +
  'without it stories fail';

const ONLY_ROOM =
  'a file that goes later than it could takes room and does no harm; that it goes is counted by ' +
  'synchronous-writes.test.ts';

export const LSM_SURVIVORS: Readonly<Record<string, string>> = {
  'postponed: fsync of / in mkdirAll, open': KILLED_MAKER,
  'postponed: fsync of / in sync, changeNames': KILLED_MAKER,
  'postponed: fsync of /store in createFiles, create':
    'a name that is durable right after the first bytes in its file, and before anybody is told of them, is as good; ' +
    'without the sync stories fail, and its order is the one of AppendFile (append-file.test.ts)',
  'postponed: fsync of /store in createFilesSync, createSync':
    'as the awaited form; see "fsync of /store in createFiles, create"',
  'dropped: fdatasync in #extend': ZEROS,
  'postponed: fdatasync in #extend': ZEROS,
  'dropped: fsync of /store in #writeTable, endLog': BEFORE_CURRENT,
  'dropped: fsync of /store in #writeTable, finish': BEFORE_CURRENT,
  'postponed: fsync of /store in #writeTable, endLog': BEFORE_CURRENT,
  'postponed: fsync of /store in #writeTable, finish': BEFORE_CURRENT,
  'postponed: fsync in #writeTable, endLog': BEFORE_CURRENT_TOO,
  'postponed: fsync in #writeTable, finish': BEFORE_CURRENT_TOO,
  'postponed: fsync in backupStore, #holding': BEFORE_THE_NAME,
  'reordered: unlink of /store/MANIFEST-N in #remove, sweep': ONLY_ROOM,
  'reordered: unlink of /store/N.log in #drop, #make':
    'a log that came too late is empty; where it stays the next opening removes it',
  'reordered: unlink of /store/N.ldb in #remove, sweep': ONLY_ROOM,
  'reordered: unlink of /store/N.ldb in #remove, removeTables': ONLY_ROOM,
  'reordered: unlink of /store/N.ldb in removeTablesSync, #compactSync': ONLY_ROOM,
  'reordered: unlink of /store/N.log in #remove, removeLogs': ONLY_ROOM,
  'reordered: unlink of /store/N.log in #remove, sweep': ONLY_ROOM,
  'reordered: unlink of /store/N.log in removeLogsSync, flushSync': ONLY_ROOM,
};
