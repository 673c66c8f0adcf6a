/**
 * Makes a damaged store openable: every whole entry that can be found is given to a new store, in
 * the order of sequence numbers, and the old files are kept aside. With the manifest, only the files
 * that it names are looked at; without it, all are, and what had been deleted may be back.
 */

import { join } from 'node:path';

import { DurableDirectory } from '../durable/durable-directory.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import { readPointer, replacePointer } from '../durable/pointer-file.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { missingError } from '../engine/engine-errors.ts';
import type { Damage, ProgressOptions, RepairReport } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile } from '../vfs/transfer.ts';
import { FileTable } from './data-file.ts';
import {
  EntryView,
  FILE_HEADER_BYTES,
  MARK,
  PUT,
  checkFileHeader,
  newerVersion,
  parseFileName,
} from './entry-format.ts';
import { MANIFEST_NAME, decodeManifest, encodeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { MergeOutput } from './merge-output.ts';

const LOST_DIRECTORY = 'lost';

/** The newest entry of a key that was found. */
interface Found {
  readonly sequence: number;
  readonly kind: number;
  readonly expiry: number;
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueEnd: number;
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
  readonly #found = new Map<string, Found>();
  #sequence = 0;
  #clock = 0;

  constructor(directory: string, dispatch: SyncDispatch, options: ProgressOptions) {
    this.#directory = directory;
    this.#dispatch = dispatch;
    this.#options = options;
  }

  async run(names: readonly string[]): Promise<RepairReport> {
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
    const output = await this.#write(highest);
    const saved = output?.data.entries ?? 0;
    const keptAside = await this.#keepAside(names);
    await this.#commit(output, highest + 1);
    await output?.data.file.close();
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
      const code = errorCode(error);
      if (code !== 'HOLDFAST_CORRUPTION') throw error;
      this.#damage.push({ path, offset: undefined, message: (error as Error).message });
    }
    const message = 'without the manifest, what had been deleted may be back';
    this.#damage.push({ path, offset: undefined, message });
    return null;
  }

  /** Every whole entry of a file, up to its length where that is known. */
  async #collect(name: string, number: number, length: number | undefined): Promise<void> {
    const path = join(this.#directory, name);
    const whole = await readWholeFile(this.#dispatch.vfs, path);
    const fault = checkFileHeader(whole.subarray(0, FILE_HEADER_BYTES), number);
    if (fault?.newer === true) throw newerVersion(path, fault);
    const bytes = length === undefined ? whole : whole.subarray(0, length);
    const view = new EntryView();
    let damagedFrom = -1;
    for (let at = FILE_HEADER_BYTES; at < bytes.length;) {
      if (!view.load(bytes, at, bytes.length - at, number, at)) {
        if (damagedFrom < 0) damagedFrom = at;
        at++;
        continue;
      }
      this.#damaged(path, bytes, damagedFrom, at);
      damagedFrom = -1;
      this.#take(bytes, view);
      at += view.length;
    }
    this.#damaged(path, bytes, damagedFrom, bytes.length);
    if (length !== undefined && bytes.length < length) {
      const message = `${length} bytes expected, ${bytes.length} found`;
      this.#damage.push({ path, offset: bytes.length, message });
    }
  }

  #damaged(path: string, bytes: Uint8Array, from: number, to: number): void {
    if (from < 0 || bytes.subarray(from, to).every((byte) => byte === 0)) return;
    const message = `${to - from} bytes are no entries`;
    this.#damage.push({ path, offset: from, message });
  }

  #take(bytes: Uint8Array, view: EntryView): void {
    this.#sequence = Math.max(this.#sequence, view.sequence);
    if (view.kind === MARK) return;
    const key = Buffer.from(bytes.subarray(view.keyStart, view.keyEnd)).toString('latin1');
    const known = this.#found.get(key);
    if (known !== undefined && known.sequence > view.sequence) return;
    const { sequence, kind, expiry, keyStart, keyEnd, valueEnd } = view;
    this.#found.set(key, { sequence, kind, expiry, bytes, keyStart, keyEnd, valueEnd });
  }

  /** All that was found in one new file; null when nothing was. */
  async #write(number: number): Promise<MergeOutput | null> {
    const alive = [...this.#found.values()].filter(({ kind }) => kind === PUT);
    if (alive.length === 0) return null;
    const table = new FileTable();
    const output = await MergeOutput.create(this.#dispatch, this.#directory, table, number);
    for (const { sequence, kind, expiry, bytes, keyStart, keyEnd, valueEnd } of alive) {
      output.add({ kind, flags: 0, sequence, expiry }, bytes, keyStart, keyEnd, valueEnd);
      if (output.isFull) await output.flush();
    }
    await output.finish(this.#dispatch);
    await this.#dispatch.names(this.#directory, [output.data.path]);
    return output;
  }

  /** Moves the old files away; the old manifest goes with the commit. */
  async #keepAside(names: readonly string[]): Promise<string[]> {
    const { vfs } = this.#dispatch;
    const lost = join(this.#directory, LOST_DIRECTORY);
    await new DurableDirectory(this.#dispatch).mkdirAll(lost);
    const kept: string[] = [];
    for (const name of names) {
      if (parseFileName(name) === null) continue;
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
  async #commit(output: MergeOutput | null, nextFile: number): Promise<void> {
    const files =
      output === null
        ? []
        : [
            {
              number: output.data.number,
              length: output.data.length,
              open: false,
              merged: true,
              fingerprint: output.data.fingerprint,
            },
          ];
    const manifest = { nextFile, sequence: this.#sequence, clock: this.#clock, files };
    const path = join(this.#directory, MANIFEST_NAME);
    await replacePointer(this.#dispatch.vfs, path, encodeManifest(manifest));
  }
}
