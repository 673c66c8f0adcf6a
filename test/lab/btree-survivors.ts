/** Mutants of the B+tree that no crash shows, each with the reason. */

const LOG_BEFORE_PAGE =
  'a page is written behind the sync of the log up to its last change. Without it, the page may be ahead of the log after ' +
  'a crash, and nobody looks at it: as long as the checkpoint is not recorded, the log has an image of every page that it ' +
  'writes, and the record of the checkpoint is synced behind all that the pages may have';

export const BTREE_SURVIVORS: Readonly<Record<string, string>> = {
  'dropped: fdatasync in syncNow, startSync': LOG_BEFORE_PAGE,
  'postponed: fdatasync in syncNow, startSync': LOG_BEFORE_PAGE,
};
