/** The bytes of every file, against the page that describes them, and what a reader makes of damage. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../../src/vfs/transfer.ts';

const PAGE = new URL('../../../../docs/formats/bitcask.md', import.meta.url);

const NAMES = ['0000000001.data', 'BITCASK', '0000000002.index'];

/** The worked bytes of the page, in its order: data file, manifest, index file. */
function worked(): Buffer[] {
  const blocks = readFileSync(PAGE, 'utf8').split('```');
  return blocks
    .filter((block) => /^\s*48 4f 4c 44 [0-9a-f\s]*$/.test(block))
    .map((block) => Buffer.from(block.replace(/\s/g, ''), 'hex'));
}

function around(vfs: MemoryVfs): {
  dispatch: SyncDispatch;
  preallocateBytes: number;
  timeOfDay: () => number;
  indexEntriesMin: number;
} {
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  return { dispatch, preallocateBytes: 0, timeOfDay: () => 1_000_000, indexEntriesMin: 1 };
}

test('a store with a batch and an entry that expires has the bytes of the page', async () => {
  const vfs = new MemoryVfs();
  const engine = await bitcaskKind.open('/store', around(vfs));
  const batch = new WriteBatch();
  batch.put(Buffer.from('a'), Buffer.from('1'));
  batch.delete(Buffer.from('b'));
  await engine.write(batch, 'sync');
  const expiring = new WriteBatch();
  expiring.put(Buffer.from('k'), Buffer.from(''), 5000);
  await engine.write(expiring, 'sync');
  await engine.close();
  const found = NAMES.map((name) => Buffer.from(readWholeFileSync(vfs, `/store/${name}`)));
  assert.deepEqual(found, worked());
});

test('the bytes of the page are a store', async () => {
  const vfs = new MemoryVfs();
  vfs.mkdirSync('/store');
  for (const [index, bytes] of worked().entries()) {
    const file = vfs.openSync(`/store/${NAMES[index]}`, { write: true, create: true });
    writeFullySync(file, bytes, 0);
    file.closeSync();
  }
  assert.equal((await bitcaskKind.verify('/store', around(vfs))).sound, true);
  const engine = await bitcaskKind.open('/store', around(vfs));
  assert.equal(engine.getSync(Buffer.from('a'))?.toString(), '1');
  assert.equal(engine.getSync(Buffer.from('b')), undefined);
  assert.equal(engine.getSync(Buffer.from('k'))?.length, 0);
  await engine.close();
});
