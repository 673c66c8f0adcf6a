/**
 * Mutants of Bitcask that no crash shows in any story, each with the reason, and the test that counts its work. Most
 * change the order of two calls. What each call of a store asks for is counted in `test/counted`.
 */

const LATER =
  'a later sync of the same directory comes before anything is promised; the order is for a process that finds the ' +
  'directory while its name is not durable, which needs the sync itself: see "killed in the first opening"';

const ZEROS =
  'zeros written ahead promise nothing; their sync keeps them from being written together with a record that waits ' +
  'for its own: see "zeros are written ahead in the background, and close cuts them" of append-file.test.ts';

const HEADER =
  'what comes before it then is only the header of the new file; the manifest that names the file comes after both';

const BEFORE_THE_MANIFEST =
  'it comes one change later: when the hint or the temporary file of the new manifest has been made, and still before ' +
  'the manifest is renamed, from which on it is needed; without it a story fails';

const UNNAMED =
  'the manifest does not name the file (any more), so that nobody reads it, and opening removes what is left: see ' +
  '`forgetUnnamed` of open-store.ts; that files go is counted by merging.test.ts';

const INDEX =
  'an index file is never needed, and a torn one does not count; its sync is there for speed, since hints that it stands ' +
  'for go behind it: see "an index file is synced before the hints that it stands for go" of index-file.test.ts';

const INDEX_GONE =
  'an index file that comes back counts only where it is right; a hint is never needed; opening removes what is left';

const NO_STORE_YET =
  'until a backup is whole its directory is refused as a store: no story opens it before, and backup.test.ts, which does, ' +
  'fails without this sync';

const ANOTHER_BEFORE_THE_MANIFEST =
  'making the folder of a repair, or finding it there, syncs the same directory once more before the manifest is replaced; ' +
  'where directories cannot be synced, this is what makes the new names durable: see repairing.test.ts';

const OF_ANOTHER_PROGRAM =
  'the name of a directory in which a store was made is durable before the first file in it; the sync is for one that ' +
  'another program made, such as a copy, and is counted by repairing.test.ts';

export const BITCASK_SURVIVORS: Readonly<Record<string, string>> = {
  'dropped: fdatasync in #extend': ZEROS,
  'postponed: fdatasync in #extend': ZEROS,
  'dropped: fdatasync in keepAheadSync, append': ZEROS,
  'postponed: fdatasync in keepAheadSync, append': ZEROS,
  'dropped: fdatasync in writeIndex, saveIndex': INDEX,
  'postponed: fdatasync in writeIndex, saveIndex': INDEX,
  'postponed: fdatasync in finish, run': BEFORE_THE_MANIFEST,
  'postponed: fdatasync in syncNow, #finish': BEFORE_THE_MANIFEST,
  'postponed: fdatasync in finish, #write': BEFORE_THE_MANIFEST,
  'dropped: fsync of / in mkdirAll, #keepAside': OF_ANOTHER_PROGRAM,
  'postponed: fsync of / in mkdirAll, #keepAside': OF_ANOTHER_PROGRAM,
  'dropped: fsync of /store in #write, #run': ANOTHER_BEFORE_THE_MANIFEST,
  'postponed: fsync of /store in #write, #run': ANOTHER_BEFORE_THE_MANIFEST,
  'postponed: fsync of /store in sync, changeNames': BEFORE_THE_MANIFEST,
  'postponed: fsync of /store/lost in #keepAside, #run': BEFORE_THE_MANIFEST,
  'dropped: fsync of /copy in #start, sync': NO_STORE_YET,
  'postponed: fsync of /copy in #start, sync': NO_STORE_YET,
  'postponed: fsync of /store in run, #merge': BEFORE_THE_MANIFEST,
  'postponed: fsync of / in mkdirAll, openStore': LATER,
  'postponed: fsync of / in sync, changeNames': LATER,
  'postponed: fsync of /store in createFiles, create': HEADER,
  'reordered: unlink of /store/N.index in removeIndex, saveIndex': INDEX_GONE,
  'reordered: unlink of /store/N.hint in removeLargeHint, saveIndex': INDEX_GONE,
  'reordered: unlink of /store/N.index in forgetUnnamed, openLocked': INDEX_GONE,
  'reordered: unlink of /store/N.data in close, close': UNNAMED,
  'reordered: unlink of /store/N.data in forgetUnnamed, openLocked': UNNAMED,
  'reordered: unlink of /store/N.hint in forgetUnnamed, openLocked': UNNAMED,
  'reordered: unlink of /store/N.data in removeDataFile': UNNAMED,
  'reordered: unlink of /store/N.data in removeDataFile, #swap': UNNAMED,
  'reordered: unlink of /store/N.hint in removeDataFile': UNNAMED,
};
