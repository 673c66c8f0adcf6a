/** Names on a rig's disk that the rig, the perturber and the reader of crashed disks must agree on. */

/** The program's directory inside the fresh file system; `lost+found` and the rig's own file are outside it. */
export const PROGRAM_DIRECTORY = 'root';
/** A file that no program sees, whose sync commits a journal. */
export const UNRELATED_FILE = 'unrelated';
