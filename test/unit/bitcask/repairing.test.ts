/** What a repair makes durable, and in which order. What it saves of damaged stores: `test/fault`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { batchOfLabel } from '../../support/engine-commit.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';

const CHANGES: ReadonlySet<string> = new Set([
  'directory.sync',
  'file.datasync',
  'file.sync',
  'link',
  'mkdir',
  'rename',
]);

function dispatchOf(vfs: Vfs): SyncDispatch {
  return new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
}

/** Syncs and changes of names that a repair makes, in order. */
async function repairOf(memory: MemoryVfs): Promise<string[]> {
  const spy = new SpyVfs(memory);
  await bitcaskKind.repair('/store', { dispatch: dispatchOf(new LockAsideVfs(spy)) });
  return spy.calls
    .filter(({ name }) => CHANGES.has(name))
    .map(({ name, path, target }) => {
      const said = target === undefined ? path : target;
      return `${name} ${said.replace(/\d{9}(\d)\./, '$1.').replace(/\.holdfast-.*/, 'TEMPORARY')}`;
    });
}

test('a repair syncs what it made, and the names of what it keeps aside, before the manifest is replaced', async () => {
  const memory = new MemoryVfs();
  const engine = await bitcaskKind.open('/store', { dispatch: dispatchOf(memory) });
  await engine.write(batchOfLabel('c:k*20=100'), 'sync');
  await engine.close();
  const manifest = ['file.sync /store/TEMPORARY', 'rename /store/BITCASK', 'directory.sync /store'];
  assert.deepEqual(await repairOf(memory), [
    'file.datasync /store/2.data',
    'directory.sync /store',
    'directory.sync /',
    'mkdir /store/lost',
    'directory.sync /store',
    'link /store/lost/1.data',
    'link /store/lost/1.hint',
    'directory.sync /store/lost',
    ...manifest,
  ]);
  // Again, and `lost` is there: whoever made it may have been killed before its name was durable.
  assert.deepEqual(await repairOf(memory), [
    'file.datasync /store/3.data',
    'directory.sync /store',
    'directory.sync /store',
    'link /store/lost/1.data',
    'link /store/lost/1.hint',
    'link /store/lost/2.data',
    'directory.sync /store/lost',
    ...manifest,
  ]);
});
