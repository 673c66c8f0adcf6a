/**
 * A sync of the page file fails while others of the same file are asked for: none of them may be
 * taken for a success, because an open description tells a failed write-back only once.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import type { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';

function lateSyncs(): LateCallsVfs {
  const isIt = ({ name, path }: VfsCall): boolean =>
    name === 'file.datasync' && path === '/store/tree.pages';
  return new LateCallsVfs(new MemoryVfs(), isIt);
}

const FAULT = { kind: 'failed-sync', path: /tree\.pages$/, blocking: false } as const;

function open(vfs: Vfs): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node'));
  const checkpoint = { logBytes: 1 << 30, ms: 1e9 };
  return btreeKind.open('/store', { dispatch, sync: 'sync', aheadBytes: 8192, checkpoint });
}

const long = (byte: number): Buffer => Buffer.alloc(20_000, byte);
const put = (key: string, byte: number): WriteBatch => WriteBatch.put(Buffer.from(key), long(byte));

/** A power cut: each value that was acknowledged is there, and every page is sound. */
async function checkAfterCrash(vfs: FaultVfs, kept: ReadonlyMap<string, number>): Promise<void> {
  const engine = await open(MemoryVfs.fromTree(vfs.crash()));
  assert.deepEqual((await engine.verify()).damage, []);
  for (const [key, byte] of kept) {
    assert.ok(engine.getSync(Buffer.from(key))?.equals(long(byte)), key);
  }
  await engine.close();
}

test('a blocking write does not believe its sync while one is under way that fails', async () => {
  const vfs = lateSyncs();
  const engine = await open(vfs);
  await engine.write(put('before', 1));
  vfs.inject(FAULT);
  const reached = vfs.hold();
  const first = engine.write(put('first', 2));
  await reached;
  const poisoned = { code: 'HOLDFAST_POISONED' };
  assert.throws(() => engine.writeSync(put('second', 3)), poisoned);
  vfs.release();
  await assert.rejects(async () => first, poisoned);
  assert.equal(vfs.injected.length, 1);
  await assert.rejects(engine.close(), poisoned);
  await checkAfterCrash(vfs, new Map([['before', 1]]));
});

test('a blocking write is durable while a sync is under way that succeeds', async () => {
  const vfs = lateSyncs();
  const engine = await open(vfs);
  const reached = vfs.hold();
  const first = engine.write(put('first', 2));
  await reached;
  engine.writeSync(put('second', 3));
  const kept = new Map([
    ['first', 2],
    ['second', 3],
  ]);
  await checkAfterCrash(vfs, kept);
  vfs.release();
  await first;
  await engine.close();
  await checkAfterCrash(vfs, kept);
});

test('a value ahead of its commit waits for the sync of a checkpoint, and fails with it', async () => {
  const vfs = lateSyncs();
  const engine = await open(vfs);
  await engine.write(put('before', 1));
  vfs.inject(FAULT);
  const reached = vfs.hold();
  const compacting = engine.compact();
  await reached;
  const write = engine.write(put('first', 2));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(vfs.begun, 1, 'one sync at a time goes through a description');
  vfs.release();
  const poisoned = { code: 'HOLDFAST_POISONED' };
  await assert.rejects(async () => write, poisoned);
  await assert.rejects(compacting);
  await assert.rejects(engine.close(), poisoned);
  await checkAfterCrash(vfs, new Map([['before', 1]]));
});
