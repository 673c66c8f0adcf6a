/** Steps of the LSM engine that no crash misses, each with the reason, and the test that counts its work. */

const KILLED_MAKER =
  'a later sync of the same directory comes before anything is promised; this one is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';

const BEFORE_THE_NAME =
  'it comes one change later, at the making of another file of the copy, and still before the manifest of the copy ' +
  'names the table; without it "backed up" fails';

const ONLY_ROOM =
  'a file that goes later than it could takes room and does no harm; that it goes is counted by ' +
  'synchronous-writes.test.ts';

export const LSM_SURVIVORS: Readonly<Record<string, string>> = {
  'postponed: fsync of / in mkdirAll, open': KILLED_MAKER,
  'postponed: fsync of / in sync, changeNames': KILLED_MAKER,
  'postponed: fsync of /store in createFiles, create':
    'a name that is durable right after the first bytes in its file, and before anybody is told of them, is as good; ' +
    'without the sync stories fail, and its order is the one of AppendFile (append-file.test.ts)',
  'postponed: fsync in backupStore, #holding': BEFORE_THE_NAME,
  'reordered: unlink of /store/MANIFEST-N in #remove, sweep': ONLY_ROOM,
  'reordered: unlink of /store/N.ldb in #remove, sweep': ONLY_ROOM,
  'reordered: unlink of /store/N.ldb in #remove, removeTables': ONLY_ROOM,
  'reordered: unlink of /store/N.log in #remove, removeLogs': ONLY_ROOM,
  'reordered: unlink of /store/N.log in #remove, sweep': ONLY_ROOM,
  'reordered: unlink of /store/N.log in removeLogsSync, flushSync': ONLY_ROOM,
};
