/**
 * Puts hint files on the disk, and reads them. No hint is ever needed: whatever goes wrong with one
 * costs time at the next open, and nothing else.
 */

import { dirname, join } from 'node:path';

import { readWholeFile, writeFully, writeFullySync } from '../vfs/transfer.ts';
import type { OpenOptions, Vfs } from '../vfs/vfs.ts';
import type { DataFile } from './data-file.ts';
import { hintFileName } from './entry-format.ts';
import { HintReader } from './hint-file.ts';
import type { HintBinding } from './hint-file.ts';

const OPTIONS: OpenOptions = { write: true, create: true, truncate: true };

/** The path of a data file's hint. */
export function hintPath(file: DataFile): string {
  return join(dirname(file.path), hintFileName(file.number));
}

/** Writes the hint that a data file has collected, if it has. Not synced. Never rejects. */
export async function writeHint(vfs: Vfs, data: DataFile, clock: number): Promise<void> {
  const { hint } = data;
  if (hint === null || data.entries === 0) return;
  data.hint = null;
  try {
    const file = await vfs.open(hintPath(data), OPTIONS);
    try {
      await writeFully(file, hint.finish(data, clock), 0);
    } finally {
      await file.close();
    }
    data.hasHint = true;
  } catch {
    // A part of a hint is no hint: it has no checksum.
  }
}

/** As `writeHint`, on the calling thread. */
export function writeHintSync(vfs: Vfs, data: DataFile, clock: number): void {
  const { hint } = data;
  if (hint === null || data.entries === 0) return;
  data.hint = null;
  try {
    const file = vfs.openSync(hintPath(data), OPTIONS);
    try {
      writeFullySync(file, hint.finish(data, clock), 0);
    } finally {
      file.closeSync();
    }
    data.hasHint = true;
  } catch {
    // As in `writeHint`.
  }
}

/** The hint of a data file; null when there is none that counts. Never rejects. */
export async function readHint(
  vfs: Vfs,
  directory: string,
  binding: HintBinding,
): Promise<HintReader | null> {
  try {
    const bytes = await readWholeFile(vfs, join(directory, hintFileName(binding.number)));
    return HintReader.open(bytes, binding);
  } catch {
    // The data file has all that is in it.
    return null;
  }
}
