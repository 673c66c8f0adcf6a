/** Steps of the B+tree that no crash misses in any story, each with the reason, and the test that counts its work. */

const LATER =
  'a later sync of the same directory comes before anything is promised; the order is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';

const BEFORE_THE_PROMISE =
  'it comes one change later, behind the first bytes of the segment, and still before anybody hears of a record in it';

const BEFORE_ITS_PLACES =
  'it comes one change later, behind the first batch in the file, and still before a page of it goes to its place; the ' +
  'order is for a process that finds the file after one that was killed in between';

const UNNAMED =
  'nobody opens the pages before they have their name, which comes last; until then a log beside them is made anew';

const LOG_IS_NAMED =
  'the directory of the log is older than the name of the pages in the same directory, which is durable before anything ' +
  'is promised; the log syncs it for openers that have nothing else, and its own stories need that (wal-stories.ts)';

const ONCE_MORE =
  'the log that is made in the new directory syncs its name once more (`mkdirAll, open`, which "killed when the directory ' +
  'has been made, and opened again" needs), before anything is promised';

const BELOW_THE_FIRST =
  'the pointer names a later segment durably before the first is removed: recovery removes what is left below it, in ' +
  'any order; oldest first is for readers that know nothing of the pointer';

const SCRATCH =
  'old pages that spilled are of no meaning to the next opener, which removes them unread';

const ANOTHER_BEFORE_IT_IS_NAMED =
  'nobody opens the tree that a repair fills before it is named `repaired`; a later step syncs the same directory (opening ' +
  'the tree its names, the checkpoint the names of its log), or the same file (the checkpoint its pages), before that';

const STORE_IS_NAMED =
  'the store has its name since it was made: `mkdirAll` syncs it for a directory that others make at the same time';

const LOST_IS_NAMED =
  'the rename of the new tree syncs the same directory before the repair ends; the files keep their first names until then';

const LOST_ONCE_MORE =
  'the folder is synced again when it has all names (`keepNames, repairBtree`, which "repaired" needs)';

const BEFORE_THE_TAKEOVER =
  'it comes one change later, and still before the takeover, until which the files keep their first names';

const TAKEN_OVER =
  'nothing is written to what has moved before the folder itself is gone for good: a takeover that finds old names in it ' +
  'moves them once more';

const COPY_UNNAMED =
  'nobody opens a backup before its pages have their name, which comes last; the pointer of the log is written behind the ' +
  'first segment, in the same directory, whose sync makes both names durable ("backed up" needs that one: `#start, sync`)';

const NO_STORE_YET =
  'until a backup is whole its directory is refused as a store: no story opens it before, and backup.test.ts, which does, ' +
  'fails without this sync';

const REMOVED_WHOLE =
  'an old or half-made log goes whole before another takes its name: an opener that finds a part of it removes the rest, in ' +
  'any order';

const PAGES_LAST =
  'opening goes on with a takeover whatever part of it is done; the pages move last for `verify` and `stats`, which change ' +
  'nothing and look for the log of pages in `repaired` there or beside it, but for that of pages in their place only there';

const REPAIRED_WHOLE =
  'nobody opens the tree that a repair fills before it is named `repaired`, when its pages are durable in their places and no ' +
  'doublewrite file counts';

const BEFORE_THE_NAME =
  'it goes one change later, and still before the pages of the new tree have their name, until which it is made anew';

const BEHIND_THE_LOG =
  'it comes one change later, which in every story is one of the log; without it "leaves alone, cut short" loses a page';

const OF_A_KILLED_PROCESS =
  'a power cut leaves of a doublewrite file what is durable; that what a killed process has left in the cache of the operating ' +
  'system is made so before a page is put back, see double-kept.test.ts';

export const BTREE_SURVIVORS: Readonly<Record<string, string>> = {
  'postponed: fdatasync in settle, putBack': BEHIND_THE_LOG,
  'dropped: fdatasync in settleDoubles, openParts': OF_A_KILLED_PROCESS,
  'postponed: fdatasync in settleDoubles, openParts': OF_A_KILLED_PROCESS,
  'dropped: fsync of /store/repair.tmp in write, #writeAll': REPAIRED_WHOLE,
  'postponed: fsync of /store/repair.tmp in write, #writeAll': REPAIRED_WHOLE,
  'reordered: unlink of /store/tree.double in #make, unlink': BEFORE_THE_NAME,
  'dropped: fsync of / in sync, changeNames': ONCE_MORE,
  'postponed: fsync of / in mkdirAll, open': LATER,
  'postponed: fsync of / in sync, changeNames': LATER,
  'postponed: fsync of /store/log in sync, changeNames': LATER,
  'postponed: fsync of /store/log in createFiles, create': BEFORE_THE_PROMISE,
  'postponed: fsync of /store in write, #writeAll': BEFORE_ITS_PLACES,
  'postponed: fsync of /store in writeSync, #writeAllSync': BEFORE_ITS_PLACES,
  'postponed: fdatasync in makeBtree, open': UNNAMED,
  'dropped: fdatasync in open, makeBtree': UNNAMED,
  'postponed: fdatasync in open, makeBtree': UNNAMED,
  'dropped: fsync of /store in mkdirAll, open': LOG_IS_NAMED,
  'postponed: fsync of /store in mkdirAll, open': LOG_IS_NAMED,
  'reordered: unlink of /store/log/N.log in #make, unlink': BELOW_THE_FIRST,
  'reordered: unlink of /store/old-pages.tmp in remove, close': SCRATCH,
  'dropped: fsync of /store/repair.tmp in mkdirAll, open': ANOTHER_BEFORE_IT_IS_NAMED,
  'postponed: fsync of /store/repair.tmp in mkdirAll, open': ANOTHER_BEFORE_IT_IS_NAMED,
  'dropped: fsync of /store/repair.tmp in sync, changeNames': ANOTHER_BEFORE_IT_IS_NAMED,
  'postponed: fsync of /store/repair.tmp in sync, changeNames': ANOTHER_BEFORE_IT_IS_NAMED,
  'dropped: fsync of /store/repair.tmp/log in #start, sync': ANOTHER_BEFORE_IT_IS_NAMED,
  'postponed: fsync of /store/repair.tmp/log in #start, sync': ANOTHER_BEFORE_IT_IS_NAMED,
  'dropped: fsync of /store/repair.tmp/log in createFiles, create': ANOTHER_BEFORE_IT_IS_NAMED,
  'postponed: fsync of /store/repair.tmp/log in createFiles, create': ANOTHER_BEFORE_IT_IS_NAMED,
  'dropped: fsync of /store/repair.tmp/log in sync, changeNames': ANOTHER_BEFORE_IT_IS_NAMED,
  'postponed: fsync of /store/repair.tmp/log in sync, changeNames': ANOTHER_BEFORE_IT_IS_NAMED,
  'dropped: fdatasync in makeBtree, repairBtree': ANOTHER_BEFORE_IT_IS_NAMED,
  'postponed: fdatasync in makeBtree, repairBtree': ANOTHER_BEFORE_IT_IS_NAMED,
  'dropped: fsync of / in mkdirAll, keepNames': STORE_IS_NAMED,
  'postponed: fsync of / in mkdirAll, keepNames': STORE_IS_NAMED,
  'dropped: fsync of /store in mkdirAll, keepNames': LOST_IS_NAMED,
  'postponed: fsync of /store in mkdirAll, keepNames': LOST_IS_NAMED,
  'dropped: fsync of /store/lost/btree-1 in sync, changeNames': LOST_ONCE_MORE,
  'postponed: fsync of /store/lost/btree-1 in sync, changeNames': LOST_ONCE_MORE,
  'dropped: fsync of /store/repaired in sync, changeNames': TAKEN_OVER,
  'dropped: fsync of /copy/log in sync, changeNames': COPY_UNNAMED,
  'postponed: fsync of /copy/log in sync, changeNames': COPY_UNNAMED,
  'postponed: fsync of /copy/log in #start, sync': COPY_UNNAMED,
  'reordered: rename of /copy/log/N.tmp in renameOver, #make': COPY_UNNAMED,
  'postponed: fdatasync in open, backUpBtree': COPY_UNNAMED,
  'dropped: fsync of /copy in backUpBtree, #whileHeld': NO_STORE_YET,
  'postponed: fsync of /copy in backUpBtree, #whileHeld': NO_STORE_YET,
  'postponed: fsync of /store/lost in sync, changeNames': BEFORE_THE_TAKEOVER,
  'postponed: fsync of /store/lost/btree-1/log in keepNames, repairBtree': BEFORE_THE_TAKEOVER,
  'postponed: fsync of /store/lost/btree-1 in keepNames, repairBtree': BEFORE_THE_TAKEOVER,
  'reordered: rename of /store/repair.tmp/log/N.tmp in renameOver, #make':
    ANOTHER_BEFORE_IT_IS_NAMED,
  'reordered: unlink of /store/repair.tmp/log/N.log in #make, unlink': ANOTHER_BEFORE_IT_IS_NAMED,
  'reordered: unlink of /store/log/holdfast-wal in #empty, changeNames': REMOVED_WHOLE,
  'reordered: rename of /store/repaired/log in renameOver, #make': PAGES_LAST,
  'reordered: unlink of TEMPORARY in #empty, changeNames': REMOVED_WHOLE,
};
