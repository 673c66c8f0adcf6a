/**
 * The order in which a directory's lock is taken and given back. Not here: who counts as dead
 * (`lock-judge`), and the face for others (`lock-file`).
 *
 * A lock file is `holdfast-lock-N`. Taking the lock: 1. Read all lock files. If the owner of one
 * may live, the directory is locked. 2. Create the file of the next generation with O_EXCL, which
 * one opener can, and write the owner into it. 3. Read all lock files again. If by now another
 * complete one names an owner that may live, or the own file is gone, remove the own one and begin
 * again. Otherwise the lock is held. 4. Remove the other files: their owners are dead, or were
 * killed before 3 and never held it. Releasing removes the own file. Nothing is ever removed to get
 * the lock, only by who has it.
 *
 * Why two never hold it: of two holders, the one that created its file later read all files after
 * that (3), while the file of the other was there and complete, and a living owner is never judged
 * dead. A file that is not complete has an owner that is not past 2, who will find ours at 3; so it
 * blocks nobody, whether its maker is slow or dead.
 *
 * No sync anywhere: what a power cut does to these files does not matter. Their owners are gone
 * with the boot that they name, a file without its bytes is one that is not complete, and a removed
 * file that comes back names a dead owner.
 */

import { randomBytes } from 'node:crypto';

import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { HoldfastError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile, readWholeFileSync, writeFully, writeFullySync } from '../vfs/transfer.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import type { OpenOptions, Vfs, VfsFile } from '../vfs/vfs.ts';
import { explainFailure, wasRefused } from './change-outcome.ts';
import { inDirectory } from './directory-path.ts';
import type { LockJudge, LockVerdict } from './lock-judge.ts';
import { decodeLockOwner, encodeLockOwner } from './lock-owner.ts';
import type { LockOwner } from './lock-owner.ts';
import { LockedError } from './locked-error.ts';
import { call } from './two-forms.ts';
import type { TwoFormSteps } from './two-forms.ts';

export interface LockOptions {
  /** Default: the machine's. */
  readonly vfs?: Vfs;
  /** Who we are, and who is dead. Default: as the machine says. */
  readonly judge?: LockJudge;
  /**
   * Take the lock also from an owner of whom nothing can be known here (another container, another
   * host). Only for callers who know that no such owner lives. An owner that is known to live is
   * never overridden.
   */
  readonly override?: boolean;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

const MAKING = 'making lock file';
const NAME = /^holdfast-lock-(\d{1,12})$/;
/** Nobody gets there by taking the lock: a name beyond it is not ours. */
const GENERATION_MAX = 900_000_000_000;
const CREATE: OpenOptions = { write: true, create: true, exclusive: true, noFollow: true };
/**
 * How long to wait for an owner that was killed just now, and for openers that are in each other's
 * way.
 */
const PATIENCE_MS = 2000;
/** How long a file may take from its creation to its last byte before others go past it. */
const COMPLETION_MS = 20;
const PAUSE_MS_MAX = 8;

interface Attempts {
  readonly directory: string;
  readonly vfs: Vfs;
  readonly judge: LockJudge;
  readonly override: boolean;
  waitedMs: number;
  /** Whoever was in the way last. */
  rival: Found | undefined;
}

/** A complete lock file or, with owner null, one that is not. */
interface Found {
  readonly path: string;
  readonly generation: number;
  readonly owner: LockOwner | null;
  readonly verdict: LockVerdict;
}

/** A lock that is held. */
export interface TakenLock {
  readonly path: string;
  readonly owner: LockOwner;
}

/**
 * Takes the lock.
 * @throws HOLDFAST_LOCKED, or the operating system's error, as `DirectoryLock.acquire` says
 */
export function* acquireLock(
  directory: string,
  options: LockOptions & { readonly judge: LockJudge },
): TwoFormSteps<TakenLock> {
  const { vfs = nodeVfs, judge, clock = systemClock, override = false } = options;
  const attempts: Attempts = { directory, vfs, judge, override, waitedMs: 0, rival: undefined };
  const begunMs = clock.monotonicMs();
  for (;;) {
    const taken = yield* attempt(attempts);
    if (taken !== null) return taken;
    if (attempts.waitedMs > PATIENCE_MS) throw lockedBy(attempts, attempts.rival);
    const pauseMs = 1 + ((randomBytes(1)[0] ?? 0) % PAUSE_MS_MAX);
    yield* call(
      () => clock.sleepSync(pauseMs),
      () => clock.sleep(pauseMs),
    );
    attempts.waitedMs = clock.monotonicMs() - begunMs;
  }
}

/**
 * Looks whether a directory has an owner, and changes nothing.
 * @throws HOLDFAST_LOCKED when one may live
 */
export function* requireNoOwner(
  directory: string,
  options: Pick<LockOptions, 'vfs'> & { readonly judge: LockJudge },
): TwoFormSteps<void> {
  const { vfs = nodeVfs, judge } = options;
  const found = yield* look({
    directory,
    vfs,
    judge,
    override: false,
    waitedMs: 0,
    rival: undefined,
  });
  const owner = found.find(blocks);
  if (owner !== undefined) throw lockedBy({ directory, judge }, owner);
}

/** Steps 1 to 4. Null: somebody was in the way who may be gone in a moment. */
function* attempt(attempts: Attempts): TwoFormSteps<TakenLock | null> {
  const { directory, vfs, judge, waitedMs } = attempts;
  const found = yield* look(attempts);
  attempts.rival = found.find(blocks);
  if (attempts.rival?.verdict === 'ending') return null;
  if (attempts.rival !== undefined) throw lockedBy(attempts, attempts.rival);
  const hasIncomplete = found.some((each) => each.owner === null);
  if (hasIncomplete && waitedMs < COMPLETION_MS) return null;
  const generation = Math.max(0, ...found.map((each) => each.generation)) + 1;
  const name = `holdfast-lock-${String(generation).padStart(8, '0')}`;
  const owner = { ...judge.self, nonce: randomBytes(12).toString('hex') };
  const taken = { path: inDirectory(directory, name), owner };
  if (!(yield* create(vfs, judge, taken))) return null;
  return (yield* confirm(attempts, taken)) ? taken : null;
}

/** Steps 3 and 4. When it is not the owner's, the own file is removed. */
function* confirm(attempts: Attempts, taken: TakenLock): TwoFormSteps<boolean> {
  const { vfs, judge } = attempts;
  const { nonce } = taken.owner;
  let confirmed = false;
  judge.note(nonce, 'held');
  try {
    const found = yield* look(attempts);
    const isOwn = (each: Found): boolean => each.owner?.nonce === nonce;
    const others = found.filter((each) => !isOwn(each));
    attempts.rival = others.find(blocks);
    confirmed = attempts.rival === undefined && found.some(isOwn);
    if (confirmed) for (const each of others) yield* remove(vfs, each.path, 'try');
  } finally {
    if (!confirmed) yield* releaseLock(vfs, judge, taken);
  }
  return confirmed;
}

/** All lock files of the directory, as they are now. */
function* look(attempts: Attempts): TwoFormSteps<Found[]> {
  const { directory, vfs, judge, override } = attempts;
  const entries = yield* call(
    () => vfs.readDirectorySync(directory),
    () => vfs.readDirectory(directory),
  );
  const found: Found[] = [];
  for (const { name, kind } of entries) {
    const generation = NAME.exec(name)?.[1];
    if (generation === undefined || Number(generation) > GENERATION_MAX) continue;
    // Somebody else's directory or link of such a name owns nothing; ours gets a later number.
    if (kind !== 'file') {
      const path = inDirectory(directory, name);
      found.push({ path, generation: Number(generation), owner: null, verdict: 'dead' });
      continue;
    }
    const path = inDirectory(directory, name);
    const content = yield* readIfThere(vfs, path);
    if (content === null) continue;
    const owner = decodeLockOwner(content);
    let verdict: LockVerdict = owner === null ? 'dead' : judge.verdictOn(owner);
    if (verdict === 'unknown' && override) verdict = 'dead';
    found.push({ path, generation: Number(generation), owner, verdict });
  }
  return found;
}

function blocks(found: Found): boolean {
  return found.verdict !== 'dead';
}

/** Step 2. False when another was first. */
function* create(vfs: Vfs, judge: LockJudge, taken: TakenLock): TwoFormSteps<boolean> {
  const { path } = taken;
  const content = encodeLockOwner(taken.owner);
  let file: VfsFile;
  try {
    file = yield* call(
      () => vfs.openSync(path, CREATE),
      () => vfs.open(path, CREATE),
    );
  } catch (error) {
    // Only that one means that there is a file.
    if (errorCode(error) === 'EEXIST') return false;
    throw explainFailure(error, MAKING, path, wasRefused(error) ? 'old' : 'unknown');
  }
  try {
    try {
      yield* call(
        () => writeFullySync(file, content, 0),
        () => writeFully(file, content, 0),
      );
    } finally {
      yield* call(
        () => file.closeSync(),
        () => file.close(),
      );
    }
  } catch (error) {
    // The file may be complete, and must not hold up this thread where it cannot be removed.
    judge.note(taken.owner.nonce, 'released');
    yield* remove(vfs, path, 'try');
    throw explainFailure(error, MAKING, path, 'unknown');
  }
  return true;
}

/**
 * Removes a lock file of ours, unless another has taken its name: somebody may have removed it by
 * hand.
 */
export function* releaseLock(vfs: Vfs, judge: LockJudge, lock: TakenLock): TwoFormSteps<void> {
  const { nonce } = lock.owner;
  judge.note(nonce, 'released');
  const content = yield* readIfThere(vfs, lock.path);
  const owner = content === null ? null : decodeLockOwner(content);
  if (owner?.nonce === nonce) yield* remove(vfs, lock.path, 'must');
  judge.note(nonce, 'gone');
}

function* remove(vfs: Vfs, path: string, need: 'try' | 'must'): TwoFormSteps<void> {
  try {
    yield* call(
      () => vfs.unlinkSync(path),
      () => vfs.unlink(path),
    );
  } catch (error) {
    // Gone is gone; and the file of a dead owner blocks nobody where it stays.
    if (need === 'must' && errorCode(error) !== 'ENOENT') throw error;
  }
}

function* readIfThere(vfs: Vfs, path: string): TwoFormSteps<Uint8Array | null> {
  try {
    return yield* call(
      () => readWholeFileSync(vfs, path),
      () => readWholeFile(vfs, path),
    );
  } catch (error) {
    // Released since it was listed.
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function lockedBy(
  { directory, judge }: Pick<Attempts, 'directory' | 'judge'>,
  found: Found | undefined,
): HoldfastError {
  const owner = found?.owner ?? null;
  if (found !== undefined && owner !== null) {
    const alive = found.verdict !== 'unknown';
    return new LockedError(found.path, owner, alive, isThisProcess(judge, owner));
  }
  return new HoldfastError('HOLDFAST_LOCKED', `${directory}: too many want it at the same moment`);
}

/** Numbers of processes mean something only inside one namespace of one boot of one host. */
function isThisProcess({ self }: LockJudge, owner: LockOwner): boolean {
  const same = ['processId', 'processStart', 'boot', 'namespace', 'host', 'machine'] as const;
  return same.every((part) => owner[part] === self[part]);
}
