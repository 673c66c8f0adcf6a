/** Mutants of the LSM engine that no crash shows, each with the reason, and the test that counts its work. */

export const LSM_SURVIVORS: Readonly<Record<string, string>> = {};
