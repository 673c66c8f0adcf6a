/** A B+tree whose log has lost its end: an error for all, and one with a code. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

const LOGS = '/store/log';

test('a log that is cut before its checkpoint is corruption, for opening and for verify', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const store = await btreeKind.open('/store', { dispatch });
  for (const key of ['a', 'b'])
    await store.write(WriteBatch.put(Buffer.from(key), Buffer.alloc(9)));
  await store.close();
  assert.equal((await btreeKind.verify('/store', { dispatch })).sound, true);
  const logs = vfs.readDirectorySync(LOGS).filter(({ name }) => name.endsWith('.log'));
  const file = vfs.openSync(`${LOGS}/${logs.at(-1)?.name}`, { write: true });
  file.truncateSync(45);
  file.closeSync();
  const { sound, damage } = await btreeKind.verify('/store', { dispatch });
  assert.equal(sound, false);
  assert.match(damage[0]?.message ?? '', /checkpoint/);
  for (const _ of ['first', 'again']) {
    const opening = btreeKind.open('/store', { dispatch });
    await assert.rejects(opening, { code: 'HOLDFAST_CORRUPTION', path: LOGS });
  }
});

test('pages that have seen more than is in the log are corruption, for opening and for verify', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const logged = async (from: number, to: number): Promise<void> => {
    const store = await btreeKind.open('/store', { dispatch });
    for (let index = from; index < to; index++)
      await store.write(WriteBatch.put(Buffer.from(`${index}`), Buffer.alloc(900)));
    await store.close();
  };
  await logged(0, 9);
  const older = vfs.toTree();
  await logged(9, 20);
  const newer = vfs.toTree();
  // A file system that gave the log an older content: each of its files is sound by itself.
  const [from, to] = [storeOf(older), storeOf(newer)];
  to.set('log', from.get('log')!);
  const mixed = { dispatch: new SyncDispatch(MemoryVfs.fromTree(newer)) };
  const { sound, damage } = await btreeKind.verify('/store', mixed);
  assert.equal(sound, false);
  assert.match(damage[0]?.message ?? '', /the log has lost its end/);
  const opening = btreeKind.open('/store', mixed);
  await assert.rejects(opening, { code: 'HOLDFAST_CORRUPTION', path: '/store/tree.pages' });
});

function storeOf(tree: FileTreeDirectory): Map<string, FileTreeNode> {
  const store = tree.entries.get('store');
  assert.ok(store?.kind === 'directory');
  return store.entries as Map<string, FileTreeNode>;
}
