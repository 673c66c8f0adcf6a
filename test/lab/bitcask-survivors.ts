/** Mutants of Bitcask that no crash shows, each with the reason, and the test that counts its work. */

const LATER =
  'a later sync of the same directory comes before anything is promised; the order is for a process that finds the ' +
  'directory while its name is not durable: see "mkdir -p after a process that was killed" of durable-patterns.ts';
const ZEROS =
  'zeros written ahead promise nothing; their sync keeps them from being written together with a record that waits ' +
  'for its own: see "zeros are written ahead in the background, and close cuts them" of append-file.test.ts';
const HEADER =
  'what comes before it then is only the header of the new file; the manifest that names the file comes after both';

const UNNAMED =
  'the manifest does not name the file any more, so that nobody reads it, and opening removes it: see `forgetUnnamed` ' +
  'of open-store.ts';

export const BITCASK_SURVIVORS: Readonly<Record<string, string>> = {
  'dropped: fdatasync in #extend': ZEROS,
  'postponed: fdatasync in #extend': ZEROS,
  'dropped: fdatasync in keepAheadSync, append': ZEROS,
  'postponed: fdatasync in keepAheadSync, append': ZEROS,
  'reordered: unlink of /store/N.data in close, close': UNNAMED,
  'reordered: unlink of /store/N.data in forgetUnnamed, openLocked': UNNAMED,
  'postponed: fsync of / in sync, changeNames': LATER,
  'postponed: fsync of /store in createFiles, create': HEADER,
};
