/** Byte strings: comparing, joining, hex. Not here: numbers in bytes (`coding.ts`). */

/** Up to this length a loop is faster than a call out of JavaScript. */
const LOOP_BYTES_MAX = 48;

/**
 * The order of two keys, as unsigned bytes, a prefix before what it begins: negative, 0 or
 * positive. The same as LevelDB's bytewise comparator and as memcmp.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  if (common > LOOP_BYTES_MAX) return Buffer.compare(a, b);
  for (let index = 0; index < common; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * The order of two keys inside larger arrays, each from its start to before its end, as
 * `compareBytes` has it. For indexes: makes no views unless the first bytes are the same.
 */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const common = aLength < bLength ? aLength : bLength;
  // Longer keys mostly differ early too, and are left to the loop for their first bytes.
  const looped = common < LOOP_BYTES_MAX ? common : LOOP_BYTES_MAX;
  for (let index = 0; index < looped; index++) {
    const difference = a[aStart + index]! - b[bStart + index]!;
    if (difference !== 0) return difference;
  }
  if (common > looped) {
    // Views, although `Buffer.prototype.compare` takes ranges: Deno 2.9 holds its ends against the wrong array.
    return Buffer.compare(a.subarray(aStart + looped, aEnd), b.subarray(bStart + looped, bEnd));
  }
  return aLength - bLength;
}

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** What `firstNonZero` compares with. */
const ZEROS = new Uint8Array(16 << 10);

/** Where the first byte is, from `start` on, that is not zero; the length when all are. */
export function firstNonZero(bytes: Uint8Array, start: number = 0): number {
  let place = start;
  // Long runs are compared outside JavaScript, many bytes at a time.
  while (place < bytes.length) {
    const length = Math.min(ZEROS.length, bytes.length - place);
    if (Buffer.compare(bytes.subarray(place, place + length), ZEROS.subarray(0, length)) !== 0)
      break;
    place += length;
  }
  while (place < bytes.length && bytes[place] === 0) place++;
  return place;
}

/** How many first bytes two byte strings share. */
export function commonPrefixLength(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  let length = 0;
  while (length < common && a[length] === b[length]) length++;
  return length;
}

/** A new byte string of all parts, one after the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Two lower-case digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * The bytes that `toHex` wrote; capital digits are taken too.
 * @throws TypeError when `text` is not an even number of hex digits
 */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) {
    throw new TypeError('not an even number of hex digits');
  }
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
