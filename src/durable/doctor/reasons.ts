/**
 * Every reason the doctor can give, as one catalogue of sentences: what is the matter, and what it does to a
 * program's files. Each id is a section of `docs/doctor.md` with the source of the claim; a test holds the two
 * together.
 */

import type { ClaimId, Reason } from './doctor-answer.ts';

const ALL: readonly ClaimId[] = ['bytes', 'names', 'renames', 'order'];
const ALL_AND_LOCKS: readonly ClaimId[] = [...ALL, 'locks'];

type Words = (subject: string) => string;

interface ReasonForm {
  readonly verdict: Reason['verdict'];
  readonly claims: readonly ClaimId[];
  readonly leavesNothing?: true;
  readonly words: Words;
}

function fails(claims: readonly ClaimId[], words: Words): ReasonForm {
  return { verdict: 'fails', claims, words };
}

function assumed(claims: readonly ClaimId[], words: Words): ReasonForm {
  return { verdict: 'assumed', claims, words };
}

function leavesNothing(words: Words): ReasonForm {
  return { verdict: 'fails', claims: ALL, leavesNothing: true, words };
}

/** The id of a reason; also the anchor of its section in `docs/doctor.md`. */
export type ReasonId =
  | 'memory'
  | 'no-barrier'
  | 'barriers-not-needed'
  | 'overlay-volatile'
  | 'overlay-upper-hidden'
  | 'no-journal'
  | 'no-journal-rename'
  | 'journal-unseen'
  | 'fast-commit-sync'
  | 'recorded-errors'
  | 'network'
  | 'no-strict-sync'
  | 'host'
  | 'fuse'
  | 'fat-rename'
  | 'no-model'
  | 'mount-unseen'
  | 'virtual-disk'
  | 'device-unseen'
  | 'network-device'
  | 'memory-device'
  | 'flush-switched-off'
  | 'flush-stopped'
  | 'image-unseen'
  | 'mac-fallback'
  | 'mac-names'
  | 'mac-plain-fsync'
  | 'windows-names'
  | 'unknown-platform'
  | 'no-directory-sync'
  | 'flush-too-fast';

const FORMS: Readonly<Record<ReasonId, ReasonForm>> = {
  // The file system.
  memory: leavesNothing(
    (s) => `${s} keeps files in memory: a power cut leaves nothing of them, right or wrong.`,
  ),
  'no-barrier': fails(
    ALL,
    (s) =>
      `${s} is mounted with barriers off: a sync returns while the bytes are in the device's volatile ` +
      'cache. A power cut may take them, in any order, and damage the file system itself.',
  ),
  'barriers-not-needed': assumed(
    ALL,
    (s) =>
      `${s} is mounted with barriers off, which does no harm only if the device is right in saying ` +
      'that it has no volatile cache.',
  ),
  'overlay-volatile': fails(
    ALL,
    (s) =>
      `${s} is mounted volatile: every sync is skipped, so nothing is durable when it returns.`,
  ),
  'overlay-upper-hidden': assumed(
    ALL,
    (s) =>
      `${s} keeps its files in an upper layer that cannot be seen from here, so neither can the ` +
      'file system that really holds them.',
  ),
  'no-journal': assumed(
    ALL,
    (s) =>
      `${s} has no journal: a power cut leaves the file system inconsistent. A sync does write the ` +
      'bytes and the directory, but what is found again depends on e2fsck, which must run before the mount.',
  ),
  'no-journal-rename': fails(
    ['renames'],
    (s) =>
      `${s} has no journal, so a rename is not one step: a power cut can leave both names, or neither, and a ` +
      'file that was replaced by rename can be gone.',
  ),
  'journal-unseen': assumed(
    ALL,
    (s) => `Whether ${s} has a journal cannot be seen from here; without one, see no-journal.`,
  ),
  'fast-commit-sync': fails(
    ['bytes', 'order'],
    (s) =>
      `${s} has fast_commit: where two files are synced at the same time, a sync can return before its own ` +
      'bytes are durable, and a power cut can leave a disk that cannot be mounted.',
  ),
  'recorded-errors': assumed(
    ALL,
    (s) => `The file system has recorded ${s} errors of its own: run e2fsck before trusting it.`,
  ),
  network: assumed(
    ALL_AND_LOCKS,
    (s) =>
      `${s}: a sync asks the server to keep the bytes, and names are kept by the server. Whether it ` +
      'does (export option sync, its own disk and cache) cannot be seen from here.',
  ),
  'no-strict-sync': fails(
    ALL,
    (s) => `${s} is mounted with nostrictsync: a sync does not ask the server to flush anything.`,
  ),
  host: assumed(
    ALL,
    (s) => `${s} is a directory of the host: what a sync is worth is decided there, out of sight.`,
  ),
  fuse: assumed(
    ALL_AND_LOCKS,
    (s) => `${s} is served by a program (FUSE): a sync is worth what that program makes of it.`,
  ),
  'fat-rename': fails(
    ['renames'],
    (s) =>
      `${s} has no journal and renames in several steps: a power cut in between may leave neither ` +
      'the old file nor the new one.',
  ),
  'no-model': assumed(
    ALL,
    (s) =>
      `${s} is not among the file systems that the laboratory has a model of: its documentation may ` +
      'well promise all of this, but nobody here has tested it.',
  ),
  'mount-unseen': assumed(
    ALL_AND_LOCKS,
    () => 'The mount that this directory is on does not appear in /proc/self/mountinfo.',
  ),
  // The device.
  'virtual-disk': assumed(
    ALL,
    (s) =>
      `${s} is a virtual disk: flushes go to the host, and whether the host carries them to a real ` +
      'drive (cache mode, cloud volume) cannot be seen from inside.',
  ),
  'device-unseen': assumed(ALL, (s) => `The device below ${s} cannot be seen from here.`),
  'network-device': assumed(
    ALL,
    (s) => `${s} is a disk on another machine: what its flush is worth is decided there.`,
  ),
  'memory-device': leavesNothing((s) => `${s} is a disk in memory: a power cut empties it.`),
  'flush-switched-off': fails(
    ALL,
    (s) =>
      `${s} reports a volatile cache, but the kernel has been told to take it for write-through: no ` +
      'flush is sent, and a sync returns while the bytes are in that cache.',
  ),
  'flush-stopped': fails(
    ALL,
    (s) => `${s}: the upper device takes no flushes, so the volatile cache below is never flushed.`,
  ),
  'image-unseen': assumed(
    ALL,
    (s) => `${s} is a loop device, and its image file cannot be seen from here.`,
  ),
  // Other platforms.
  'mac-fallback': assumed(
    ALL,
    () =>
      'Inferred, not observed: Node asks the drive for a full flush (F_FULLFSYNC), but where the volume ' +
      'refuses it falls back to a weaker call without saying so.',
  ),
  'mac-names': assumed(
    ['names', 'renames', 'order'],
    () => 'Apple does not document that a name lasts once its directory is synced.',
  ),
  'mac-plain-fsync': fails(
    ALL,
    (s) =>
      `${s} calls plain fsync on macOS, after which the drive may still hold the bytes in its cache ` +
      'and lose them, in any order.',
  ),
  'windows-names': assumed(
    ['names', 'renames', 'order'],
    () =>
      'Windows has no call that makes a name durable: Holdfast flushes the renamed file and assumes ' +
      'that its name comes with it.',
  ),
  'unknown-platform': assumed(
    ALL_AND_LOCKS,
    (s) => `The doctor knows nothing of the platform ${s}.`,
  ),
  // Measured.
  'no-directory-sync': assumed(
    ['names', 'renames', 'order'],
    (s) => `A directory cannot be synced here (${s}): that names last is only assumed.`,
  ),
  'flush-too-fast': assumed(ALL, (s) => s),
};

/** All ids, for the test that holds the page to the catalogue. */
export const reasonIds: readonly string[] = Object.keys(FORMS);

/** The reason `id`, said of `subject`. */
export function reason(id: ReasonId, subject: string = ''): Reason {
  const form = FORMS[id];
  return {
    id,
    verdict: form.verdict,
    claims: form.claims,
    ...(form.leavesNothing ? { leavesNothing: true } : {}),
    text: form.words(subject),
  };
}
