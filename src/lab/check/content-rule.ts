/**
 * What a file may hold, given which of its changes must be there: those must, the others may, in any part. So
 * every byte that no open change touches has one right value, and the length lies between two bounds.
 */

import { assert } from '../../base/assert.ts';
import { GrowingContent, type ContentOperation } from '../replay/growing-content.ts';
import type { Trace } from '../record/operation.ts';

/** One change of a file's content, with the times that decide whether it must be there. */
export interface ContentChange {
  readonly operation: ContentOperation;
  /** When the call returned; Infinity when it never did. */
  readonly end: number;
  /** After which time a mark vouches for it. */
  readonly acknowledged: number;
}

/** A stretch of a file's history within which no complete version is thrown away. */
export class ContentGeneration {
  /** Changes that ended before this time must be there whenever the generation shows. */
  readonly completeFrom: number;
  /** A mark after this time rules out all generations before. */
  readonly acknowledged: number;
  /** When the first complete version of the generation stood. */
  readonly completedAt: number;
  readonly #base: Uint8Array;
  readonly #changes: readonly ContentChange[];
  readonly #ambiguous: ReadonlySet<ContentChange>;
  readonly #contents: Trace['contents'];
  /** Content after the first n changes as views of one buffer, if every change is an append. */
  readonly #appended: { readonly bytes: Buffer; readonly lengths: readonly number[] } | null;
  readonly #rules = new Map<string, ContentRule>();

  constructor(
    base: Uint8Array,
    changes: readonly ContentChange[],
    contents: Trace['contents'],
    times: {
      readonly completeFrom: number;
      readonly acknowledged: number;
      readonly completedAt: number;
    },
  ) {
    this.completeFrom = times.completeFrom;
    this.acknowledged = times.acknowledged;
    this.completedAt = times.completedAt;
    this.#base = base;
    this.#changes = changes;
    this.#contents = contents;
    this.#ambiguous = ambiguousChanges(changes);
    this.#appended = appendedContent(base, changes, contents);
  }

  /** The rule when marks up to `marked` were given and what ended before `completeFrom` must be there as well. */
  rule(completeFrom: number, marked: number): ContentRule {
    const from = Math.max(completeFrom, this.completeFrom);
    const required = this.#changes.map(
      ({ end, acknowledged }) => end < from || acknowledged < marked,
    );
    const key = keyOf(required);
    let rule = this.#rules.get(key);
    if (rule === undefined) {
      rule = this.#makeRule(required);
      this.#rules.set(key, rule);
    }
    return rule;
  }

  /** The least length that the file can have had by `time`, when marks up to `marked` had been given. */
  lengthMinAt(time: number, completeFrom: number, marked: number): number {
    const from = Math.max(completeFrom, this.completeFrom);
    let length = this.#base.length;
    let cut = Infinity;
    for (const { operation, end, acknowledged } of this.#changes) {
      if (operation.start >= time) continue;
      const required = end < from || acknowledged < marked;
      if (required) length = lengthAfter(operation, length);
      else if (operation.kind === 'truncate') cut = Math.min(cut, operation.size);
    }
    return Math.min(length, cut);
  }

  #makeRule(required: readonly boolean[]): ContentRule {
    const version = this.#versionOf(required);
    let lengthMin = version.length;
    let lengthMax = version.length;
    const open: Range[] = [];
    this.#changes.forEach((change, index) => {
      if (required[index] === true && !this.#ambiguous.has(change)) return;
      const range = rangeOf(change.operation);
      if (range === null) return;
      open.push(range);
      if (change.operation.kind === 'truncate') {
        lengthMin = Math.min(lengthMin, change.operation.size);
      }
      lengthMax = Math.max(lengthMax, lengthAfter(change.operation, 0));
    });
    return new ContentRule(version, lengthMin, lengthMax, without(version.length, open));
  }

  #versionOf(required: readonly boolean[]): Buffer {
    const count = required.filter(Boolean).length;
    if (this.#appended !== null && required.lastIndexOf(true) === count - 1) {
      return this.#appended.bytes.subarray(0, this.#appended.lengths[count] ?? 0);
    }
    const content = new GrowingContent(this.#base);
    this.#changes.forEach(({ operation }, index) => {
      if (required[index] === true) content.apply(operation, this.#contents);
    });
    return asBuffer(content.snapshot());
  }
}

/** Which contents are right. Immutable, apart from remembering the last answers. */
export class ContentRule {
  /** What the file holds when all that must be there is there, and nothing else. */
  readonly version: Buffer;
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** Starts and ends, in turn, of the ranges of `version` that must be found. */
  readonly #fixed: readonly number[];
  #accepted: Uint8Array | null = null;
  #refused: Uint8Array | null = null;

  constructor(version: Buffer, lengthMin: number, lengthMax: number, fixed: readonly number[]) {
    this.version = version;
    this.lengthMin = lengthMin;
    this.lengthMax = lengthMax;
    this.#fixed = fixed;
  }

  /** Contents are immutable and shared, so an array that was just judged is known by its identity. */
  accepts(content: Uint8Array): boolean {
    if (content === this.#accepted) return true;
    if (content === this.#refused) return false;
    if (this.#differsAt(content) !== -1) {
      this.#refused = content;
      return false;
    }
    this.#accepted = content;
    return true;
  }

  /** Start of the first range that is not as it must be; the length where only that is wrong; -1 for none. */
  #differsAt(content: Uint8Array): number {
    const { length } = content;
    if (length < this.lengthMin || length > this.lengthMax) return length;
    for (let index = 0; index < this.#fixed.length; index += 2) {
      const from = this.#fixed[index] ?? 0;
      const to = this.#fixed[index + 1] ?? 0;
      assert(to <= length, 'what must be found lies within the least length');
      if (this.version.compare(content, from, to, from, to) !== 0) return from;
    }
    return -1;
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The bytes that the operation may have changed; null where it changes neither bytes nor size. */
function rangeOf(operation: ContentOperation): Range | null {
  if (operation.kind === 'truncate') return { from: operation.size, to: Infinity };
  const { offset, length } = operation;
  if (operation.kind === 'allocate') {
    if (operation.mode === 'keep-size') return null;
    // Extending zeros no byte that was there.
    if (operation.mode === 'extend') return { from: offset + length, to: offset + length };
  }
  return { from: offset, to: offset + length };
}

function lengthAfter(operation: ContentOperation, length: number): number {
  if (operation.kind === 'truncate') return operation.size;
  const end = operation.offset + operation.length;
  if (operation.kind === 'write') return operation.length === 0 ? length : Math.max(length, end);
  const grows = operation.mode === 'extend' || operation.mode === 'zero-range';
  return grows ? Math.max(length, end) : length;
}

/** Changes that overlap another one in time and in place: which of them came last is not known. */
function ambiguousChanges(changes: readonly ContentChange[]): ReadonlySet<ContentChange> {
  const ambiguous = new Set<ContentChange>();
  let running: ContentChange[] = [];
  for (const change of changes) {
    running = running.filter(({ end }) => end > change.operation.start);
    for (const other of running) {
      const [a, b] = [rangeOf(change.operation), rangeOf(other.operation)];
      if (a === null || b === null || a.from >= b.to || b.from >= a.to) continue;
      ambiguous.add(change).add(other);
    }
    running.push(change);
  }
  return ambiguous;
}

function appendedContent(
  base: Uint8Array,
  changes: readonly ContentChange[],
  contents: Trace['contents'],
): { readonly bytes: Buffer; readonly lengths: readonly number[] } | null {
  const lengths = [base.length];
  let length = base.length;
  for (const { operation } of changes) {
    if (operation.kind !== 'write' || operation.offset !== length) return null;
    length += operation.length;
    lengths.push(length);
  }
  const content = new GrowingContent(base);
  for (const { operation } of changes) content.apply(operation, contents);
  return { bytes: asBuffer(content.snapshot()), lengths };
}

/** What is left of [0, length) without the ranges: starts and ends in turn. */
function without(length: number, ranges: readonly Range[]): number[] {
  const fixed: number[] = [];
  let at = 0;
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    if (from > at) fixed.push(at, Math.min(from, length));
    at = Math.max(at, to);
    if (at >= length) return fixed;
  }
  if (at < length) fixed.push(at, length);
  return fixed;
}

function keyOf(required: readonly boolean[]): string {
  const firstOpen = required.indexOf(false);
  if (firstOpen === -1) return 'all';
  if (!required.includes(true, firstOpen)) return String(firstOpen);
  return required.map((flag) => (flag ? '1' : '0')).join('');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
