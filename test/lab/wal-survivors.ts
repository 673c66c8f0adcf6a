/** Mutants of the write-ahead log that no crash shows, each with the reason, and the test that counts its work. */

const LATER =
  'a later sync of the same directory comes before anything is promised; the order is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';

export const WAL_SURVIVORS: Readonly<Record<string, string>> = {
  'postponed: fsync of / in sync, changeNames': LATER,
  'postponed: fsync of /log in sync, changeNames': LATER,
  'postponed: fsync of / in syncSync, changeNamesSync': LATER,
  'postponed: fsync of /log in syncSync, changeNamesSync': LATER,
};
