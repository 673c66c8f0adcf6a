/**
 * The pages of a store that nobody here has open, as recovery would make them: what the file has,
 * or the doublewrite file, and over it, in memory, what the log says. Takes no lock and changes nothing. What is damaged is
 * noted, and the rest can be read all the same. Not here: what the pages mean (`verify-still`,
 * `salvage`).
 */

import { dirname } from 'node:path';

import { DecodeError } from '../base/byte-reader.ts';
import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { runLater } from '../durable/two-forms.ts';
import type { Damage } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { inspectWal } from '../wal/wal-inspection.ts';
import type { WalInspection } from '../wal/wal-inspection.ts';
import { WalReading } from '../wal/wal-reading.ts';
import type { WalEntry } from '../wal/wal-entry.ts';
import { readDoubles } from './double-write.ts';
import { formatPage, pageFault, pagePosition, setPagePosition } from './page-format.ts';
import { checkpointGone, staleError } from './redo.ts';
import { visitRedo } from './redo-record.ts';

/** The pages as their file has them. */
export interface StillPages {
  readonly path: string;
  readonly pageBytes: number;
  /** @throws (rejects) HOLDFAST_CORRUPTION */
  read(number: number, page: Uint8Array): Promise<void>;
}

export class StillTree {
  readonly file: StillPages;
  /** What is wrong with the log. */
  readonly damage: Damage[] = [];
  /** The number of the last record of the log; null where that cannot be told. */
  lastSequence: number | null = null;
  /** Bytes of the log. */
  logBytes = 0;
  logFiles = 0;
  readonly #overlay = new Map<number, Uint8Array>();
  /** Pages that the log changes, from states that are nowhere. */
  readonly #lost = new Map<number, CorruptionError>();
  #doubles: ReadonlyMap<number, Uint8Array> = new Map();
  readonly #vfs: Vfs;
  readonly #logPath: string;

  constructor(file: StillPages, vfs: Vfs, logPath: string) {
    this.file = file;
    this.#vfs = vfs;
    this.#logPath = logPath;
  }

  /** Pages that the log has; they are looked at in memory. */
  get overlay(): ReadonlyMap<number, Uint8Array> {
    return this.#overlay;
  }

  /**
   * Reads the log, as far as it is good. REQUIRES: called once, before anything else.
   * @throws (rejects) HOLDFAST_FORMAT: a newer version's log is not damaged, and not ours to judge
   */
  async readLog(): Promise<void> {
    let inspection: WalInspection;
    try {
      inspection = await runLater(inspectWal(this.#vfs, this.#logPath));
    } catch (error) {
      if (errorCode(error) === 'HOLDFAST_FORMAT') throw error;
      this.#note(error, this.#logPath);
      return;
    }
    const { damage, segments, checkpoint, pointer, names, lastSequence } = inspection;
    if (damage === null && pointer !== null) this.lastSequence = lastSequence;
    if (damage !== null) this.#note(damage, damage.path);
    else if (pointer === null) {
      this.damage.push({ path: this.#logPath, offset: undefined, message: 'the log is missing' });
    }
    this.logFiles = names.segments.length;
    const sealed = segments.map((segment) => ({ ...segment, lastSequence: segment.limit }));
    for (const { size } of segments) this.logBytes += size;
    const first = segments[0]?.firstSequence ?? 1;
    const upTo = checkpoint?.upTo ?? 0;
    if (damage === null && upTo < first - 1) {
      this.damage.push(damageOf(checkpointGone(this.#logPath, first), this.#logPath));
    }
    const { file } = this;
    const last = this.lastSequence ?? Infinity;
    const bounds = { pageBytes: file.pageBytes, upTo, lastSequence: last };
    this.#doubles = (await readDoubles(this.#vfs, dirname(file.path), bounds)).pages;
    const reading = new WalReading(this.#vfs, sealed, upTo, () => first);
    try {
      for (;;) {
        const entries = await runLater(reading.next());
        if (entries === null) break;
        for (const entry of entries) await this.#redo(entry);
      }
    } catch (error) {
      this.#note(error, this.#logPath);
    } finally {
      await runLater(reading.close());
    }
  }

  /**
   * A page, in memory that the caller must not change.
   * @throws (rejects) HOLDFAST_CORRUPTION
   */
  async page(number: number): Promise<Uint8Array> {
    const known = this.#overlay.get(number);
    if (known !== undefined) return known;
    const lost = this.#lost.get(number);
    if (lost !== undefined) throw lost;
    return this.#found(number);
  }

  /** A page as it is before redo. */
  async #found(number: number): Promise<Uint8Array> {
    const double = this.#doubles.get(number);
    const page = new Uint8Array(this.file.pageBytes);
    try {
      await this.file.read(number, page);
      if (double === undefined || pagePosition(page) > pagePosition(double)) return page;
    } catch (error) {
      if (double === undefined || !(error instanceof CorruptionError)) throw error;
      // It is newer than the log.
      if (pageFault(page, number) === null) throw error;
    }
    return new Uint8Array(double);
  }

  async #redo(entry: WalEntry): Promise<void> {
    if (entry.kind === 'checkpoint') return;
    const { sequence } = entry;
    if (entry.kind !== 'bytes') {
      const message = `record ${sequence} is none of a tree, but of kind ${entry.kind}`;
      this.damage.push({ path: this.#logPath, offset: undefined, message });
      return;
    }
    const open = new Set<number>();
    try {
      await this.#bring(entry.bytes);
      visitRedo(entry.bytes, {
        image: (number, change) => {
          const page = this.#overlay.get(number) ?? new Uint8Array(this.file.pageBytes);
          if (!this.#overlay.has(number)) formatPage(page, number, 0, 0);
          this.#overlay.set(number, page);
          this.#lost.delete(number);
          open.add(number);
          change.put(page);
        },
        base: (number, base) => {
          const page = this.#overlay.get(number);
          if (page === undefined || open.has(number)) return;
          const position = pagePosition(page);
          if (position >= sequence) return;
          if (base === null || base === position) {
            open.add(number);
            return;
          }
          this.#lost.set(number, staleError(this.file, number, base, position));
          this.#overlay.delete(number);
        },
        change: (number, change) => {
          const page = this.#overlay.get(number);
          if (page !== undefined && open.has(number)) change.put(page);
        },
      });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const message = `record ${sequence}: expected ${error.expected}, found ${error.found}`;
      this.damage.push({ path: this.#logPath, offset: undefined, message });
    }
    for (const number of open) {
      const page = this.#overlay.get(number);
      if (page !== undefined) setPagePosition(page, sequence);
    }
  }

  /** Brings the pages that a record changes. @throws DecodeError */
  async #bring(record: Uint8Array): Promise<void> {
    const imaged = new Set<number>();
    const needed = new Set<number>();
    visitRedo(record, {
      image: (number) => imaged.add(number),
      base: (number) => {
        const isKnown = imaged.has(number) || this.#overlay.has(number) || this.#lost.has(number);
        if (!isKnown) needed.add(number);
      },
      change: () => {},
    });
    for (const number of needed) {
      try {
        this.#overlay.set(number, await this.#found(number));
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        this.#lost.set(number, error);
      }
    }
  }

  #note(error: unknown, path: string): void {
    this.damage.push(damageOf(error, path));
  }
}

/** An error as a line of a report. @throws what is no answer about the store's bytes */
export function damageOf(error: unknown, path: string): Damage {
  if (error instanceof CorruptionError) {
    return { path: error.path, offset: error.offset, message: error.message };
  }
  if (error instanceof HoldfastError) return { path, offset: undefined, message: error.message };
  const code = errorCode(error);
  if (code === 'ENOENT') return { path, offset: undefined, message: 'it is missing' };
  if (code === 'ENOTDIR') return { path, offset: undefined, message: 'it is no directory' };
  throw error;
}
