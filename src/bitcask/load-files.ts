/**
 * Opens the data files that the manifest names and gives their keys to the index: sealed files
 * through their hints where there are any, else by reading them. Not here: logs that may end in a
 * torn write (`scan-log.ts`).
 */

import { join } from 'node:path';

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import { readFully } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { DataFile, FileTable } from './data-file.ts';
import { FILE_HEADER_BYTES, checkFileHeader, dataFileName } from './entry-format.ts';
import { EntryScanner } from './entry-scanner.ts';
import type { HintReader } from './hint-file.ts';
import { SORTED_HINTS_MAX } from './hint-order.ts';
import { hintPath, readHint } from './hint-writing.ts';
import { noteEntry } from './key-index.ts';
import type { HintedFile, KeyIndex } from './key-index.ts';
import type { ManifestFile } from './manifest.ts';

/** Hints that are read ahead of the one that is taken in. */
const HINTS_AHEAD = 4;
/** Hints of so many bytes together are given to the index: more would take memory and block for long. */
const GROUP_BYTES = 48 << 20;

/** A data file that has been opened, and its size on the disk. */
export interface OpenedFile {
  readonly entry: ManifestFile;
  readonly data: DataFile;
  readonly size: number;
}

/**
 * Opens the file that the manifest names and checks its header and that it is not too short.
 * @throws HOLDFAST_CORRUPTION, HOLDFAST_FORMAT
 */
export async function openDataFile(
  vfs: Vfs,
  directory: string,
  files: FileTable,
  entry: ManifestFile,
): Promise<OpenedFile> {
  const path = join(directory, dataFileName(entry.number));
  const file = await vfs.open(path, { read: true }).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new CorruptionError({
      path,
      offset: 0,
      expected: 'a data file, because the manifest names it',
      found: 'no file',
    });
  });
  try {
    const { size } = await file.stat();
    const header = new Uint8Array(FILE_HEADER_BYTES);
    const count = await readFully(file, header, 0);
    const fault = checkFileHeader(header.subarray(0, count), entry.number);
    if (fault?.newer === true) {
      const message = `${path} has version ${fault.found}, and this program knows ${fault.expected}`;
      throw new HoldfastError('HOLDFAST_FORMAT', message);
    }
    if (fault !== null) throw new CorruptionError({ path, ...fault });
    if (size < entry.length) {
      const expected = `${entry.length} bytes, because the manifest says so`;
      throw new CorruptionError({ path, offset: size, expected, found: `${size}` });
    }
    const length = entry.open ? FILE_HEADER_BYTES : entry.length;
    const data = files.add(entry.number, path, file, entry.merged, length, !entry.open);
    return { entry, data, size };
  } catch (error) {
    // The error found is told, whatever becomes of the descriptor.
    await file.close().catch(() => 'nothing was written');
    throw error;
  }
}

/**
 * Gives the keys of sealed files to the index, in order.
 * @throws HOLDFAST_CORRUPTION
 */
export async function loadSealedFiles(
  vfs: Vfs,
  directory: string,
  opened: readonly OpenedFile[],
  index: KeyIndex,
): Promise<number> {
  let clock = 0;
  const group = new HintGroup(index);
  const hints: Promise<HintReader | null>[] = [];
  for (const [place, { entry, data }] of opened.entries()) {
    while (hints.length < Math.min(opened.length, place + HINTS_AHEAD)) {
      hints.push(readHint(vfs, directory, opened[hints.length]!.entry));
    }
    const hint = await hints[place]!;
    hints[place] = Promise.resolve(null);
    if (hint === null) {
      group.apply();
      clock = Math.max(clock, await loadByReading(data, entry, index));
    } else {
      data.hint = null;
      data.hasHint = true;
      data.toldBy = hintPath(data);
      data.fingerprint = entry.fingerprint;
      group.add(data, hint);
      clock = Math.max(clock, hint.clock);
    }
  }
  group.apply();
  return clock;
}

/** Hints of files that follow each other, which the index takes together: in the order of all their keys. */
class HintGroup {
  readonly #index: KeyIndex;
  #hinted: HintedFile[] = [];
  #bytes = 0;

  constructor(index: KeyIndex) {
    this.#index = index;
  }

  add(file: DataFile, hint: HintReader): void {
    this.#hinted.push({ file, hint });
    this.#bytes += hint.bytes.length;
    const { length } = this.#hinted;
    if (this.#bytes >= GROUP_BYTES || length === SORTED_HINTS_MAX) this.apply();
  }

  apply(): void {
    if (this.#hinted.length > 0) this.#index.applyHints(this.#hinted);
    this.#hinted = [];
    this.#bytes = 0;
  }
}

/** Reads a whole sealed file. Any damage is corruption. Gives the highest clock in it. */
async function loadByReading(
  data: DataFile,
  entry: ManifestFile,
  index: KeyIndex,
): Promise<number> {
  let clock = 0;
  const scanner = new EntryScanner(data.file, data.number, FILE_HEADER_BYTES, entry.length);
  for (let step = scanner.step(); step !== 'end'; step = scanner.step()) {
    if (step === 'refill') {
      await scanner.refill();
    } else if (step === 'entry') {
      const { bytes, entryStart, entryOffset } = scanner;
      const found = noteEntry(data, bytes, entryStart, entryOffset, scanner.entry);
      clock = Math.max(clock, found);
    } else {
      throw new CorruptionError({
        path: data.path,
        offset: scanner.offset,
        expected: 'an entry with its checksum',
        found: 'other bytes',
      });
    }
  }
  if (data.fingerprint !== entry.fingerprint) {
    throw new CorruptionError({
      path: data.path,
      offset: FILE_HEADER_BYTES,
      expected: `entries with the fingerprint ${entry.fingerprint.toString(16)}`,
      found: data.fingerprint.toString(16),
    });
  }
  index.applyNoted(data);
  return clock;
}
