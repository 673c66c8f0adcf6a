/**
 * Writes the index file when a store is closed, where that saves the next opening much. Whatever
 * goes wrong with it costs time at the next opening, and nothing else: closing does not fail.
 *
 * Order: 1. the manifest says that the store is closed; 2. the index file is written under a name
 * of its own, and synced; 3. the index file before it goes, and hints that it stands for. Nothing
 * has to be durable for the data's sake: an index that is torn does not count. The sync of step 2 is
 * there because step 3 leaves nothing else to open quickly from.
 */

import { join } from 'node:path';

import { assert } from '../base/assert.ts';
import { writeFully } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import type { DataFile } from './data-file.ts';
import { indexFileName } from './entry-format.ts';
import { hintPath } from './hint-writing.ts';
import { IndexEncoder, encodeIndexHeader } from './index-file.ts';
import { KeyLocation } from './key-location.ts';
import { KeydirCursor } from './keydir-cursor.ts';
import type { StoreParts } from './store-parts.ts';

/** An index is written again when the files that it lacks have this part of the entries of the others. */
const GROWN_PART = 1 / 8;
/** A hint above this part of its data file saves too little of reading that to be kept beside an index. */
const HINT_PART_MAX = 1 / 16;

/** REQUIRES: the manifest has no open log. Never rejects. */
export async function saveIndex(parts: StoreParts): Promise<void> {
  const { indexFile, settings, keeper, directory } = parts;
  const files = filesOfManifest(parts);
  if (files === null) return;
  const covered = coveredFiles(parts, files);
  const known = countEntries(files.slice(0, covered));
  const more = countEntries(files.slice(covered));
  const { vfs } = settings.dispatch;
  const isStale = indexFile !== null && covered === 0;
  if (more >= Math.max(1, settings.indexEntriesMin, known * GROWN_PART)) {
    const number = keeper.takeNumber();
    const path = join(directory, indexFileName(number));
    if (await writeIndex(parts, files, number, path)) {
      await removeIndex(parts);
      for (const file of files) await removeLargeHint(parts, file);
    } else {
      // A part of an index is no index.
      await vfs.unlink(path).catch(() => 'swept at the next open');
    }
  } else if (isStale) {
    await removeIndex(parts);
  }
}

/** The files that make up the store, in order; null when something in it is not as it should be at the end. */
function filesOfManifest({ keeper, files, index }: StoreParts): DataFile[] | null {
  index.catchUp();
  const byNumber = new Map([...files].map((file) => [file.number, file]));
  const found: DataFile[] = [];
  for (const { number, open, length, fingerprint } of keeper.current.files) {
    const file = byNumber.get(number);
    if (open || file?.length !== length || file.fingerprint !== fingerprint) return null;
    found.push(file);
  }
  return found;
}

/** How many of the files the index file on the disk describes; 0: it does not count any more. */
function coveredFiles({ indexFile }: StoreParts, files: readonly DataFile[]): number {
  if (indexFile === null) return 0;
  const { numbers } = indexFile;
  return numbers.every((number, place) => files[place]?.number === number) ? numbers.length : 0;
}

function countEntries(files: readonly DataFile[]): number {
  return files.reduce((sum, { entries }) => sum + entries, 0);
}

/** False when it could not be written. */
async function writeIndex(
  parts: StoreParts,
  files: readonly DataFile[],
  number: number,
  path: string,
): Promise<boolean> {
  const { dispatch } = parts.settings;
  try {
    const file = await dispatch.vfs.open(path, { write: true, create: true, truncate: true });
    try {
      await writeBlocks(parts, files, number, file);
      await dispatch.bytes(file);
    } finally {
      await file.close();
    }
    return true;
  } catch {
    // The hints are there.
    return false;
  }
}

async function writeBlocks(
  { index, keeper, expiry }: StoreParts,
  files: readonly DataFile[],
  number: number,
  file: VfsFile,
): Promise<void> {
  const { keydir } = index;
  const clock = Math.max(keeper.current.clock, expiry.stored);
  const header = encodeIndexHeader({ number, clock, count: keydir.count, files });
  await writeFully(file, header, 0);
  let offset = header.length;
  const encoder = new IndexEncoder(header);
  const places = new Map(files.map(({ slot }, place) => [slot, place]));
  const state = keydir.snapshot();
  try {
    const cursor = new KeydirCursor(keydir.pages, state);
    while (cursor.valid) {
      encodeSome(encoder, cursor, places);
      const block = encoder.take(!cursor.valid);
      await writeFully(file, block, offset);
      offset += block.length;
    }
  } finally {
    keydir.drop(state);
  }
}

/** Takes records until the block is full, or there are no more. */
function encodeSome(
  encoder: IndexEncoder,
  cursor: KeydirCursor,
  places: ReadonlyMap<number, number>,
): void {
  for (; cursor.valid; cursor.next()) {
    if (!encoder.hasRoom(cursor.keyEnd - cursor.keyStart)) return;
    cursor.location(location);
    const place = places.get(location.file);
    assert(place !== undefined, 'the index leads to files of the manifest');
    encoder.add(cursor.keys, cursor.keyStart, cursor.keyEnd, place, location);
  }
}

const location: KeyLocation = new KeyLocation();

/** Removes the index file that was there before. Not synced: one that comes back does not count, or is right. */
async function removeIndex({ indexFile, settings, directory }: StoreParts): Promise<void> {
  if (indexFile === null) return;
  const path = join(directory, indexFileName(indexFile.number));
  await settings.dispatch.vfs.unlink(path).catch(() => 'swept at the next open');
}

/**
 * Where entries are small, hint and index together would take much of the disk, and without the
 * hint reading the file itself takes little longer.
 */
async function removeLargeHint({ settings }: StoreParts, file: DataFile): Promise<void> {
  if (!file.hasHint) return;
  const { vfs } = settings.dispatch;
  const path = hintPath(file);
  try {
    const { size } = await vfs.stat(path);
    if (size <= file.length * HINT_PART_MAX) return;
    await vfs.unlink(path);
    file.hasHint = false;
  } catch {
    // Then it stays, or is not there.
  }
}
