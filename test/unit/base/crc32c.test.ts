import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import {
  crc32c,
  extendCrc32c,
  extendInScript,
  maskCrc32c,
  unmaskCrc32c,
} from '../../../src/base/crc32c.ts';
import { crc32cAssembly } from '../../../src/base/crc32c-assembly.ts';
import { fromHex } from '../../../src/base/bytes.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Bit by bit, straight from the definition: slow, and nothing to get wrong. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

describe('crc32c', () => {
  it('agrees with the check value and the vectors of RFC 3720, appendix B.4', () => {
    assert.equal(crc32c(ascii('123456789')), 0xe3069283);
    assert.equal(crc32c(new Uint8Array(0)), 0);
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c);
    const readCommand = fromHex(
      '01c00000000000000000000000000000' +
        '14000000000004000000001400000018' +
        '28000000000000000200000000000000',
    );
    assert.equal(crc32c(readCommand), 0xd9963a56);
  });

  it('agrees with the definition at every length, from every start', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, index) => (index * 167 + 13) & 0xff);
    for (let start = 0; start < 20; start++) {
      for (let end = start; end <= bytes.length; end++) {
        assert.equal(crc32c(bytes, start, end), bitwise(bytes.subarray(start, end)));
      }
    }
  });

  it('is the same in one piece and in many', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        const middle = Math.min(cut, bytes.length);
        const first = crc32c(bytes, 0, middle);
        assert.equal(extendCrc32c(first, bytes, middle), bitwise(bytes));
      }),
    );
  });

  it('agrees with the definition where it is long, whatever memory it is copied to', () => {
    const bytes = Uint8Array.from({ length: 260_000 }, (_, at) => (at * 167 + (at >> 9)) & 0xff);
    // Enough for it to be made.
    assert.equal(crc32c(bytes) + crc32c(bytes), 2 * bitwise(bytes));
    // Just below and above the bound of a long one, and of what the memory holds at a time.
    const ends = [511, 512, 513, 600, 4096, 114_687, 114_688, 114_689, 114_700, 260_000];
    for (const end of ends) {
      for (const start of [0, 1, 7, 100]) {
        const expected = bitwise(bytes.subarray(start, end));
        assert.equal(crc32c(bytes, start, end), expected, `${start} to ${end}`);
        assert.equal(extendInScript(0, bytes, start, end), expected);
        const middle = (start + end) >> 1;
        const first = crc32c(bytes, start, middle);
        assert.equal(extendCrc32c(first, bytes, middle, end), expected);
      }
    }
  });

  it('has WebAssembly for long ranges here', () => {
    const extend = crc32cAssembly(new Int32Array(4096));
    assert.equal(typeof extend, 'function');
    // With a table of zeros every byte but the last shift counts for nothing: it is this table that it uses.
    assert.notEqual(
      extend?.(0, new Uint8Array(600).fill(1), 0, 600),
      crc32c(new Uint8Array(600).fill(1)),
    );
  });

  it('sees every single changed bit', () => {
    const bytes = ascii('a record of some length, checksummed');
    const whole = crc32c(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.notEqual(crc32c(changed), whole);
    }
  });

  it('masks as LevelDB does, and back', () => {
    // Rotated right by 15 bits, plus 0xa282ead8.
    assert.equal(maskCrc32c(0), 0xa282ead8);
    assert.equal(maskCrc32c(1), 0xa282ead8 + 0x20000);
    assert.equal(maskCrc32c(0x8000), 0xa282ead9);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (crc) => {
        const masked = maskCrc32c(crc);
        assert.ok(Number.isInteger(masked) && masked >= 0 && masked < 2 ** 32);
        assert.notEqual(masked, crc);
        assert.equal(unmaskCrc32c(masked), crc);
      }),
    );
  });

  it('refuses a range outside the bytes', () => {
    assert.throws(() => crc32c(new Uint8Array(4), 0, 5), /bytes of a buffer/);
    assert.throws(() => crc32c(new Uint8Array(4), 3, 2), /bytes of a buffer/);
  });
});
