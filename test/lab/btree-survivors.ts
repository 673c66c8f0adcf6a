/** Mutants of the B+tree that no crash shows, each with the reason, and the test that counts its work. */

export const BTREE_SURVIVORS: Readonly<Record<string, string>> = {};
