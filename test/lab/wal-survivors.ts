/** Mutants of the write-ahead log that no crash shows, each with the reason, and the test that counts its work. */

export const WAL_SURVIVORS: Readonly<Record<string, string>> = {};
