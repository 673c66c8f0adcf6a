/** Batches: what comes out is what went in, and the bytes are LevelDB's. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';

/** The sequence number of a batch that has none yet. */
const ZEROS = '0000000000000000';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** One line a record. */
function records(batch: WriteBatch): string[] {
  const lines: string[] = [];
  const text = (all: Uint8Array, start: number, end: number): string =>
    toHex(all.subarray(start, end));
  batch.visit({
    put: (all, keyStart, keyEnd, valueStart, valueEnd, lifetimeMs) => {
      const value = text(all, valueStart, valueEnd);
      lines.push(`put ${text(all, keyStart, keyEnd)}=${value} ${lifetimeMs}`);
    },
    delete: (all, keyStart, keyEnd) => void lines.push(`delete ${text(all, keyStart, keyEnd)}`),
  });
  return lines;
}

describe('a write batch', () => {
  it('has the bytes that LevelDB writes', () => {
    const batch = new WriteBatch();
    batch.put(bytes('k'), bytes('value'));
    batch.delete(bytes('gone'));
    assert.equal(batch.count, 2);
    assert.equal(toHex(batch.encoded()), `${ZEROS}0200000001016b0576616c75650004676f6e65`);
    assert.equal(batch.byteLength, batch.encoded().length);
  });

  it('gives back any records in their order, also from its bytes', () => {
    const record = fc.tuple(
      fc.uint8Array({ maxLength: 300 }),
      fc.option(fc.uint8Array({ maxLength: 20_000 })),
      fc.oneof(fc.constant(0), fc.maxSafeNat()),
    );
    fc.assert(
      fc.property(fc.array(record), fc.nat(5000), (list, capacity) => {
        const batch = new WriteBatch(capacity);
        const expected = list.map(([key, value, lifetimeMs]) => {
          if (value === null) batch.delete(key);
          else batch.put(key, value, lifetimeMs);
          return value === null
            ? `delete ${toHex(key)}`
            : `put ${toHex(key)}=${toHex(value)} ${lifetimeMs}`;
        });
        assert.deepEqual(records(batch), expected);
        const again = WriteBatch.decode(batch.encoded());
        assert.deepEqual(records(again), expected);
        assert.equal(again.count, list.length);
        assert.equal(again.expires, batch.expires);
        assert.equal(
          batch.expires,
          list.some(([, value, lifetimeMs]) => value !== null && lifetimeMs !== 0),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('of one record takes bytes of just its size', () => {
    for (const batch of [
      WriteBatch.put(bytes('key'), new Uint8Array(200)),
      WriteBatch.delete(bytes('key')),
    ]) {
      assert.equal(batch.encoded().buffer, batch.encoded().buffer);
      assert.equal(batch.encoded().byteLength, batch.byteLength);
      assert.equal(records(batch).length, 1);
    }
    assert.equal(WriteBatch.put(bytes('key'), new Uint8Array(200)).byteLength, 12 + 1 + 4 + 202);
  });

  it('is empty after clear, and does not touch bytes given away before', () => {
    const batch = WriteBatch.put(bytes('a'), bytes('1'));
    const before = batch.encoded();
    const copy = toHex(before);
    batch.clear();
    assert.equal(batch.count, 0);
    batch.put(bytes('b'), bytes('2'));
    assert.equal(toHex(before), copy);
    assert.deepEqual(records(batch), ['put 62=32 0']);
  });

  it('leaves the bytes of all empty batches apart', () => {
    const one = new WriteBatch().encoded();
    one[0] = 7;
    assert.equal(toHex(new WriteBatch().encoded()), '00'.repeat(12));
  });

  it('refuses bytes that are no batch, and says where', () => {
    const good = `${ZEROS}0100000001016b0576616c7565`;
    assert.deepEqual(records(WriteBatch.decode(fromHex(good))), ['put 6b=76616c7565 0']);
    for (const [bad, offset] of [
      [good.slice(0, -2), 15],
      [good.replace('01016b', '03016b'), 12],
      [good.replace('01000000', '02000000'), 8],
      ['00'.repeat(11), 8],
      [good + '00', 22],
    ] as const) {
      assert.throws(() => WriteBatch.decode(fromHex(bad)), { name: 'DecodeError', offset }, bad);
    }
  });
});
