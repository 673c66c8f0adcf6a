/**
 * Reads every file that the manifest names, whole, and compares checksums, sequence numbers,
 * fingerprints and hints. Reports damage instead of throwing it. The logs of a store that nobody has
 * open are read to their end, and judged as recovery would (`scan-log`).
 */

import { join } from 'node:path';

import { compareRanges } from '../base/bytes.ts';
import { extendCrc32c } from '../base/crc32c.ts';
import { CorruptionError } from '../base/errors.ts';
import type { Damage, ProgressOptions, VerifyReport } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { readFully } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import {
  DELETE,
  FILE_HEADER_BYTES,
  MARK,
  checkFileHeader,
  dataFileName,
  hintFileName,
  newerVersion,
} from './entry-format.ts';
import { EntryScanner } from './entry-scanner.ts';
import type { HintReader } from './hint-file.ts';
import { readHint } from './hint-writing.ts';
import { KeyLocation, lengthCodeOf } from './key-location.ts';
import { Keydir } from './keydir.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import { lookBehind } from './scan-log.ts';
import { IndexesToVerify } from './verify-index.ts';

/** What is verified: a directory, and how it is read. */
export interface VerifySurroundings {
  readonly directory: string;
  readonly settings: { readonly dispatch: SyncDispatch };
  /** Nobody has the store open: what its logs hold beyond the manifest's word is read as well. */
  readonly still?: boolean;
}

/** Reads all of the files of `manifest`. */
export async function verifyStore(
  around: VerifySurroundings,
  manifest: Manifest,
  options: ProgressOptions,
): Promise<VerifyReport> {
  const verifier = new Verifier(around, manifest, options);
  const { vfs } = around.settings.dispatch;
  const indexes = await IndexesToVerify.find(vfs, around.directory, manifest);
  for (const entry of manifest.files) {
    await verifier.file(entry);
    await verifier.indexes(indexes);
  }
  return verifier.report();
}

/** Where a log seems to end in a torn write. */
interface TornEnd {
  readonly entry: ManifestFile;
  readonly path: string;
  readonly offset: number;
  /** Where its whole batches end. */
  readonly wholeTo: number;
}

/** What an entry does to a key; `lengthCode` 0: deletes it. */
interface KeyChange {
  readonly key: Uint8Array;
  readonly offset: number;
  readonly lengthCode: number;
  readonly expiry: number;
}

class Verifier {
  readonly #vfs: Vfs;
  readonly #directory: string;
  readonly #manifest: Manifest;
  readonly #options: ProgressOptions;
  readonly #still: boolean;
  readonly #damage: Damage[] = [];
  /** The keys whose newest entry seen is a put, and where that is. */
  readonly #keys = new Keydir();
  readonly #at = new KeyLocation();
  readonly #before = new KeyLocation();
  /** What the batch that is being read does to keys; kept apart where it may be torn. */
  #batch: KeyChange[] = [];
  /** Puts and deletes of each file. */
  readonly #entryCounts: number[] = [];
  /** Where a log before the one that is read ends in a torn write. */
  #torn: TornEnd | null = null;
  /** Where the last whole batch of the file ends, and its last sequence number; 0 for none. */
  #wholeTo = FILE_HEADER_BYTES;
  #wholeLast = 0;
  /** The hint of the file, read on with its entries; null where none counts, or it has said wrong. */
  #hint: HintReader | null = null;
  /** Whether entries came while their file was read, and were not counted. */
  #hasPassedOver = false;
  #bytes = 0;

  constructor(around: VerifySurroundings, manifest: Manifest, options: ProgressOptions) {
    this.#vfs = around.settings.dispatch.vfs;
    this.#directory = around.directory;
    this.#manifest = manifest;
    this.#options = options;
    this.#still = around.still === true;
  }

  async file(entry: ManifestFile): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const path = join(this.#directory, dataFileName(entry.number));
    this.#entryCounts.push(0);
    try {
      const file = await this.#vfs.open(path, { read: true });
      try {
        this.#hint = entry.open ? null : await readHint(this.#vfs, this.#directory, entry);
        if (await this.#entries(file, path, entry)) this.#requireEndOfHint(entry);
      } finally {
        await file.close();
      }
    } catch (error) {
      // What keeps a file from being read is damage too; a newer version and a mistake of ours are not.
      if (errorCode(error) === 'HOLDFAST_FORMAT') throw error;
      if (errorCode(error) === undefined) throw error;
      if (error instanceof CorruptionError) this.#found(error.path, error.offset, error.message);
      else if (errorCode(error) === 'ENOENT') {
        this.#found(path, undefined, 'the file, which the manifest names, is missing');
      } else this.#found(path, undefined, (error as Error).message);
    }
  }

  /** Compares those that describe just the files so far, where these could be read. */
  async indexes(indexes: IndexesToVerify): Promise<void> {
    if (this.#damage.length > 0) return;
    const soFar = { keydir: this.#keys, entries: this.#entryCounts };
    for (const [path, message] of await indexes.wrong(soFar)) this.#found(path, undefined, message);
  }

  report(): VerifyReport {
    const sound = this.#damage.length === 0;
    return {
      sound,
      files: this.#entryCounts.length,
      bytes: this.#bytes,
      entries: sound && !this.#hasPassedOver ? this.#keys.count : undefined,
      damage: this.#damage,
    };
  }

  /** Gives whether all of them could be read. */
  async #entries(file: VfsFile, path: string, entry: ManifestFile): Promise<boolean> {
    const { size } = await file.stat();
    if (size < entry.length) {
      this.#found(path, size, `${entry.length} bytes expected, ${size} found`);
    }
    const header = new Uint8Array(FILE_HEADER_BYTES);
    const count = await readFully(file, header, 0);
    const fault = checkFileHeader(header.subarray(0, count), entry.number);
    if (fault?.newer === true) throw newerVersion(path, fault);
    if (fault !== null) {
      this.#found(path, fault.offset, `${fault.expected} expected, ${fault.found} found`);
      return false;
    }
    const beyond = entry.open && this.#still;
    const to = beyond ? size : Math.min(size, entry.length);
    const scanner = new EntryScanner(file, entry.number, FILE_HEADER_BYTES, to);
    this.#wholeTo = FILE_HEADER_BYTES;
    this.#wholeLast = 0;
    const fingerprint = await this.#scan(scanner, path, entry);
    const readTo = beyond ? await this.#endOfLog(file, path, entry, scanner.offset, size) : to;
    this.#bytes += readTo;
    if (scanner.offset === entry.length && !entry.open && fingerprint !== entry.fingerprint) {
      this.#found(path, undefined, 'the manifest has another fingerprint for its entries');
    }
    return scanner.offset === entry.length;
  }

  /** Takes the entries up to the scanner's end, or to the first that is none. Gives their fingerprint. */
  async #scan(scanner: EntryScanner, path: string, entry: ManifestFile): Promise<number> {
    const beyond = entry.open && this.#still;
    let fingerprint = 0;
    let last = this.#wholeLast;
    for (let step = scanner.step(); step !== 'end'; step = scanner.step()) {
      if (step === 'refill') {
        this.#options.signal?.throwIfAborted();
        await scanner.refill();
        this.#progress(scanner.offset);
      } else if (step === 'damaged') {
        if (beyond && scanner.offset >= entry.length) break;
        this.#found(path, scanner.offset, 'an entry with its checksum expected, other bytes found');
        break;
      } else {
        const { entryStart, bytes } = scanner;
        fingerprint = extendCrc32c(fingerprint, bytes, entryStart, entryStart + 4);
        last = this.#take(scanner, path, entry.merged, last);
        if (scanner.entry.kind !== MARK) this.#compareHint(scanner, entry);
      }
    }
    return fingerprint;
  }

  #take(scanner: EntryScanner, path: string, merged: boolean, last: number): number {
    const { entry, bytes, entryOffset } = scanner;
    const expected = entry.kind === MARK ? last : last + 1;
    if (!merged && last !== 0 && entry.sequence !== expected) {
      const message = `sequence number ${expected} expected, ${entry.sequence} found`;
      this.#found(path, entryOffset, message);
    }
    if (entry.kind !== MARK) {
      const { keyStart, keyEnd, expiry } = entry;
      const lengthCode = entry.kind === DELETE ? 0 : lengthCodeOf(entry.length);
      this.#entryCounts[this.#entryCounts.length - 1]!++;
      if (entry.more || this.#batch.length > 0) {
        const key = bytes.slice(keyStart, keyEnd);
        this.#batch.push({ key, offset: entryOffset, lengthCode, expiry });
      } else this.#takeKey(bytes, keyStart, keyEnd, entryOffset, lengthCode, expiry);
    }
    if (!entry.more) this.#endBatch(entryOffset + entry.length, entry.sequence);
    return entry.sequence;
  }

  #endBatch(offset: number, sequence: number): void {
    for (const { key, offset: at, lengthCode, expiry } of this.#batch) {
      this.#takeKey(key, 0, key.length, at, lengthCode, expiry);
    }
    this.#batch = [];
    this.#wholeTo = offset;
    this.#wholeLast = sequence;
  }

  /** `lengthCode` 0 stands for a delete. */
  #takeKey(
    keys: Uint8Array,
    start: number,
    end: number,
    offset: number,
    lengthCode: number,
    expiry: number,
  ): void {
    this.#at.place(this.#entryCounts.length - 1, offset, lengthCode, expiry);
    if (lengthCode > 0) this.#keys.set(keys, start, end, this.#at, this.#before);
    else this.#keys.delete(keys, start, end, this.#before);
  }

  /**
   * As recovery has it: what a later entry calls durable must be whole, the rest may be torn. Where
   * a process writes on, a later entry may have been read at a later moment. What it calls durable
   * was there before it, so that reading once more finds it, or it is damaged. Gives where the
   * entries end.
   */
  async #endOfLog(
    file: VfsFile,
    path: string,
    entry: ManifestFile,
    from: number,
    size: number,
  ): Promise<number> {
    let offset = from;
    for (;;) {
      this.#batch = [];
      const wholeTo = this.#wholeTo;
      const rest = await lookBehind({ file, number: entry.number }, offset, size);
      if (offset >= entry.length && rest.durable > wholeTo) {
        const again = new EntryScanner(file, entry.number, wholeTo, size);
        await this.#scan(again, path, entry);
        offset = again.offset;
        if (this.#wholeTo > wholeTo) continue;
        const message = 'a whole entry expected, because a later one says it was durable';
        this.#found(path, offset, message);
        this.#batch = [];
      }
      if (wholeTo > FILE_HEADER_BYTES || rest.hasEntries) await this.#requireUntorn(path);
      const isTorn = rest.torn > 0 || offset > wholeTo;
      this.#torn = isTorn ? { entry, path, offset, wholeTo } : null;
      return offset;
    }
  }

  /** A log takes its first entry only when all before it are durable; `path` has one. */
  async #requireUntorn(path: string): Promise<void> {
    const torn = this.#torn;
    if (torn === null) return;
    const { entry, wholeTo } = torn;
    const file = await this.#vfs.open(torn.path, { read: true });
    try {
      // It may have been read before it was full.
      const { size } = await file.stat();
      const scanner = new EntryScanner(file, entry.number, wholeTo, size);
      let end = wholeTo;
      for (
        let step = scanner.step();
        step === 'entry' || step === 'refill';
        step = scanner.step()
      ) {
        if (step === 'refill') await scanner.refill();
        else if (!scanner.entry.more) end = scanner.offset;
      }
      const rest = await lookBehind({ file, number: entry.number }, scanner.offset, size);
      this.#hasPassedOver ||= end > wholeTo;
      if (rest.torn === 0 && scanner.offset === end) return;
    } finally {
      await file.close();
    }
    this.#found(torn.path, torn.offset, `a whole entry expected, because ${path} has later ones`);
  }

  /** A hint that counts has a record for each entry. One that does not count is no damage. */
  #compareHint({ entry, bytes, entryOffset }: EntryScanner, file: ManifestFile): void {
    const hint = this.#hint;
    if (hint === null) return;
    const isDelete = entry.kind === DELETE;
    const { keyStart, keyEnd } = entry;
    const same =
      hint.next() &&
      hint.offset === entryOffset &&
      hint.isDelete === isDelete &&
      hint.lengthCode === (isDelete ? 0 : lengthCodeOf(entry.length)) &&
      hint.expiry === entry.expiry &&
      compareRanges(hint.bytes, hint.keyStart, hint.keyEnd, bytes, keyStart, keyEnd) === 0;
    if (!same) this.#wrongHint(file, `another record expected for the entry at ${entryOffset}`);
  }

  #requireEndOfHint(file: ManifestFile): void {
    if (this.#hint?.next() === true) this.#wrongHint(file, 'more records than entries');
  }

  #wrongHint({ number }: ManifestFile, message: string): void {
    this.#hint = null;
    this.#found(join(this.#directory, hintFileName(number)), undefined, message);
  }

  #found(path: string, offset: number | undefined, message: string): void {
    this.#damage.push({ path, offset, message });
  }

  #progress(within: number): void {
    const total = this.#manifest.files.reduce((sum, { length }) => sum + length, 0);
    const done = Math.min(total, this.#bytes + within);
    this.#options.onProgress?.({ phase: 'reading files', done, total, unit: 'bytes' });
  }
}
