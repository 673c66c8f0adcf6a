/** What an append costs, counted: the guard that no figure of a clock can be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';

import { AppendFile } from '../../../src/durable/append-file.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MeteredVfs } from '../../../src/vfs/metered-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import type { TestScope } from '../../support/temporary-directory.ts';

const RECORD = new Uint8Array(100).fill(1);

async function metered(scope: TestScope, platform: string, sync: 'sync' | 'batch' | 'none') {
  const vfs = new MeteredVfs(nodeVfs);
  const dispatch = new SyncDispatch(vfs, syncRulesFor(platform, 'node'));
  const path = join(temporaryDirectory(scope), 'log');
  const file = await AppendFile.create(path, { dispatch, sync });
  const created = vfs.counts();
  vfs.reset();
  return { vfs, file, created };
}

test('a new file takes two opens, and one directory opened, synced and closed', async (t) => {
  const { file, created } = await metered(t, 'linux', 'sync');
  assert.deepEqual(created, {
    openDirectory: 1,
    open: 2,
    'directory.sync': 1,
    'directory.close': 1,
  });
  await file.close();
});

test('a group is one durable write, or one write and one sync, and nothing else', async (t) => {
  for (const [platform, syncs] of [
    ['linux', 0],
    ['darwin', 1],
  ] as const) {
    const { vfs, file } = await metered(t, platform, 'sync');
    for (let group = 0; group < 10; group++) {
      await Promise.all(Array.from({ length: 64 }, () => file.append(RECORD)));
    }
    for (let single = 0; single < 10; single++) file.appendSync(RECORD);
    assert.equal(vfs.count('file.write'), 20);
    assert.equal(vfs.syncCount, 20 * syncs);
    assert.equal(vfs.bytesWritten, 650 * RECORD.length);
    await file.close();
  }
});

test('callers that wait for each other share a call from their second append on', async (t) => {
  const { vfs, file } = await metered(t, 'linux', 'sync');
  const caller = async (): Promise<void> => {
    for (let count = 0; count < 20; count++) await file.append(RECORD);
  };
  await Promise.all(Array.from({ length: 64 }, caller));
  assert.equal(vfs.count('file.write'), 20);
  await file.close();
});

test('unsynced appends of one turn are one write, and close syncs them once', async (t) => {
  const { vfs, file } = await metered(t, 'linux', 'none');
  let last: Promise<void> | null = null;
  for (let count = 0; count < 10_000; count++) last = file.append(RECORD);
  await last;
  assert.equal(vfs.count('file.write'), 1);
  assert.equal(vfs.syncCount, 0);
  await file.close();
  assert.equal(vfs.syncCount, 1);
  assert.equal(vfs.count('file.truncate'), 0);
});

test('a batch syncs once a window', async (t) => {
  const { vfs, file } = await metered(t, 'linux', 'batch');
  for (let count = 0; count < 2500; count++) file.appendSync(RECORD);
  assert.equal(vfs.count('file.write'), 2500);
  assert.equal(vfs.syncCount, 2);
  await file.close();
  assert.equal(vfs.syncCount, 3);
});

test('a durable file closes without another sync', async (t) => {
  const { vfs, file } = await metered(t, 'linux', 'sync');
  await file.append(RECORD);
  vfs.reset();
  await file.close();
  assert.deepEqual(vfs.counts(), { 'file.close': 2 });
});
