/**
 * A digest of a whole disk that changes with its sectors one at a time: the exclusive-or of a hash for each
 * sector and its place, relative to the disk at the start, whose digest is zero. Equal disks have equal digests
 * whatever way led to them; a crash state costs the sectors it touches.
 */

import { hash } from 'node:crypto';
import { assert } from '../../base/assert.ts';

/** The sector is what a device writes whole, in bytes. */
export const SECTOR_SIZE = 512;

/** Numbers of 32 bits in a digest. */
export const DIGEST_WORDS = 4;

/** 128 bits that can be combined by exclusive-or. */
export type DigestWords = Int32Array;

/** The digest of nothing changed. */
export function zeroDigest(): DigestWords {
  return new Int32Array(DIGEST_WORDS);
}

/** `left` becomes the exclusive-or of both. */
export function combine(left: DigestWords, right: DigestWords): void {
  for (let word = 0; word < DIGEST_WORDS; word += 1) {
    left[word] = (left[word] ?? 0) ^ (right[word] ?? 0);
  }
}

const hashed = Buffer.alloc(8 + SECTOR_SIZE);

/** Digest of the sector at byte `offset` of the disk. */
export function sectorDigest(offset: number, sector: Uint8Array): DigestWords {
  assert(offset % SECTOR_SIZE === 0, 'a sector begins at a multiple of its size');
  assert(sector.length === SECTOR_SIZE, 'a sector is whole');
  hashed.writeDoubleLE(offset / SECTOR_SIZE, 0);
  hashed.set(sector, 8);
  const digest = hash('sha1', hashed, 'buffer');
  const words = zeroDigest();
  for (let word = 0; word < DIGEST_WORDS; word += 1) words[word] = digest.readInt32LE(4 * word);
  return words;
}

/** As text, for maps. */
export function digestKey(digest: DigestWords): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('base64');
}
