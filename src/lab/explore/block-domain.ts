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

import { assert } from '../../base/assert.ts';
import type { BlockEvent, BlockHistory } from '../model/change.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import type { CrashModel } from '../model/crash-model.ts';

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
  /** False in the first epoch of a block that existed when recording began. */
  readonly fresh: boolean;
  /** Must be in: covered by a floor, or by a size that survived. */
  readonly required: (event: BlockEvent) => boolean;
  /** Put out of danger by a sync that returned. */
  readonly floored: (event: BlockEvent) => boolean;
  /** Contents freed before the crash, for models that show them. */
  readonly freed: readonly Uint8Array[];
}

/** Overlapping writes to one block are ordered in every way up to this many contents. */
const CONTENTS_MAX = 512;

export function blockDomain(view: BlockView, model: CrashModel): BlockOutcome[] {
  const { history, fresh } = view;
  const base = new Uint8Array(BLOCK_BYTES);
  if (!fresh && history.initial !== null) base.set(history.initial);
  const written = contentsOf(base, view);
  const outcomes = new OutcomeList();
  const newest = written.contents.at(-1);
  if (newest !== undefined) outcomes.add('newest', newest);
  for (const content of written.contents.toReversed()) outcomes.add('older', content);
  const grounds = written.baseAllowed ? groundContents(base, view, model) : [];
  for (const ground of grounds) outcomes.add(ground.kind, ground);
  const older = [...grounds, ...written.contents];
  if (model.tearBytes > 0) addTears(outcomes, older, written.contents, model.tearBytes);
  if (model.damagesAround) addDamage(outcomes, older, view, model.tearBytes);
  return outcomes.list;
}

/** Bytes that a block may hold, and what they need. */
type Content = Pick<BlockOutcome, 'bytes' | 'needs'>;

/** What stands in the block when none of its events arrived. */
function groundContents(base: Uint8Array, view: BlockView, model: CrashModel): BlockOutcome[] {
  const needs = -1;
  if (!view.fresh) return [{ kind: 'older', bytes: base, needs }];
  const grounds: BlockOutcome[] = [];
  if (model.unwritten.includes('zeros')) grounds.push({ kind: 'zeros', bytes: base, needs });
  if (model.unwritten.includes('random')) {
    grounds.push({ kind: 'garbage', bytes: randomBlock(view.history), needs });
  }
  if (model.unwritten.includes('freed')) {
    for (const bytes of view.freed) grounds.push({ kind: 'garbage', bytes, needs });
  }
  return grounds;
}

/** Bytes of nobody: the same for the same block in every run, and not valid UTF-8. */
function randomBlock(history: BlockHistory): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  let state = (history.inode * 0x9e3779b1 + history.block * 0x85ebca6b + 1) >>> 0;
  for (let index = 0; index < BLOCK_BYTES; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = (state >>> 24) | 0x80;
  }
  return bytes;
}

interface WrittenContents {
  /** Contents with at least one event in, oldest first; the last is everything in the order of issue. */
  readonly contents: Content[];
  /** Whether the block may also show none of the events. */
  readonly baseAllowed: boolean;
}

function contentsOf(base: Uint8Array, view: BlockView): WrittenContents {
  const { events, required } = view;
  const lastRequired = events.findLastIndex(required);
  const overlapping = events.some((event, index) => {
    const before = events[index - 1];
    return before !== undefined && before.end > event.start;
  });
  if (overlapping) return overlappingContents(base, view);
  const contents: Content[] = [];
  const page = base.slice();
  let needs = -1;
  events.forEach((event, index) => {
    page.set(event.bytes, event.offset);
    needs = neededBy(event, needs, view);
    if (index >= lastRequired) contents.push({ bytes: page.slice(), needs });
  });
  return { contents, baseAllowed: lastRequired < 0 };
}

/** Every order of calls that overlapped, cut at every place. */
function overlappingContents(base: Uint8Array, view: BlockView): WrittenContents {
  const { events, required } = view;
  const contents: Content[] = [];
  const walk = (page: Content, applied: ReadonlySet<BlockEvent>): void => {
    assert(contents.length < CONTENTS_MAX, 'too many overlapping writes to one block');
    const waiting = events.filter((event) => !applied.has(event));
    const complete = !waiting.some(required);
    for (const event of waiting.toReversed()) {
      if (waiting.some((other) => other.end < event.start)) continue;
      walk(withEvent(page, event, view), new Set([...applied, event]));
    }
    if (complete && applied.size > 0) contents.push(page);
  };
  const ground: Content = { bytes: base, needs: -1 };
  walk(ground, new Set());
  contents.push(events.reduce((page, event) => withEvent(page, event, view), ground));
  return { contents, baseAllowed: !events.some(required) };
}

function withEvent({ bytes, needs }: Content, event: BlockEvent, view: BlockView): Content {
  const next = bytes.slice();
  next.set(event.bytes, event.offset);
  return { bytes: next, needs: neededBy(event, needs, view) };
}

function neededBy(event: BlockEvent, needs: number, view: BlockView): number {
  return view.floored(event) ? needs : Math.max(needs, event.start);
}

/** A write that was cut off leaves the sectors that it touched as garbage, bytes beside it included. */
function addDamage(
  outcomes: OutcomeList,
  contents: readonly Content[],
  view: BlockView,
  sectorBytes: number,
): void {
  const garbage = randomBlock(view.history);
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
  older: readonly Content[],
  newer: readonly Content[],
  tearBytes: number,
): void {
  const skipped = older.length - newer.length;
  newer.forEach((after, index) => {
    for (const before of older.slice(0, skipped + index)) {
      for (let cut = tearBytes; cut < BLOCK_BYTES; cut += tearBytes) {
        const sameHead = sameRange(before.bytes, after.bytes, 0, cut);
        if (sameHead || sameRange(before.bytes, after.bytes, cut, BLOCK_BYTES)) continue;
        outcomes.add('torn', joined(after, before, cut));
        outcomes.add('torn', joined(before, after, cut));
      }
    }
  });
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
  readonly #seen = new Map<string, number>();

  add(kind: OutcomeKind, { bytes, needs }: Content): void {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const seen = this.#seen.get(key);
    const known = seen === undefined ? undefined : this.list[seen];
    if (seen !== undefined && known !== undefined) {
      this.list[seen] = { ...known, needs: Math.min(known.needs, needs) };
      return;
    }
    this.#seen.set(key, this.list.length);
    this.list.push({ kind, bytes, needs });
  }
}
