/** Mutants of Bitcask that no crash shows, each with the reason, and the test that counts its work. */

export const BITCASK_SURVIVORS: Readonly<Record<string, string>> = {};
