/**
 * What one block may hold after a crash, when its data is written back by itself: the theory of `data: 'own'`.
 *
 * A block lives in epochs: a truncation or hole gives the disk block back, and what is written afterwards goes to
 * a new one. Which epoch the file shows is decided by which of those changes survived. Within an epoch:
 *
 * 1. The disk holds the page as it was at some moment since the last floor: after any of the later writes, or
 *    none of them. Writes that overlapped in time are taken in every order.
 * 2. Before its first write an epoch holds what `CrashModel.unwritten` says, except the first epoch of a block
 *    that existed when recording began.
 * 3. Where blocks tear, the disk may hold one such content up to a sector boundary and another one after it.
 *
 * The first outcome of a domain is the newest content: nothing lost.
 */

import { createHash } from 'node:crypto';

import type { BlockEvent, BlockHistory } from '../model/change.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { Content, PageMoment } from './page-pasts.ts';
import { pagePast } from './page-pasts.ts';

/** How an outcome came about, from the plainest to the strangest. */
export type OutcomeKind = 'newest' | 'older' | 'zeros' | 'torn' | 'garbage';

export interface BlockOutcome {
  readonly kind: OutcomeKind;
  /** BLOCK_BYTES bytes; what lies beyond the file's size is cut off by the reader. */
  readonly bytes: Uint8Array;
  /** When the latest call started whose bytes are in it and that no floor covers; -1 for none. */
  readonly needs: number;
}

/** A short name of an outcome's bytes: the same whichever other outcomes the block could have. */
export function outcomeDigest(outcome: BlockOutcome): string {
  return createHash('sha256').update(outcome.bytes).digest('hex').slice(0, 16);
}

/** The part of a block's history that matters in one crash state. */
export interface BlockView {
  readonly history: BlockHistory;
  /** Events of the epoch that the file shows, issued before the crash, in order. */
  readonly events: readonly BlockEvent[];
  /** What this disk block held when recording began; null when it was not the file's then. */
  readonly initial: Uint8Array | null;
  /** Whether it may show what was there before it was the file's: not where it existed or was zeroed. */
  readonly fresh: boolean;
  /** Must be in: covered by a floor, or by a size that survived. */
  readonly required: (event: BlockEvent) => boolean;
  /** Put out of danger by a sync that returned. */
  readonly floored: (event: BlockEvent) => boolean;
  /** Contents freed before the crash, for models that show them. */
  readonly freed: readonly Uint8Array[];
}

/** Outcomes of one block that are told apart; a block with more of them makes the verdict incomplete. */
const OUTCOMES_MAX = 8192;

export interface BlockDomain {
  /** The newest content first. */
  readonly outcomes: readonly BlockOutcome[];
  /** False when there are more outcomes than these. */
  readonly whole: boolean;
}

export function blockDomain(view: BlockView, model: CrashModel): BlockDomain {
  const { initial, fresh, events, required } = view;
  const base = new Uint8Array(BLOCK_BYTES);
  if (!fresh && initial !== null) base.set(initial);
  const { moments, whole } = pagePast(base, view);
  const outcomes = new OutcomeList();
  const newest = moments.at(-1);
  if (newest !== undefined) outcomes.add('newest', newest);
  const allowed = moments.filter((moment) => moment.allowed);
  for (const content of allowed.toReversed()) outcomes.add('older', content);
  const grounds = events.some(required) ? [] : groundContents(base, view, model);
  for (const ground of grounds) outcomes.add(ground.kind, ground);
  if (model.tearBytes > 0) addTears(outcomes, grounds, moments, model.tearBytes);
  if (model.damagesAround) addDamage(outcomes, [...grounds, ...allowed], view, model.tearBytes);
  return { outcomes: outcomes.list, whole: whole && !outcomes.full };
}

/** What stands in the block when none of its events arrived. */
function groundContents(base: Uint8Array, view: BlockView, model: CrashModel): BlockOutcome[] {
  const needs = -1;
  if (!view.fresh) return [{ kind: 'older', bytes: base, needs }];
  const grounds: BlockOutcome[] = [];
  if (model.unwritten.includes('zeros')) grounds.push({ kind: 'zeros', bytes: base, needs });
  const garbage: Uint8Array[] = [];
  if (model.unwritten.includes('random')) garbage.push(bytesOfNobody(view.history));
  if (model.unwritten.includes('freed')) garbage.push(...view.freed);
  for (const bytes of garbage) {
    const shown = model.garbageCovers === 'block' ? bytes : whereWritten(bytes, base, view);
    grounds.push({ kind: 'garbage', bytes: shown, needs });
  }
  return grounds;
}

/** Garbage where bytes were written, and what was there before beside it. */
function whereWritten(garbage: Uint8Array, base: Uint8Array, view: BlockView): Uint8Array {
  const shown = base.slice();
  for (const { offset, bytes } of view.events) {
    shown.set(garbage.subarray(offset, offset + bytes.length), offset);
  }
  return shown;
}

/** Bytes of nobody: the same for the same block in every run, and not valid UTF-8. */
export function bytesOfNobody(history: BlockHistory): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  let state = (history.inode * 0x9e3779b1 + history.block * 0x85ebca6b + 1) >>> 0;
  for (let index = 0; index < BLOCK_BYTES; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = (state >>> 24) | 0x80;
  }
  return bytes;
}

/** A write that was cut off leaves the sectors that it touched as garbage, bytes beside it included. */
function addDamage(
  outcomes: OutcomeList,
  contents: readonly Content[],
  view: BlockView,
  sectorBytes: number,
): void {
  const garbage = bytesOfNobody(view.history);
  for (const event of view.events) {
    if (view.floored(event) || event.bytes.length === 0) continue;
    const from = event.offset - (event.offset % sectorBytes);
    const to = Math.ceil((event.offset + event.bytes.length) / sectorBytes) * sectorBytes;
    for (const { bytes, needs } of contents) {
      const damaged = bytes.slice();
      damaged.set(garbage.subarray(from, to), from);
      outcomes.add('garbage', { bytes: damaged, needs });
    }
  }
}

/** Any earlier content torn against any later one, at one boundary, either side first. */
function addTears(
  outcomes: OutcomeList,
  grounds: readonly BlockOutcome[],
  moments: readonly PageMoment[],
  tearBytes: number,
): void {
  for (const after of moments) {
    if (!after.allowed) continue;
    const earlier = after.before.flatMap((index) => moments[index] ?? []);
    for (const before of [...grounds, ...earlier.filter(({ allowed }) => allowed)]) {
      if (outcomes.full) return;
      for (let cut = tearBytes; cut < BLOCK_BYTES; cut += tearBytes) {
        if (sameRange(before.bytes, after.bytes, 0, cut)) continue;
        if (sameRange(before.bytes, after.bytes, cut, BLOCK_BYTES)) break;
        outcomes.add('torn', joined(after, before, cut));
        outcomes.add('torn', joined(before, after, cut));
      }
    }
  }
}

function sameRange(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  return Buffer.compare(a.subarray(from, to), b.subarray(from, to)) === 0;
}

function joined(head: Content, tail: Content, cut: number): Content {
  const bytes = tail.bytes.slice();
  bytes.set(head.bytes.subarray(0, cut));
  return { bytes, needs: Math.max(head.needs, tail.needs) };
}

/** Outcomes in order, equal bytes once: with the weakest need. */
class OutcomeList {
  readonly list: BlockOutcome[] = [];
  /** More came than are kept. */
  full = false;
  readonly #seen = new Map<string, number>();

  add(kind: OutcomeKind, { bytes, needs }: Content): void {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const seen = this.#seen.get(key);
    const known = seen === undefined ? undefined : this.list[seen];
    if (seen !== undefined && known !== undefined) {
      this.list[seen] = { ...known, needs: Math.min(known.needs, needs) };
      return;
    }
    this.full ||= this.list.length >= OUTCOMES_MAX;
    if (this.full) return;
    this.#seen.set(key, this.list.length);
    this.list.push({ kind, bytes, needs });
  }
}
