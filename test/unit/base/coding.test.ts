import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { AssertionError } from '../../../src/base/assert.ts';
import { ByteReader, DecodeError } from '../../../src/base/byte-reader.ts';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import {
  putFixed32,
  putFixed64,
  putVarint32,
  putVarint53,
  putVarint64,
  varint64Length,
  varintLength,
} from '../../../src/base/coding.ts';

/** What `put` writes, in hex; the byte before and after must stay as they were. */
function written(put: (target: Uint8Array, offset: number) => number): string {
  const target = new Uint8Array(14).fill(0xee);
  const end = put(target, 1);
  assert.equal(target[0], 0xee);
  assert.equal(target[end], 0xee);
  return toHex(target.subarray(1, end));
}

const uint32 = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const uint53 = fc.oneof(uint32, fc.maxSafeNat());
const uint64 = fc.oneof(uint53.map(BigInt), fc.bigInt(0n, 2n ** 64n - 1n));

describe('coding', () => {
  it('writes the bytes that LevelDB writes', () => {
    assert.equal(
      written((t, o) => putFixed32(t, o, 0x01020384)),
      '84030201',
    );
    assert.equal(
      written((t, o) => putFixed64(t, o, 0x01020304050607ffn)),
      'ff07060504030201',
    );
    for (const [value, hex] of [
      [0, '00'],
      [1, '01'],
      [127, '7f'],
      [128, '8001'],
      [300, 'ac02'],
      [16384, '808001'],
      [2 ** 32 - 1, 'ffffffff0f'],
    ] as const) {
      assert.equal(
        written((t, o) => putVarint32(t, o, value)),
        hex,
      );
    }
    assert.equal(
      written((t, o) => putVarint64(t, o, 2n ** 64n - 1n)),
      'ffffffffffffffffff01',
    );
  });

  it('reads back what it wrote, one after the other', () => {
    fc.assert(
      fc.property(uint32, uint53, uint64, fc.uint8Array(), (small, number, large, bytes) => {
        const target = new Uint8Array(60 + bytes.length);
        let end = putFixed32(target, 3, small);
        end = putVarint32(target, end, small);
        end = putVarint53(target, end, number);
        end = putFixed64(target, end, large);
        end = putVarint64(target, end, large);
        end = putVarint32(target, end, bytes.length);
        target.set(bytes, end);
        end += bytes.length;
        const reader = new ByteReader(target, 3, end);
        assert.equal(reader.fixed32(), small);
        assert.equal(reader.varint32(), small);
        assert.equal(reader.varint53(), number);
        assert.equal(reader.fixed64(), large);
        assert.equal(reader.varint64(), large);
        assert.deepEqual(reader.lengthPrefixed(), bytes);
        assert.equal(reader.remaining, 0);
        assert.equal(reader.position, end);
      }),
    );
  });

  it('writes one number in one way, whichever width it is put with', () => {
    fc.assert(
      fc.property(uint53, (value) => {
        const hex = written((t, o) => putVarint53(t, o, value));
        assert.equal(
          written((t, o) => putVarint64(t, o, BigInt(value))),
          hex,
        );
        assert.equal(varintLength(value), hex.length / 2);
        assert.equal(varint64Length(BigInt(value)), hex.length / 2);
      }),
    );
  });

  it('refuses numbers out of range and places out of bounds, and writes nothing', () => {
    const target = new Uint8Array(4);
    const attempts = [
      () => putFixed32(target, 0, -1),
      () => putFixed32(target, 0, 2 ** 32),
      () => putFixed32(target, 0, 1.5),
      () => putFixed32(target, 1, 1),
      () => putFixed32(target, -1, 1),
      () => putFixed64(target, 0, 1n),
      () => putFixed64(target, 0, 2n ** 64n),
      () => putVarint32(target, 3, 128),
      () => putVarint32(target, 0, 2 ** 32),
      () => putVarint53(target, 0, -1),
      () => putVarint53(target, 0, 2 ** 53),
      () => putVarint64(target, 0, -1n),
      () => putVarint64(target, 2, 2n ** 20n),
    ];
    for (const attempt of attempts) assert.throws(attempt, AssertionError);
    assert.deepEqual([...target], [0, 0, 0, 0]);
  });
});

describe('ByteReader', () => {
  it('refuses to read beyond the end, says where, and stays there', () => {
    const reads: ((reader: ByteReader) => unknown)[] = [
      (reader) => reader.fixed32(),
      (reader) => reader.fixed64(),
      (reader) => reader.varint32(),
      (reader) => reader.varint53(),
      (reader) => reader.varint64(),
      (reader) => reader.bytes(4),
      (reader) => reader.lengthPrefixed(),
    ];
    for (const read of reads) {
      const reader = new ByteReader(fromHex('00ffffff00'), 1, 4);
      assert.throws(
        () => read(reader),
        (error) =>
          error instanceof DecodeError && error.offset === 1 && /3 bytes/.test(error.found),
      );
      assert.equal(reader.position, 1);
    }
  });

  it('refuses varints that are too long or too large', () => {
    for (const [hex, read] of [
      ['ffffffff10', (reader: ByteReader) => reader.varint32()],
      ['808080808000', (reader: ByteReader) => reader.varint32()],
      ['8080808080808010', (reader: ByteReader) => reader.varint53()],
      ['ffffffffffffffffff02', (reader: ByteReader) => reader.varint64()],
      ['8080808080808080808000', (reader: ByteReader) => reader.varint64()],
    ] as const) {
      const reader = new ByteReader(fromHex(hex));
      assert.throws(() => read(reader), { name: 'DecodeError', found: /^a larger one/ }, hex);
      assert.equal(reader.position, 0, hex);
    }
  });

  it('reads varints with needless zeros, as LevelDB does', () => {
    const reader = new ByteReader(fromHex('818080008180800081808000'));
    assert.equal(reader.varint32(), 1);
    assert.equal(reader.varint53(), 1);
    assert.equal(reader.varint64(), 1n);
    assert.equal(reader.remaining, 0);
  });

  it('refuses a length that reaches beyond the end, and stays before it', () => {
    const reader = new ByteReader(fromHex('0501020304'));
    assert.throws(() => reader.lengthPrefixed(), {
      name: 'DecodeError',
      offset: 0,
      expected: '5 bytes after their length',
      found: '4 bytes to the end',
    });
    assert.equal(reader.position, 0);
  });

  it('never fails otherwise than with a DecodeError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), fc.array(fc.nat(6)), (bytes, reads) => {
        const reader = new ByteReader(bytes);
        for (const read of reads) {
          const before = reader.position;
          try {
            if (read === 0) reader.fixed32();
            else if (read === 1) reader.fixed64();
            else if (read === 2) reader.varint32();
            else if (read === 3) reader.varint53();
            else if (read === 4) reader.varint64();
            else if (read === 5) reader.bytes(3);
            else reader.lengthPrefixed();
            assert.ok(reader.position > before && reader.position <= bytes.length);
          } catch (error) {
            // Damage is what this reader is for.
            assert.ok(error instanceof DecodeError, String(error));
            assert.equal(reader.position, before);
          }
        }
      }),
    );
  });
});
