/** The memory of a flushed memtable is used again: never under somebody who still reads it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { EntryIterator, EntrySink } from '../../../src/engine/entry-iterator.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { Memtable } from '../../../src/lsm/memtable.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

const ENTRIES = 40;

function key(number: number): Buffer {
  return Buffer.from(`key ${String(number).padStart(3, '0')}`);
}

class Pairs implements EntrySink {
  readonly found: string[] = [];

  entry(k: Buffer, keyStart: number, keyEnd: number, v: Buffer, start: number, end: number): void {
    this.found.push(`${k.toString('utf8', keyStart, keyEnd)}=${v.toString('latin1', start, end)}`);
  }
}

test('iterators that are open over flushes read their own state to the end', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await lsmKind.open('/store', { dispatch, writeBufferSize: 1 << 16 });
  const open: { round: number; iterator: EntryIterator }[] = [];
  for (let round = 0; round < 12; round++) {
    for (let number = 0; number < ENTRIES; number++) {
      await engine.write(WriteBatch.put(key(number), Buffer.alloc(500, round)), 'none');
    }
    const iterator = engine.iterator();
    // It stands in the middle of the memtable.
    assert.equal(iterator.readSync(new Pairs(), 2, Infinity), 2);
    if (round % 3 === 0) open.push({ round, iterator });
    else iterator.close();
    await engine.compact();
  }
  for (const { round, iterator } of open) {
    const pairs = new Pairs();
    iterator.readSync(pairs, ENTRIES, Infinity);
    const expected = Array.from({ length: ENTRIES - 2 }, (_, index) => {
      return `${key(index + 2).toString()}=${Buffer.alloc(500, round).toString('latin1')}`;
    });
    assert.deepEqual(pairs.found, expected);
    iterator.close();
  }
  await engine.close();
});

test('a memtable that is held cannot be used again, one that was let go can', () => {
  const table = new Memtable(1024, 64);
  const bytes = key(1);
  table.add(1, 1, bytes, 0, bytes.length, bytes.length, bytes.length);
  table.hold();
  assert.throws(() => table.reset(), { name: 'AssertionError' });
  table.letGo();
  table.reset();
  assert.equal(table.count, 0);
  assert.equal(table.first(), 0);
  assert.equal(table.last(), 0);
});
