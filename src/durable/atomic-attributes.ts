/**
 * Permission bits and owner of a file that takes another's place: what the caller asks for, else
 * what the old file had, else the system's defaults. What cannot be kept is dropped towards fewer
 * rights, never more. Access control lists and extended attributes are not kept.
 */

import { errorCode } from '../vfs/errno.ts';
import type { FileStat, VfsFile } from '../vfs/vfs.ts';
import { call, runLater, runNow } from './two-forms.ts';
import type { TwoFormSteps } from './two-forms.ts';

/** User and group, as numbers. */
export interface FileOwnership {
  readonly uid: number;
  readonly gid: number;
}

/** What the new file shall have. Undefined: what the old file had. False: what a new file gets. */
export interface AttributeOptions {
  /** Permission bits, exactly these whatever the umask. */
  readonly mode?: number | false | undefined;
  readonly chown?: FileOwnership | false | undefined;
}

const NEW_FILE_MODE = 0o666;
const SET_USER = 0o4000;
const SET_GROUP = 0o2000;

/** The operating system's ways to say that this user, or this file system, cannot do it. */
const CANNOT: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'EINVAL',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
]);

/** For `open`: never more than the final rights. The umask of a new file is left to the kernel. */
export function creationMode(options: AttributeOptions, existing: FileStat | null): number {
  if (options.mode === false) return NEW_FILE_MODE;
  return (options.mode ?? existing?.mode ?? NEW_FILE_MODE) & 0o777;
}

/**
 * Gives `file`, just made with `creationMode`, its owner and then its permission bits (a change of
 * owner takes the set-user and set-group bits away). Nothing is called where nothing can differ.
 * Durable with the next sync.
 * @throws the operating system's error when what the caller asked for cannot be had
 */
export async function applyAttributes(
  file: VfsFile,
  options: AttributeOptions,
  existing: FileStat | null,
  platform: string,
): Promise<void> {
  const wishes = wishesOf(options, existing, platform);
  if (wishes !== null) await runLater(fulfil(file, wishes));
}

/** As `applyAttributes`, on the calling thread. */
export function applyAttributesSync(
  file: VfsFile,
  options: AttributeOptions,
  existing: FileStat | null,
  platform: string,
): void {
  const wishes = wishesOf(options, existing, platform);
  if (wishes !== null) runNow(fulfil(file, wishes));
}

interface Wishes {
  /** Asked for by the caller: had, or an error. */
  readonly asked: FileOwnership | null;
  /** Those of the old file: had as far as the system allows. */
  readonly kept: FileOwnership | null;
  readonly mode: number | null;
  readonly modeKept: boolean;
}

function wishesOf(
  options: AttributeOptions,
  existing: FileStat | null,
  platform: string,
): Wishes | null {
  const { mode, chown } = options;
  const asked = chown === undefined || chown === false ? null : chown;
  // Windows has no owner in numbers: stat says 0 for all.
  const kept = chown === undefined && platform !== 'win32' ? existing : null;
  const modeKept = mode === undefined;
  const wanted = mode === false ? null : (mode ?? existing?.mode ?? null);
  if (asked === null && kept === null && wanted === null) return null;
  return { asked, kept, mode: wanted, modeKept };
}

function* fulfil(file: VfsFile, wishes: Wishes): TwoFormSteps<void> {
  const { asked, kept, mode, modeKept } = wishes;
  const made = yield* call(
    () => file.statSync(),
    () => file.stat(),
  );
  let now: FileOwnership = made;
  if (asked !== null && !sameOwner(made, asked)) yield* changeOwner(file, asked);
  if (kept !== null && !sameOwner(made, kept)) now = yield* keepOwner(file, made, kept);
  if (mode === null) return;
  const wanted = modeKept && kept !== null ? withoutStrangers(mode, now, kept) : mode;
  if (wanted === made.mode) return;
  yield* call(
    () => file.chmodSync(wanted),
    () => file.chmod(wanted),
  );
}

/** Owner and group if possible, else the group, else neither. Returns what it is then. */
function* keepOwner(
  file: VfsFile,
  made: FileOwnership,
  old: FileOwnership,
): TwoFormSteps<FileOwnership> {
  const attempts = [old, { uid: made.uid, gid: old.gid }];
  for (const attempt of attempts) {
    if (sameOwner(attempt, made)) break;
    try {
      yield* changeOwner(file, attempt);
      return attempt;
    } catch (error) {
      // Only the superuser gives files away: without the right the file belongs to its writer.
      if (!CANNOT.has(errorCode(error))) throw error;
    }
  }
  return made;
}

function* changeOwner(file: VfsFile, { uid, gid }: FileOwnership): TwoFormSteps<void> {
  yield* call(
    () => file.chownSync(uid, gid),
    () => file.chown(uid, gid),
  );
}

/** Rights of the old owner and group are not handed to others who are now in their place. */
function withoutStrangers(mode: number, now: FileOwnership, old: FileOwnership): number {
  let wanted = mode;
  if (now.uid !== old.uid) wanted &= ~SET_USER;
  if (now.gid !== old.gid) wanted &= ~SET_GROUP & (((wanted & 0o007) << 3) | ~0o070);
  return wanted;
}

function sameOwner(a: FileOwnership, b: FileOwnership): boolean {
  return a.uid === b.uid && a.gid === b.gid;
}
