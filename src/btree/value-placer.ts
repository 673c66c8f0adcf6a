/**
 * Puts a value that is very long into the file ahead of its commit: its overflow pages are written
 * to free pages, and synced before the record that refers to them goes to the log, which so has no
 * image of them. Nothing leads to a page that a crash or a refusal leaves behind.
 *
 * What makes it safe: the log is durable before the first page is written, so that no crash brings
 * back what was in a page that is free now; and only pages are taken that no record behind the last
 * checkpoint speaks of and that were not written since (`Pager.isQuiet`), so that neither redo nor
 * the doublewrite file puts anything over them. Not here: values that go through the log
 * (`overflow`).
 */

import { assert } from '../base/assert.ts';
import type { Poison } from '../durable/poison.ts';
import type { FreeList } from './free-list.ts';
import { overflowBytes } from './overflow.ts';
import {
  PAGE_HEADER_BYTES,
  PAGE_KIND,
  formatPage,
  sealPage,
  setNextPage,
  setPagePosition,
} from './page-format.ts';
import type { Pager } from './pager.ts';
import type { RedoLog } from './redo-log.ts';

/** Pages that are written in one go. */
const RUN_PAGES = 256;

/** What is asked of the log. */
export type PlacerLog = Pick<
  RedoLog,
  'lastSequence' | 'durableSequence' | 'check' | 'sync' | 'syncSync'
>;

/** Where a value is, in bytes that do not change. */
interface ValuePlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A value whose pages are being written. */
interface Placement {
  readonly value: ValuePlace;
  readonly numbers: readonly number[];
  readonly position: number;
  /** Pages that the file has. */
  done: number;
}

/** Pages beside each other, sealed. */
interface Run {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/**
 * Thrown where a value must be in the file before the change that was asked for: the caller places
 * it and begins again. Never leaves this folder.
 */
export class ValueUnplaced extends Error {}

const UNPLACED = new ValueUnplaced('a value is not in the file');

export class ValuePlacer {
  /** Values of at least so many bytes are placed. */
  readonly bytesMin: number;
  /** Whether pages were written that are not known to be durable. */
  unsettled = false;
  readonly #pager: Pager;
  readonly #freeList: FreeList;
  readonly #log: PlacerLog;
  readonly #poison: Poison;
  #wanted: ValuePlace | null = null;
  #placement: Placement | null = null;

  constructor(pager: Pager, freeList: FreeList, log: PlacerLog, poison: Poison, bytesMin: number) {
    this.bytesMin = bytesMin;
    this.#pager = pager;
    this.#freeList = freeList;
    this.#log = log;
    this.#poison = poison;
  }

  /** Returns when the value's pages are in the file. @throws ValueUnplaced */
  require(bytes: Uint8Array, start: number, end: number): void {
    const done = this.#placement;
    if (done !== null && sameValue(done.value, bytes, start, end)) {
      if (done.done === done.numbers.length) return;
    } else {
      assert(done === null, 'one value is placed at a time');
      this.#wanted = { bytes, start, end };
    }
    throw UNPLACED;
  }

  /** The first page of the value that `require` found placed: it is the caller's now. */
  take(): number {
    const placement = this.#placement;
    assert(placement !== null, 'a value is placed before it is taken');
    this.#placement = null;
    return placement.numbers[0]!;
  }

  /** Writes the pages of the value that `require` has missed; a blocking call may do it meanwhile. */
  async place(): Promise<void> {
    const wanted = this.#wanted;
    if (this.#log.lastSequence > this.#log.durableSequence) await this.#log.sync();
    if (this.#wanted !== wanted || this.#placement !== null) return;
    const placement = this.#begin();
    const staging = this.#stagingFor(placement);
    while (placement.done < placement.numbers.length) {
      const run = this.#stage(placement, staging);
      try {
        await this.#pager.file.writeAhead(run.first, run.bytes);
      } catch (error) {
        // No room for a page refuses the one write, whose record has not gone to the log.
        throw this.#poison.failed('write', error);
      }
      if (!this.#isCurrent(placement)) return;
      placement.done += run.count;
    }
  }

  /** As `place`, on the calling thread; goes on where `place` was interrupted. */
  placeSync(): void {
    if (this.#placement === null && this.#log.lastSequence > this.#log.durableSequence) {
      this.#log.syncSync();
    }
    // What is under way on the thread pool is written once more: the same bytes, at the same places.
    const begun = this.#placement ?? this.#begin();
    const placement = { ...begun };
    this.#placement = placement;
    const staging = this.#stagingFor(placement);
    while (placement.done < placement.numbers.length) {
      const run = this.#stage(placement, staging);
      try {
        this.#pager.file.writeSync(run.first, run.bytes);
      } catch (error) {
        throw this.#poison.failed('write', error);
      }
      placement.done += run.count;
    }
  }

  /** On return all that was placed is durable. REQUIRES: called before the record goes to the log. */
  async settle(): Promise<void> {
    try {
      await this.#pager.file.settle();
    } catch (error) {
      throw this.#poison.failed('sync', error);
    }
    this.unsettled = false;
  }

  /** As `settle`, on the calling thread. */
  settleSync(): void {
    if (!this.unsettled) return;
    try {
      this.#pager.file.settleSync();
    } catch (error) {
      throw this.#poison.failed('sync', error);
    }
    this.unsettled = false;
  }

  /** After changes were taken back: the pages are free again. */
  forget(): void {
    this.#wanted = null;
    this.#placement = null;
    this.unsettled = false;
  }

  #begin(): Placement {
    const value = this.#wanted;
    assert(value !== null, 'a value was asked for');
    this.#log.check();
    const count = Math.ceil((value.end - value.start) / overflowBytes(this.#pager.pageBytes));
    const numbers = this.#freeList.allocateQuiet(count);
    this.unsettled = true;
    this.#wanted = null;
    // Redo makes what the record to come changes of these pages, and nothing before it.
    const position = this.#log.lastSequence;
    const placement = { value, numbers, position, done: 0 };
    this.#placement = placement;
    return placement;
  }

  #isCurrent(placement: Placement): boolean {
    return this.#placement === placement;
  }

  #stagingFor({ numbers }: Placement): Uint8Array {
    return new Uint8Array(Math.min(numbers.length, RUN_PAGES) * this.#pager.pageBytes);
  }

  /** The next pages that follow each other in the file. */
  #stage({ value, numbers, position, done }: Placement, staging: Uint8Array): Run {
    const { pageBytes } = this.#pager;
    const step = overflowBytes(pageBytes);
    const first = numbers[done]!;
    let count = 0;
    for (; count * pageBytes < staging.length; count++) {
      const index = done + count;
      const number = numbers[index];
      if (number !== first + count) break;
      const page = staging.subarray(count * pageBytes, (count + 1) * pageBytes);
      formatPage(page, number, PAGE_KIND.overflow, 0);
      const from = value.start + index * step;
      page.set(value.bytes.subarray(from, Math.min(from + step, value.end)), PAGE_HEADER_BYTES);
      setNextPage(page, numbers[index + 1] ?? 0);
      setPagePosition(page, position);
      sealPage(page);
    }
    return { first, count, bytes: staging.subarray(0, count * pageBytes) };
  }
}

function sameValue(value: ValuePlace, bytes: Uint8Array, start: number, end: number): boolean {
  return value.bytes === bytes && value.start === start && value.end === end;
}
