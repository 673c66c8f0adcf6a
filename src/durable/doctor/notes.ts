/**
 * Every note the doctor can give: worth knowing, no danger to a promise. As for reasons, each id is a section of
 * `docs/doctor.md`.
 */

import type { Note } from './doctor-answer.ts';

/** The id of a note; also the anchor of its section in `docs/doctor.md`. */
export type NoteId =
  | 'data-writeback'
  | 'data-journal'
  | 'data-mode-unseen'
  | 'fast-commit'
  | 'fast-commit-unseen'
  | 'async-commit'
  | 'auto-da-alloc'
  | 'commit'
  | 'no-copy-on-write'
  | 'overlay-copy-up'
  | 'container-layer'
  | 'read-only'
  | 'network-soft'
  | 'bind-mount'
  | 'no-volatile-cache'
  | 'cache-unseen'
  | 'image';

const WORDS: Readonly<Record<NoteId, (subject: string) => string>> = {
  'data-writeback': () =>
    'data=writeback: a file that nobody synced may hold old bytes of other files after a power cut.',
  'data-journal': () =>
    'data=journal: writes keep their order, but what was not synced is still lost; write errors show up late.',
  'data-mode-unseen': () =>
    'The data mode is not shown: it is the default of the superblock, normally ordered.',
  'fast-commit': () =>
    'fast_commit: syncing one file no longer carries unrelated earlier renames and removals with it.',
  'fast-commit-unseen': () =>
    'Whether fast_commit is on cannot be seen without root: test with +fastcommit to be sure.',
  'async-commit': () =>
    'journal_async_commit: the journal relies on its checksums to tell a torn commit.',
  'auto-da-alloc': () =>
    'noauto_da_alloc: programs that replace a file without syncing it lose the help of the kernel.',
  commit: (seconds: string) =>
    `commit=${seconds}: what nobody synced can be lost for longer than usual (${seconds} s and more).`,
  'no-copy-on-write': () =>
    'nodatacow: files are overwritten in place and without checksums, so a block may be torn.',
  'overlay-copy-up': () =>
    'Overlay: the first change to a file of a lower layer copies it up; until its directory is synced a ' +
    'power cut may bring the old file back.',
  'container-layer': () =>
    'This is the layer of a container, not a volume: the files go when the container is removed.',
  'read-only': () => 'Mounted read-only: nothing can be written here as it is.',
  'network-soft': () =>
    'Mounted soft: a server that is slow makes calls fail; take every error for a failed sync.',
  'bind-mount': (root: string) =>
    `A bind mount: it shows the directory ${root} of its file system.`,
  'no-volatile-cache': (device: string) =>
    `${device} says that it has no volatile cache, so the kernel sends it no flushes. The doctor takes its word.`,
  'cache-unseen': (device: string) => `Whether ${device} has a volatile cache is not shown.`,
  image: (text: string) => text,
};

/** All ids, for the test that holds the page to the catalogue. */
export const noteIds: readonly string[] = Object.keys(WORDS);

/** The note `id`, said of `subject`. */
export function note(id: NoteId, subject: string = ''): Note {
  return { id, text: WORDS[id](subject) };
}
