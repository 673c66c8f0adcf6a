/**
 * Reads a log that may end in a torn write, and decides where it ends. Every entry says how much of
 * the file was known to be durable when it was made; damage below what any whole entry says is
 * corruption, other damage is a torn write, and everything from it on is cut.
 *
 * Entries that are whole but that no later one calls durable are *doubtful*: the page cache may
 * hold what the disk never got. They count, but their user must write them again.
 */

import { CorruptionError } from '../base/errors.ts';
import type { DataFile } from './data-file.ts';
import { FILE_HEADER_BYTES, MARK } from './entry-format.ts';
import type { EntryView } from './entry-format.ts';
import { EntryScanner } from './entry-scanner.ts';
import { EntrySearch } from './entry-search.ts';
import type { HintMark } from './hint-file.ts';
import { noteEntry } from './key-index.ts';
import type { KeyIndex } from './key-index.ts';

/** The state of a log behind some whole batch. */
export interface LogPoint {
  readonly offset: number;
  readonly sequence: number;
  readonly fingerprint: number;
  readonly entries: number;
  /** The records of the entries before it. */
  readonly hint: HintMark | undefined;
}

export interface ScannedLog {
  /** Behind the last whole batch. */
  readonly end: LogPoint;
  /** Behind the last one that is durable. */
  readonly durable: LogPoint;
  readonly batches: number;
  readonly clock: number;
  /** Bytes past the end that are not zeros: the pieces of a torn write. */
  readonly tornBytes: number;
  /** Whether any whole entry is in the file, also past the end. */
  readonly hasEntries: boolean;
}

/**
 * Reads a log of `size` bytes, of which the first `floor` are known to be durable, and gives its
 * entries to the index. `sequence` is that of the last entry before the floor.
 * @throws HOLDFAST_CORRUPTION
 */
export async function scanLog(
  data: DataFile,
  index: KeyIndex,
  floor: number,
  size: number,
  sequence: number,
): Promise<ScannedLog> {
  const state = new LogScan(data, floor, sequence);
  const scanner = new EntryScanner(data.file, data.number, FILE_HEADER_BYTES, size);
  let step = scanner.step();
  for (; step === 'entry' || step === 'refill'; step = scanner.step()) {
    if (step === 'refill') await scanner.refill();
    else state.take(scanner);
  }
  state.dropParts();
  const { end } = state;
  const rest = await lookBehind(data, scanner.offset, size);
  const firstWrong = scanner.offset;
  if (end.offset < floor || rest.durable > end.offset) {
    throw new CorruptionError({
      path: data.path,
      offset: firstWrong,
      expected: 'a whole entry, because what follows says that it was durable',
      found: step === 'end' ? 'the end of the file' : 'other bytes',
    });
  }
  index.applyNoted(data);
  return {
    end,
    durable: state.durable,
    batches: state.batches,
    clock: state.clock,
    tornBytes: rest.torn + scanner.offset - end.offset,
    hasEntries: end.offset > FILE_HEADER_BYTES || rest.hasEntries || state.inBatch,
  };
}

/** What has been read so far. */
class LogScan {
  readonly #data: DataFile;
  readonly #floor: number;
  /** Whole batches past what is durable, oldest first. */
  #doubtful: LogPoint[] = [];
  /** So many at its beginning are durable by now. */
  #passed = 0;
  /** How far the file is known to be durable. */
  #known: number;
  #sequence: number | null;
  readonly #floorSequence: number;
  durable: LogPoint;
  end: LogPoint;
  batches = 0;
  clock = 0;

  constructor(data: DataFile, floor: number, sequence: number) {
    this.#data = data;
    this.#floor = floor;
    this.#floorSequence = sequence;
    this.#known = floor;
    this.#sequence = floor > FILE_HEADER_BYTES ? null : sequence;
    const hint = data.hint?.mark;
    this.end = { offset: FILE_HEADER_BYTES, sequence, fingerprint: 0, entries: 0, hint };
    this.durable = this.end;
  }

  /** Whether the last entry taken was not the last of its batch. */
  inBatch = false;

  take(scanner: EntryScanner): void {
    const { entry, entryOffset, entryStart } = scanner;
    this.#checkSequence(entry, entryOffset);
    this.#known = Math.max(this.#known, entryOffset - entry.undurable);
    const clock = noteEntry(this.#data, scanner.bytes, entryStart, entryOffset, entry);
    this.clock = Math.max(this.clock, clock);
    this.inBatch = entry.more;
    if (entry.more) this.#passDurable();
    else this.#endBatch(scanner.offset, entry);
  }

  /** A batch that is not whole at the end of the log does not count. */
  dropParts(): void {
    if (!this.inBatch) return;
    const data = this.#data;
    data.length = this.end.offset;
    data.fingerprint = this.end.fingerprint;
    data.entries = this.end.entries;
    if (this.end.hint !== undefined) data.hint?.truncate(this.end.hint);
  }

  #endBatch(offset: number, entry: EntryView): void {
    const { fingerprint, entries, hint } = this.#data;
    const { mark } = hint ?? {};
    this.end = { offset, sequence: entry.sequence, fingerprint, entries, hint: mark };
    if (offset > this.#floor && entry.kind !== MARK) this.batches++;
    this.#doubtful.push(this.end);
    this.#passDurable();
  }

  #passDurable(): void {
    const doubtful = this.#doubtful;
    let next = doubtful[this.#passed];
    while (next !== undefined && next.offset <= this.#known) {
      this.durable = next;
      next = doubtful[++this.#passed];
    }
    if (this.#passed < doubtful.length / 2) return;
    this.#doubtful = doubtful.slice(this.#passed);
    this.#passed = 0;
  }

  /** Past the floor, an entry counts only if its number is exactly the next one. */
  #checkSequence(entry: EntryView, offset: number): void {
    const step = entry.kind === MARK ? 0 : 1;
    if (this.#sequence === null && offset >= this.#floor) this.#sequence = this.#floorSequence;
    if (this.#sequence === null) return;
    const expected = this.#sequence + step;
    if (entry.sequence !== expected) {
      throw new CorruptionError({
        path: this.#data.path,
        offset,
        expected: `sequence number ${expected}`,
        found: `${entry.sequence}`,
      });
    }
    this.#sequence = entry.sequence;
  }
}

/**
 * Looks for whole entries behind damage at `from`: how far the furthest of them says that the file
 * was durable, and how many bytes there are until only zeros follow.
 */
export async function lookBehind(
  data: Pick<DataFile, 'file' | 'number'>,
  from: number,
  size: number,
): Promise<{ durable: number; torn: number; hasEntries: boolean }> {
  const search = new EntrySearch(data.file, data.number, from, size);
  let durable = 0;
  let hasEntries = false;
  while (await search.next()) {
    hasEntries = true;
    durable = Math.max(durable, search.entryOffset - search.entry.undurable);
  }
  return { durable, torn: search.usedTo - from, hasEntries };
}
