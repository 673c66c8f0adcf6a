/**
 * Which of two writes to a file came first although their calls overlapped in time, where an append tells it. Times
 * alone tell nothing of such calls, but a write with O_APPEND looks for the end of the file and puts its bytes there
 * under one lock: what lies before its place was there, and what lies behind came later.
 *
 * 1. Of two appends the one with the lower place came first.
 * 2. A write that ends behind the place of an append came after it, or the append would have gone further back.
 * 3. A write that ends at the place of an append came before it, if nothing else made the file that long.
 *
 * Nothing is said where a call overlaps with a truncation or allocation of the file, nor of a file whose places and
 * times contradict each other.
 *
 * @see generic_write_checks and ext4_buffered_write_iter of Linux: the end is read with the inode locked
 */

import type { InodeNumber, Operation, Trace, WriteOperation } from './operation.ts';

/** What an append tells of a write. */
export interface SettledWrite {
  /** Its bytes came after this time: no earlier than the start of any write that came before it. */
  readonly start: number;
  /** Operations that overlap with it and came before it. */
  readonly after: readonly number[];
}

export interface AppendOrder {
  /** Indexes of all operations as they can have come one after the other: by their starts, but for settled writes. */
  readonly sequence: readonly number[];
  /** The place of each operation in it. */
  readonly turns: readonly number[];
  /** By operation: those that came after another one with which they overlap. */
  readonly settled: ReadonlyMap<number, SettledWrite>;
}

type Resize = Extract<Operation, { kind: 'truncate' | 'allocate' }>;

/** Calls on the content of one file that did not fail, in order of start. */
interface FileCalls {
  readonly sizeAtStart: number | null;
  readonly writes: Map<number, WriteOperation>;
  readonly resizes: Resize[];
}

export function appendOrder(trace: Trace): AppendOrder {
  const settled = new Map<number, SettledWrite>();
  for (const file of appendedFiles(trace).values()) settleFile(file, settled);
  const sequence = [...trace.operations.keys()];
  if (settled.size > 0) sequence.sort((a, b) => compareTurns(trace, settled, a, b));
  const turns: number[] = [];
  sequence.forEach((index, turn) => (turns[index] = turn));
  return { sequence, turns, settled };
}

function compareTurns(
  { operations }: Trace,
  settled: AppendOrder['settled'],
  a: number,
  b: number,
): number {
  const [one, other] = [operations[a], operations[b]];
  const [startA, startB] = [
    settled.get(a)?.start ?? one?.start,
    settled.get(b)?.start ?? other?.start,
  ];
  const apart = (startA ?? 0) - (startB ?? 0);
  // Equal only where they are writes to one file of which one came after the other, or both after a third.
  if (apart !== 0 || one?.kind !== 'write' || other?.kind !== 'write') return apart;
  return byPlace(one, other) || a - b;
}

function appendedFiles(trace: Trace): Map<InodeNumber, FileCalls> {
  const files = new Map<InodeNumber, FileCalls>();
  for (const operation of trace.operations) {
    if (operation.kind !== 'write' || operation.append !== true) continue;
    const { inode } = operation;
    files.set(inode, { sizeAtStart: null, writes: new Map(), resizes: [] });
  }
  for (const node of trace.initial) {
    const file = files.get(node.inode);
    if (file === undefined || node.node !== 'file') continue;
    const sizeAtStart = trace.contents.get(node.content)?.byteLength ?? 0;
    files.set(node.inode, { ...file, sizeAtStart });
  }
  trace.operations.forEach((operation, index) => {
    if (operation.error !== undefined || !('inode' in operation)) return;
    const { kind, inode } = operation;
    if (kind === 'write') files.get(inode)?.writes.set(index, operation);
    else if (kind === 'truncate' || kind === 'allocate') files.get(inode)?.resizes.push(operation);
  });
  return files;
}

function settleFile(file: FileCalls, settled: Map<number, SettledWrite>): void {
  const makers = lengthMakers(file);
  const after = new Map<number, number[]>();
  let running: (readonly [number, WriteOperation])[] = [];
  for (const [index, write] of file.writes) {
    running = running.filter(([, { end }]) => end === null || end > write.start);
    for (const [other, earlier] of running) {
      const isAfter = cameFirst([other, earlier], [index, write], makers);
      const isBefore = cameFirst([index, write], [other, earlier], makers);
      if (isAfter === isBefore || isResized(file, write) || isResized(file, earlier)) continue;
      if (isAfter) addTo(after, index, other);
      else addTo(after, other, index);
    }
    running.push([index, write]);
  }
  if (after.size > 0) settleStarts(file, after, settled);
}

/** Rules 1 to 3, of two writes that overlap. */
function cameFirst(
  [earlier, { append, offset, length }]: readonly [number, WriteOperation],
  [, later]: readonly [number, WriteOperation],
  makers: ReadonlyMap<number, number | null>,
): boolean {
  if (append === true) {
    if (later.append === true) return offset + length <= later.offset;
    return offset < later.offset + later.length;
  }
  return later.append === true && makers.get(later.offset) === earlier;
}

/** Which write made the file so long; null for more than one call, or the start. */
function lengthMakers({ sizeAtStart, writes, resizes }: FileCalls): Map<number, number | null> {
  const makers = new Map<number, number | null>();
  if (sizeAtStart !== null) makers.set(sizeAtStart, null);
  for (const [index, { offset, length }] of writes) {
    makers.set(offset + length, makers.has(offset + length) ? null : index);
  }
  for (const resize of resizes) {
    makers.set(resize.kind === 'truncate' ? resize.size : resize.offset + resize.length, null);
  }
  return makers;
}

function isResized({ resizes }: FileCalls, { start, end }: WriteOperation): boolean {
  return resizes.some(
    (resize) => resize.start < (end ?? Infinity) && start < (resize.end ?? Infinity),
  );
}

/** A write began after all that it came after. */
function settleStarts(
  { writes }: FileCalls,
  after: ReadonlyMap<number, readonly number[]>,
  settled: Map<number, SettledWrite>,
): void {
  const starts = new Map<number, number>();
  for (const [index, write] of [...writes].toSorted(([, a], [, b]) => byPlace(a, b))) {
    const before = (after.get(index) ?? []).map((earlier) => starts.get(earlier) ?? 0);
    starts.set(index, Math.max(write.start, ...before));
  }
  for (const [index, { end }] of writes) {
    if ((starts.get(index) ?? 0) >= (end ?? Infinity)) return;
  }
  for (const [index, earlier] of after) {
    settled.set(index, { start: starts.get(index) ?? 0, after: earlier });
  }
}

/** No write comes after one with a later place by the rules: an append is at its start, another write at its end. */
function byPlace(a: WriteOperation, b: WriteOperation): number {
  const place = (write: WriteOperation): number =>
    write.append === true ? write.offset : write.offset + write.length;
  return place(a) - place(b) || Number(a.append === true) - Number(b.append === true);
}

function addTo(lists: Map<number, number[]>, at: number, index: number): void {
  const list = lists.get(at);
  if (list === undefined) lists.set(at, [index]);
  else list.push(index);
}
