/**
 * `leveldb.BuiltinBloomFilter2`, bit for bit: whether a set of keys may hold one. Not here: which
 * keys share a filter (`filter-block`).
 *
 * @see docs/formats/table.md
 */

/** The name under which a table lists its filter. */
export const BLOOM_FILTER_NAME = 'leveldb.BuiltinBloomFilter2';

/** Bits for each key: one key in about a hundred is looked for in vain. */
export const BLOOM_BITS_PER_KEY = 10;

/** Larger numbers of probes are kept for filters of another kind: those always match. */
const PROBES_MAX = 30;
const BITS_MIN = 64;
const SEED = 0xbc9f_1d34;
const MULTIPLIER = 0xc6a4_a793;

/** The 32-bit hash of a key that all probes are made of. */
export function bloomHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED ^ Math.imul(end - start, MULTIPLIER);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = Math.imul(hash + word, MULTIPLIER);
    hash ^= hash >>> 16;
  }
  const rest = end - at;
  if (rest > 0) {
    if (rest === 3) hash += bytes[at + 2]! << 16;
    if (rest >= 2) hash += bytes[at + 1]! << 8;
    hash = Math.imul(hash + bytes[at]!, MULTIPLIER);
    hash ^= hash >>> 24;
  }
  return hash >>> 0;
}

/** How many bytes a filter of so many keys takes, its last byte included. */
export function bloomLength(keyCount: number): number {
  return ((Math.max(keyCount * BLOOM_BITS_PER_KEY, BITS_MIN) + 7) >>> 3) + 1;
}

/**
 * Puts the filter of the first `count` hashes at `offset`. The room must hold zeros. Returns the
 * offset after it.
 */
export function putBloomFilter(
  target: Uint8Array,
  offset: number,
  hashes: Uint32Array,
  count: number,
): number {
  const length = bloomLength(count);
  const bits = (length - 1) * 8;
  const probes = Math.min(PROBES_MAX, Math.max(1, Math.floor(BLOOM_BITS_PER_KEY * 0.69)));
  for (let index = 0; index < count; index++) {
    let hash = hashes[index]!;
    const delta = ((hash >>> 17) | (hash << 15)) >>> 0;
    for (let probe = 0; probe < probes; probe++) {
      const bit = hash % bits;
      const at = offset + (bit >>> 3);
      target[at] = target[at]! | (1 << (bit & 7));
      hash = (hash + delta) >>> 0;
    }
  }
  target[offset + length - 1] = probes;
  return offset + length;
}

/** False only when the filter that lies at `start` to `end` was made without a key of this hash. */
export function bloomMayHold(
  filter: Uint8Array,
  start: number,
  end: number,
  keyHash: number,
): boolean {
  if (end - start < 2) return false;
  const bits = (end - start - 1) * 8;
  const probes = filter[end - 1]!;
  if (probes > PROBES_MAX) return true;
  let hash = keyHash;
  const delta = ((hash >>> 17) | (hash << 15)) >>> 0;
  for (let probe = 0; probe < probes; probe++) {
    const bit = hash % bits;
    if ((filter[start + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
    hash = (hash + delta) >>> 0;
  }
  return true;
}
