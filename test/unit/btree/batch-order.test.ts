import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { BatchOrder } from '../../../src/btree/batch-order.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';

/** What a batch does, in the order that is shown: `key=value`, or `key` for a deletion. */
function shown(order: BatchOrder, batch: WriteBatch): string[] {
  const found: string[] = [];
  const text = (bytes: Uint8Array, start: number, end: number): string =>
    Buffer.from(bytes.subarray(start, end)).toString('latin1');
  for (let index = 0; index < batch.count; index++) {
    order.show(batch, index, {
      put: (bytes, keyStart, keyEnd, valueStart, valueEnd) =>
        found.push(`${text(bytes, keyStart, keyEnd)}=${text(bytes, valueStart, valueEnd)}`),
      delete: (bytes, keyStart, keyEnd) => found.push(text(bytes, keyStart, keyEnd)),
    });
  }
  return found;
}

/** Puts and deletes of few keys, and what comes of them. */
function mixed(count: number, prefix: string): { batch: WriteBatch; result: Map<string, string> } {
  const random = new Prng(count);
  const batch = new WriteBatch();
  const result = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const key = prefix + 'abcdefghij'.slice(0, random.below(10)) + String(random.below(50));
    if (random.below(3) === 0) {
      batch.delete(Buffer.from(key));
      result.delete(key);
    } else {
      batch.put(Buffer.from(key), Buffer.from(String(index)));
      result.set(key, String(index));
    }
  }
  return { batch, result };
}

describe('the order of a batch', () => {
  test('has all operations, those of one key as they were called for', () => {
    const order = new BatchOrder();
    for (const [count, prefix] of [
      [1, ''],
      [127, ''],
      [128, ''],
      [1000, ''],
      [1000, 'all have this: '],
      [3, ''],
    ] as const) {
      const { batch, result } = mixed(count, prefix);
      const got = new Map<string, string>();
      const operations = shown(order, batch);
      assert.equal(operations.length, count);
      for (const operation of operations) {
        const [key, value] = operation.split('=');
        if (value === undefined) got.delete(key!);
        else got.set(key!, value);
      }
      assert.deepEqual([...got].toSorted(), [...result].toSorted());
    }
  });

  test('is that of the keys, behind what all of them begin with', () => {
    const batch = new WriteBatch();
    const random = new Prng(1);
    const keys = Array.from({ length: 500 }, () => `!of/one!${random.uint32().toString(36)}`);
    for (const key of keys) batch.put(Buffer.from(key), Buffer.alloc(0));
    const operations = shown(new BatchOrder(), batch).map((operation) => operation.slice(0, 12));
    assert.deepEqual(operations, keys.map((key) => key.slice(0, 12)).toSorted());
  });

  test('can be taken up anywhere, also of a batch that is put in order by parts', () => {
    const batch = new WriteBatch();
    const count = (1 << 16) + 100;
    for (let index = 0; index < count; index++) {
      batch.put(Buffer.from([count - index, (count - index) >>> 8]), Buffer.from(String(index)));
    }
    const operations = shown(new BatchOrder(), batch);
    assert.equal(new Set(operations).size, count);
    // The second of two for one key is in the second part.
    assert.ok(
      operations.slice(1 << 16).every((operation) => Number(operation.slice(3)) >= 1 << 16),
    );
    const { batch: other } = mixed(200, '');
    const whole = shown(new BatchOrder(), other);
    const order = new BatchOrder();
    const jumping: string[] = [];
    for (let index = 0; index < other.count; index++) {
      order.show(batch, count - 1, { put: () => {}, delete: () => {} });
      order.show(other, index, {
        put: (bytes, from, to, start, end) => {
          const bytesOf = Buffer.from(bytes);
          jumping.push(
            `${bytesOf.toString('latin1', from, to)}=${bytesOf.toString('latin1', start, end)}`,
          );
        },
        delete: (bytes, from, to) => jumping.push(Buffer.from(bytes).toString('latin1', from, to)),
      });
      order.clear();
    }
    assert.deepEqual(jumping, whole);
  });
});
