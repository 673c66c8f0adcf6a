/**
 * Makes a damaged store openable: every whole entry that can be found is given to a new store, in
 * the order of sequence numbers, and the old files are kept aside. With the manifest, only the files
 * that it names are looked at; without it, all are, and what had been deleted may be back.
 */

import { join } from 'node:path';

import { CorruptionError } from '../base/errors.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import { readPointer, replacePointer } from '../durable/pointer-file.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { missingError } from '../engine/engine-errors.ts';
import type { Damage, ProgressOptions, RepairReport } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { readFully } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { FileTable } from './data-file.ts';
import {
  FILE_HEADER_BYTES,
  MARK,
  PUT,
  checkFileHeader,
  get64,
  newerVersion,
  parseFileName,
} from './entry-format.ts';
import { EntrySearch } from './entry-search.ts';
import { KeyLocation, lengthCodeOf } from './key-location.ts';
import { Keydir } from './keydir.ts';
import { MANIFEST_NAME, decodeManifest, encodeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { MergeOutput } from './merge-output.ts';

const LOST_DIRECTORY = 'lost';

/** New files are about so long. */
const FILE_BYTES = 64 << 20;

/** A data file that is looked through, as far as it may hold entries. */
interface Source {
  readonly path: string;
  readonly number: number;
  readonly file: VfsFile;
  readonly to: number;
}

/** See `EngineKind.repair`. */
export async function repairStore(
  directory: string,
  dispatch: SyncDispatch,
  options: ProgressOptions,
): Promise<RepairReport> {
  const { vfs } = dispatch;
  const entries = await vfs.readDirectory(directory).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const names = entries.map(({ name }) => name);
  if (!names.some((name) => name === MANIFEST_NAME || parseFileName(name) !== null)) {
    throw missingError(directory);
  }
  const lock = await DirectoryLock.acquire(directory, { vfs });
  try {
    return await new Repair(directory, dispatch, options).run(names);
  } finally {
    await lock.release();
  }
}

class Repair {
  readonly #directory: string;
  readonly #dispatch: SyncDispatch;
  readonly #options: ProgressOptions;
  readonly #damage: Damage[] = [];
  /**
   * By key: where the newest entry that was found is (its file as the number of the source), and in
   * the place of its expiry its sequence number.
   */
  readonly #found = new Keydir();
  readonly #location = new KeyLocation();
  readonly #before = new KeyLocation();
  readonly #sources: Source[] = [];
  readonly #outputs: MergeOutput[] = [];
  #sequence = 0;
  #clock = 0;

  constructor(directory: string, dispatch: SyncDispatch, options: ProgressOptions) {
    this.#directory = directory;
    this.#dispatch = dispatch;
    this.#options = options;
  }

  async run(names: readonly string[]): Promise<RepairReport> {
    try {
      return await this.#run(names);
    } finally {
      // What was written is durable by now, or of no use.
      for (const { file } of this.#sources) await file.close().catch(() => 'it was only read');
      for (const { data } of this.#outputs) await data.file.close().catch(() => 'it is synced');
    }
  }

  async #run(names: readonly string[]): Promise<RepairReport> {
    const manifest = await this.#manifest();
    const files = names.flatMap((name) => {
      const parsed = parseFileName(name);
      return parsed?.kind === 'data' ? [{ name, number: parsed.number }] : [];
    });
    const named = manifest && new Map(manifest.files.map((file) => [file.number, file]));
    let done = 0;
    for (const { name, number } of files) {
      const entry = named?.get(number);
      if (named !== null && entry === undefined) continue;
      this.#options.signal?.throwIfAborted();
      const sealedLength = entry === undefined || entry.open ? undefined : entry.length;
      await this.#collect(name, number, sealedLength);
      done++;
      this.#options.onProgress?.({ phase: 'reading', done, total: files.length, unit: 'files' });
    }
    for (const number of named?.keys() ?? []) {
      if (files.some((file) => file.number === number)) continue;
      const message = `file ${number}, which the manifest names, is missing`;
      this.#damage.push({ path: this.#directory, offset: undefined, message });
    }
    const highest = Math.max(manifest?.nextFile ?? 1, ...files.map(({ number }) => number + 1));
    await this.#write(highest);
    const saved = this.#outputs.reduce((sum, { data }) => sum + data.entries, 0);
    const keptAside = await this.#keepAside(names);
    await this.#commit(highest + Math.max(1, this.#outputs.length));
    return { savedEntries: saved, damage: this.#damage, keptAside };
  }

  async #manifest(): Promise<Manifest | null> {
    const path = join(this.#directory, MANIFEST_NAME);
    try {
      const payload = await readPointer(this.#dispatch.vfs, path);
      if (payload !== null) {
        const manifest = decodeManifest(payload, path);
        this.#sequence = manifest.sequence;
        this.#clock = manifest.clock;
        return manifest;
      }
      this.#damage.push({ path, offset: undefined, message: 'the manifest is missing' });
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#damage.push({ path: error.path, offset: error.offset, message: error.message });
    }
    const message = 'without the manifest, what had been deleted may be back';
    this.#damage.push({ path, offset: undefined, message });
    return null;
  }

  /** Every whole entry of a file, up to its length where that is known. */
  async #collect(name: string, number: number, length: number | undefined): Promise<void> {
    const path = join(this.#directory, name);
    const file = await this.#dispatch.vfs.open(path, { read: true });
    const { size } = await file.stat();
    const to = Math.min(size, length ?? size);
    const source = this.#sources.push({ path, number, file, to }) - 1;
    const header = new Uint8Array(FILE_HEADER_BYTES);
    const fault = checkFileHeader(header.subarray(0, await readFully(file, header, 0)), number);
    if (fault?.newer === true) throw newerVersion(path, fault);
    const search = new EntrySearch(file, number, FILE_HEADER_BYTES, to);
    for (let more = true; more;) {
      more = await search.next();
      if (search.passedUsed) {
        const { passedFrom: offset, passedTo } = search;
        const message = `${passedTo - offset} bytes are no entries`;
        this.#damage.push({ path, offset, message });
      }
      if (more) this.#take(search, source);
    }
    if (length !== undefined && to < length) {
      const message = `${length} bytes expected, ${to} found`;
      this.#damage.push({ path, offset: to, message });
    }
  }

  #take({ entry, bytes, entryOffset }: EntrySearch, source: number): void {
    const { sequence, kind, keyStart, keyEnd, length } = entry;
    this.#sequence = Math.max(this.#sequence, sequence);
    if (kind === MARK) {
      // What somebody has seen to be over must not come back.
      this.#clock = Math.max(this.#clock, get64(bytes, keyEnd));
      return;
    }
    const known = this.#before;
    const found = this.#found.find(bytes, keyStart, keyEnd, known);
    if (found && known.expiry > sequence) return;
    this.#location.place(source, entryOffset, lengthCodeOf(length), sequence);
    this.#found.set(bytes, keyStart, keyEnd, this.#location, known);
  }

  /** What was found, written again into new files; none when there is nothing. */
  async #write(firstNumber: number): Promise<void> {
    const table = new FileTable();
    for (const [source, { file, number, to }] of this.#sources.entries()) {
      const search = new EntrySearch(file, number, FILE_HEADER_BYTES, to);
      while (await search.next()) {
        if (!this.#isNewest(search, source)) continue;
        const bytes = await search.whole();
        const { kind, sequence, expiry, keyStart, keyEnd, valueEnd } = search.entry;
        const output = await this.#output(table, firstNumber);
        output.add({ kind, flags: 0, sequence, expiry }, bytes, keyStart, keyEnd, valueEnd);
        if (output.isFull) await output.flush();
      }
    }
    for (const output of this.#outputs) await output.finish(this.#dispatch);
    if (this.#outputs.length === 0) return;
    const paths = this.#outputs.map(({ data }) => data.path);
    await this.#dispatch.names(this.#directory, paths);
  }

  /** Whether the entry is a put, and the one of its key that counts. */
  #isNewest({ entry, bytes, entryOffset }: EntrySearch, source: number): boolean {
    if (entry.kind !== PUT) return false;
    const location = this.#location;
    const found = this.#found.find(bytes, entry.keyStart, entry.keyEnd, location);
    return found && location.file === source && location.offset === entryOffset;
  }

  async #output(table: FileTable, firstNumber: number): Promise<MergeOutput> {
    const last = this.#outputs.at(-1);
    if (last !== undefined && last.length < FILE_BYTES) return last;
    await last?.flush();
    const number = firstNumber + this.#outputs.length;
    const next = await MergeOutput.create(this.#dispatch, this.#directory, table, number);
    this.#outputs.push(next);
    return next;
  }

  /** Moves the old files away; the old manifest goes with the commit. */
  async #keepAside(names: readonly string[]): Promise<string[]> {
    const { vfs } = this.#dispatch;
    const lost = join(this.#directory, LOST_DIRECTORY);
    await new DurableDirectory(this.#dispatch).mkdirAll(lost);
    const kept: string[] = [];
    for (const name of names) {
      const kind = parseFileName(name)?.kind;
      // An index file says nothing that the data files do not say.
      if (kind === undefined || kind === 'index') continue;
      const to = join(lost, name);
      await vfs.link(join(this.#directory, name), to).catch((error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error;
      });
      kept.push(to);
    }
    await this.#dispatch.names(lost);
    return kept;
  }

  /** From here on the store is the repaired one; old files are swept when it is opened. */
  async #commit(nextFile: number): Promise<void> {
    const files = this.#outputs.map(({ data: { number, length, fingerprint } }) => {
      return { number, length, open: false, merged: true, fingerprint };
    });
    const manifest = { nextFile, sequence: this.#sequence, clock: this.#clock, files };
    const path = join(this.#directory, MANIFEST_NAME);
    await replacePointer(this.#dispatch.vfs, path, encodeManifest(manifest));
  }
}
