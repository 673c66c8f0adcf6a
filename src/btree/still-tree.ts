/**
 * The pages of a store that nobody here has open, as recovery would make them: what the file has,
 * and over it, in memory, what the log says. Takes no lock and changes nothing. What is damaged is
 * noted, and the rest can be read all the same. Not here: what the pages mean (`verify-still`,
 * `salvage`).
 */

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
import { formatPage, setPagePosition } from './page-format.ts';
import { checkpointGone } from './redo.ts';
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
    const page = new Uint8Array(this.file.pageBytes);
    await this.file.read(number, page);
    return page;
  }

  async #redo(entry: WalEntry): Promise<void> {
    if (entry.kind === 'checkpoint') return;
    if (entry.kind !== 'bytes') {
      const message = `record ${entry.sequence} is none of a tree, but of kind ${entry.kind}`;
      this.damage.push({ path: this.#logPath, offset: undefined, message });
      return;
    }
    const change = (number: number, put: (page: Uint8Array) => void): void => {
      const page = this.#overlay.get(number);
      if (page === undefined) {
        const message = `record ${entry.sequence} changes page ${number}, of which it has no image`;
        this.damage.push({ path: this.#logPath, offset: undefined, message });
        return;
      }
      put(page);
      setPagePosition(page, entry.sequence);
    };
    try {
      visitRedo(entry.bytes, {
        image: (number, put) => {
          if (!this.#overlay.has(number)) {
            const page = new Uint8Array(this.file.pageBytes);
            formatPage(page, number, 0, 0);
            this.#overlay.set(number, page);
          }
          change(number, put);
        },
        change,
      });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const message = `record ${entry.sequence}: expected ${error.expected}, found ${error.found}`;
      this.damage.push({ path: this.#logPath, offset: undefined, message });
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
