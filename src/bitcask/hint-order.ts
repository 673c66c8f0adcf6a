/**
 * The records of a hint in about the order of their keys: an index that is filled in order touches
 * few pages at a time. Records of one key keep their order, which is all that must be right.
 */

import type { HintReader } from './hint-file.ts';

/** Bits of an element that number the record; the rest are the first bits of its key. */
const NUMBER_BITS = 24;
const RECORDS_MAX: number = 2 ** NUMBER_BITS;
/** Fewer are taken as they come. */
const RECORDS_MIN = 1000;

/** Positions for `HintReader.read`; null when sorting cannot help. */
export function positionsByKey(hint: HintReader): Uint32Array | null {
  const { count, bytes } = hint;
  if (count < RECORDS_MIN || count > RECORDS_MAX || !isLittleEndian) return null;
  const positions = new Uint32Array(count);
  const elements = new BigUint64Array(count);
  // As pairs of 32 bits, lower half first: an element is never made into a bigint.
  const halves = new Uint32Array(elements.buffer);
  let number = 0;
  for (let position = hint.position; number < count && hint.next(); position = hint.position) {
    const { keyStart, keyEnd } = hint;
    const byte = (index: number): number =>
      keyStart + index < keyEnd ? bytes[keyStart + index]! : 0;
    halves[2 * number] = (byte(4) << NUMBER_BITS) | number;
    halves[2 * number + 1] = (byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3);
    positions[number++] = position;
  }
  elements.subarray(0, number).sort();
  const sorted = new Uint32Array(number);
  for (let place = 0; place < number; place++) {
    sorted[place] = positions[halves[2 * place]! & (RECORDS_MAX - 1)]!;
  }
  return sorted;
}

const isLittleEndian: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
