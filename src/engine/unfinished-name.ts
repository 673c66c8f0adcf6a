/**
 * How the files of a copy are named until all of it is there. Not here: who makes copies, which are the engines'
 * backups and `restore-store`.
 */

/**
 * Stands behind the name of the file that makes a directory a store, until the rest of a copy is there: a directory
 * with such a name is none, and opening it fails.
 */
export const UNFINISHED = '.restoring';
