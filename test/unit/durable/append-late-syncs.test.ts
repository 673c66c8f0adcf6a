/**
 * A sync or durable write of an append file fails on the thread pool, and before its callers hear of
 * it a blocking call comes: it must not take its own sync for a success.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AppendFile } from '../../../src/durable/append-file.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';

const A = new Uint8Array(5000).fill(1);
const B = new Uint8Array(5000).fill(2);
const POISONED = { code: 'HOLDFAST_POISONED' };
const WAYS = ['append', 'sync'] as const;

function onDisk(vfs: LateCallsVfs): Buffer {
  return Buffer.from(readWholeFileSync(MemoryVfs.fromTree(vfs.crash()), '/log'));
}

async function fileOn(platform: string, isIt: 'file.write' | 'file.datasync' | 'file.sync') {
  const vfs = new LateCallsVfs(new MemoryVfs(), ({ name }) => name === isIt);
  const dispatch = new SyncDispatch(vfs, syncRulesFor(platform, 'node'));
  const file = await AppendFile.create('/log', { dispatch, sync: 'none' });
  return { vfs, file };
}

for (const [platform, call] of [
  ['linux', 'file.datasync'],
  ['darwin', 'file.sync'],
] as const) {
  for (const way of WAYS) {
    test(`on ${platform} a blocking ${way} beside a sync that fails does not return`, async () => {
      const { vfs, file } = await fileOn(platform, call);
      await file.append(A);
      vfs.inject({ kind: 'failed-sync', blocking: false });
      const reached = vfs.hold();
      const first = file.sync();
      await reached;
      const blocking = (): void => (way === 'sync' ? file.syncSync() : file.appendSync(B, 'sync'));
      assert.throws(blocking, POISONED);
      assert.equal(file.durableLength, 0);
      vfs.release();
      await assert.rejects(first, POISONED);
      await assert.rejects(file.close(), POISONED);
      assert.ok(!onDisk(vfs).subarray(0, A.length).equals(A), 'the failed sync has lost it');
    });
  }
}

for (const way of WAYS) {
  test(`a blocking ${way} beside a durable write that fails does not return`, async () => {
    const { vfs, file } = await fileOn('linux', 'file.write');
    vfs.inject({ kind: 'EIO', calls: ['file.write'], blocking: false });
    const reached = vfs.hold();
    const first = file.append(A, 'sync');
    await reached;
    const blocking = (): void => (way === 'sync' ? file.syncSync() : file.appendSync(B, 'sync'));
    assert.throws(blocking, POISONED);
    assert.equal(file.durableLength, 0);
    vfs.release();
    await assert.rejects(first, POISONED);
    await assert.rejects(file.close(), POISONED);
  });
}

test('a blocking append beside a sync that succeeds is durable with all before it', async () => {
  const { vfs, file } = await fileOn('linux', 'file.datasync');
  await file.append(A);
  const reached = vfs.hold();
  const first = file.sync();
  await reached;
  file.appendSync(B, 'sync');
  assert.ok(onDisk(vfs).equals(Buffer.concat([A, B])));
  vfs.release();
  await first;
  await file.close();
});
