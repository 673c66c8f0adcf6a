import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DecodeError } from '../../../src/base/byte-reader.ts';
import { decodeBatch } from '../../../src/wal/batch-decoder.ts';
import { encodeBatch } from '../../../src/wal/batch-format.ts';
import type { BatchOperation } from '../../../src/wal/batch-format.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test('a batch of a put and a delete has LevelDB’s bytes', () => {
  const bytes = encodeBatch(100, [
    { kind: 'put', key: text('foo'), value: text('bar') },
    { kind: 'delete', key: text('box') },
  ]);
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    '6400000000000000020000000103666f6f036261720003626f78',
  );
});

test('every kind of operation comes back as it was, at any length and sequence', () => {
  const operations: BatchOperation[] = [
    { kind: 'put', key: text(''), value: new Uint8Array(70_000).fill(7) },
    { kind: 'delete', key: text('k'.repeat(200)) },
    { kind: 'bytes', bytes: new Uint8Array(128) },
    { kind: 'checkpoint', upTo: 2 ** 52 + 3, bytes: text('here') },
    { kind: 'checkpoint', upTo: 0, bytes: text('') },
  ];
  for (const sequence of [1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    assert.deepEqual(decodeBatch(encodeBatch(sequence, operations)), { sequence, operations });
  }
});

test('a batch of nothing is twelve bytes', () => {
  assert.equal(encodeBatch(5, []).length, 12);
  assert.deepEqual(decodeBatch(encodeBatch(5, [])), { sequence: 5, operations: [] });
});

test('bytes that are no batch are told with their place', () => {
  const good = encodeBatch(9, [{ kind: 'put', key: text('key'), value: text('value') }]);
  for (let length = 0; length < good.length; length++) {
    assert.throws(() => decodeBatch(good.subarray(0, length)), DecodeError, `${length} bytes`);
  }
  const change = (place: number, byte: number): Uint8Array => {
    const bytes = Uint8Array.from(good);
    bytes[place] = byte;
    return bytes;
  };
  assert.throws(() => decodeBatch(change(0, 0)), /at byte 0: expected a sequence number/);
  assert.throws(() => decodeBatch(change(7, 1)), /at byte 0: expected a sequence number/);
  assert.throws(() => decodeBatch(change(8, 2)), /1 operations more/);
  assert.throws(() => decodeBatch(change(8, 0)), /11 bytes more/);
  assert.throws(() => decodeBatch(change(12, 2)), /kind 2/);
  assert.throws(() => decodeBatch(change(13, 30)), /30 bytes, found 9 to the end/);
  assert.throws(() => decodeBatch(Buffer.concat([good, text('x')])), /1 bytes more/);
});
