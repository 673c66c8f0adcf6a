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
  /** Contents freed before the crash, for models that show them. */
  readonly freed: readonly Uint8Array[];
}

/** Overlapping writes to one block are ordered in every way up to this many contents. */
const CONTENTS_MAX = 512;

export function blockDomain(view: BlockView, model: CrashModel): BlockOutcome[] {
  const { history, events, fresh } = view;
  const base = new Uint8Array(BLOCK_BYTES);
  if (!fresh && history.initial !== null) base.set(history.initial);
  const written = contentsOf(base, events, view.required);
  const outcomes = new OutcomeList();
  const newest = written.contents.at(-1);
  if (newest !== undefined) outcomes.add('newest', newest);
  for (const content of written.contents.toReversed()) outcomes.add('older', content);
  const grounds = written.baseAllowed ? groundContents(base, view, model) : [];
  for (const ground of grounds) outcomes.add(ground.kind, ground.bytes);
  if (model.tearBytes > 0) {
    const older = [...grounds.map(({ bytes }) => bytes), ...written.contents];
    addTears(outcomes, older, written.contents, model.tearBytes);
  }
  return outcomes.list;
}

/** What stands in the block when none of its events arrived. */
function groundContents(base: Uint8Array, view: BlockView, model: CrashModel): BlockOutcome[] {
  if (!view.fresh) return [{ kind: 'older', bytes: base }];
  const grounds: BlockOutcome[] = [];
  if (model.unwritten.includes('zeros')) grounds.push({ kind: 'zeros', bytes: base });
  if (model.unwritten.includes('random')) {
    grounds.push({ kind: 'garbage', bytes: randomBlock(view.history) });
  }
  if (model.unwritten.includes('freed')) {
    for (const bytes of view.freed) grounds.push({ kind: 'garbage', bytes });
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
  readonly contents: Uint8Array[];
  /** Whether the block may also show none of the events. */
  readonly baseAllowed: boolean;
}

function contentsOf(
  base: Uint8Array,
  events: readonly BlockEvent[],
  required: (event: BlockEvent) => boolean,
): WrittenContents {
  const lastRequired = events.findLastIndex(required);
  const overlapping = events.some((event, index) => {
    const before = events[index - 1];
    return before !== undefined && before.end > event.start;
  });
  if (overlapping) return overlappingContents(base, events, required);
  const contents: Uint8Array[] = [];
  const page = base.slice();
  events.forEach((event, index) => {
    page.set(event.bytes, event.offset);
    if (index >= lastRequired) contents.push(page.slice());
  });
  return { contents, baseAllowed: lastRequired < 0 };
}

/** Every order of calls that overlapped, cut at every place. */
function overlappingContents(
  base: Uint8Array,
  events: readonly BlockEvent[],
  required: (event: BlockEvent) => boolean,
): WrittenContents {
  const contents: Uint8Array[] = [];
  const walk = (page: Uint8Array, applied: ReadonlySet<BlockEvent>): void => {
    assert(contents.length < CONTENTS_MAX, 'too many overlapping writes to one block');
    const waiting = events.filter((event) => !applied.has(event));
    const complete = !waiting.some(required);
    for (const event of waiting.toReversed()) {
      if (waiting.some((other) => other.end < event.start)) continue;
      const next = page.slice();
      next.set(event.bytes, event.offset);
      walk(next, new Set([...applied, event]));
    }
    if (complete && applied.size > 0) contents.push(page);
  };
  walk(base, new Set());
  const newest = base.slice();
  for (const event of events) newest.set(event.bytes, event.offset);
  contents.push(newest);
  return { contents, baseAllowed: !events.some(required) };
}

/** Any earlier content torn against any later one, at one boundary, either side first. */
function addTears(
  outcomes: OutcomeList,
  older: readonly Uint8Array[],
  newer: readonly Uint8Array[],
  tearBytes: number,
): void {
  const skipped = older.length - newer.length;
  newer.forEach((after, index) => {
    for (const before of older.slice(0, skipped + index)) {
      for (let cut = tearBytes; cut < BLOCK_BYTES; cut += tearBytes) {
        if (sameRange(before, after, 0, cut) || sameRange(before, after, cut, BLOCK_BYTES))
          continue;
        outcomes.add('torn', joined(after, before, cut));
        outcomes.add('torn', joined(before, after, cut));
      }
    }
  });
}

function sameRange(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  return Buffer.compare(a.subarray(from, to), b.subarray(from, to)) === 0;
}

function joined(head: Uint8Array, tail: Uint8Array, cut: number): Uint8Array {
  const bytes = tail.slice();
  bytes.set(head.subarray(0, cut));
  return bytes;
}

/** Outcomes in order, equal bytes once. */
class OutcomeList {
  readonly list: BlockOutcome[] = [];
  readonly #seen = new Set<string>();

  add(kind: OutcomeKind, bytes: Uint8Array): void {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.list.push({ kind, bytes });
  }
}
