/** How much memory a cache takes where the opener of a store names no number. Not here: the caches. */

import { totalmem } from 'node:os';
import process from 'node:process';

/** Of the memory of the machine, or of the container, this part is for a cache at most. */
const CACHE_PART = 16;
const CACHE_BYTES_MIN: number = 16 << 20;
const CACHE_BYTES_MAX: number = 256 << 20;

/** Bytes of what lies on the disk that a store keeps in memory. */
export function defaultCacheBytes(): number {
  // 0 or a huge number where nothing constrains the process.
  const limit = process.constrainedMemory() || Infinity;
  const part = Math.floor(Math.min(totalmem(), limit) / CACHE_PART);
  return Math.min(CACHE_BYTES_MAX, Math.max(CACHE_BYTES_MIN, part));
}
