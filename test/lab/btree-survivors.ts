/** Steps of the B+tree that no crash misses in any story, each with the reason, and the test that counts its work. */

const LATER =
  'a later sync of the same directory comes before anything is promised; the order is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';

const BEFORE_THE_PROMISE =
  'it comes one change later, behind the first bytes of the segment, and still before anybody hears of a record in it';

export const BTREE_SURVIVORS: Readonly<Record<string, string>> = {
  'postponed: fsync of / in mkdirAll, open': LATER,
  'postponed: fsync of / in sync, changeNames': LATER,
  'postponed: fsync of /store in sync, changeNames': LATER,
  'postponed: fsync of /store/log in sync, changeNames': LATER,
  'postponed: fsync of /store/log in createFiles, create': BEFORE_THE_PROMISE,
};
