/** Steps of the B+tree that no crash misses in any story, each with the reason, and the test that counts its work. */

const LATER =
  'a later sync of the same directory comes before anything is promised; the order is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';

const BEFORE_THE_PROMISE =
  'it comes one change later, behind the first bytes of the segment, and still before anybody hears of a record in it';

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

export const BTREE_SURVIVORS: Readonly<Record<string, string>> = {
  'dropped: fsync of / in sync, changeNames': ONCE_MORE,
  'postponed: fsync of / in mkdirAll, open': LATER,
  'postponed: fsync of / in sync, changeNames': LATER,
  'postponed: fsync of /store in sync, changeNames': LATER,
  'postponed: fsync of /store/log in sync, changeNames': LATER,
  'postponed: fsync of /store/log in createFiles, create': BEFORE_THE_PROMISE,
  'postponed: fdatasync in makeBtree, open': UNNAMED,
  'dropped: fdatasync in open, makeBtree': UNNAMED,
  'postponed: fdatasync in open, makeBtree': UNNAMED,
  'dropped: fsync of /store in mkdirAll, open': LOG_IS_NAMED,
  'postponed: fsync of /store in mkdirAll, open': LOG_IS_NAMED,
  'reordered: unlink of /store/log/N.log in #make, unlink': BELOW_THE_FIRST,
  'reordered: unlink of /store/old-pages.tmp in remove, close': SCRATCH,
};
