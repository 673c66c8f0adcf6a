import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SharedNames } from '../../../src/durable/atomic-names.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { put } from '../../support/atomic-rig.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';

function rig(platform = 'linux') {
  const spy = new SpyVfs(new MemoryVfs());
  const dispatch = new SyncDispatch(spy, syncRulesFor(platform, 'node'));
  const count = (name: string): number => spy.calls.filter((call) => call.name === name).length;
  return { spy, count, shared: new SharedNames(dispatch) };
}

test('users of one directory share one descriptor, closed by the last', () => {
  const { shared, count } = rig();
  const users = [shared.acquire('/'), shared.acquire('/'), shared.acquire('/')];
  assert.equal(count('openDirectory'), 1);
  for (const user of users.slice(1)) shared.release(user);
  assert.equal(count('directory.close'), 0);
  shared.release(users[0] ?? shared.acquire('/'));
  assert.equal(count('directory.close'), 1);
  shared.release(shared.acquire('/'));
  assert.equal(count('openDirectory'), 2);
});

test('a sync that has begun is not taken for one that begins now', async () => {
  const { shared, spy, count } = rig();
  const names = shared.acquire('/');
  const release = spy.hold('directory.sync');
  const running = names.sync('/a');
  const waiting = [names.sync('/b'), names.sync('/c')];
  assert.equal(count('directory.sync'), 1);
  release();
  await Promise.all([running, ...waiting]);
  assert.equal(count('directory.sync'), 2);
  await names.sync('/d');
  assert.equal(count('directory.sync'), 3);
});

test('after a failure nobody on the descriptor is told of success, and the next gets another', async () => {
  const { shared, spy, count } = rig();
  const [first, second] = [shared.acquire('/'), shared.acquire('/')];
  spy.refuse('directory.sync', 'EIO');
  await assert.rejects(first.sync('/a'), { code: 'EIO' });
  // The second had its rename done or not; the descriptor has already told its error.
  await assert.rejects(second.sync('/b'), { code: 'EIO' });
  assert.equal(count('directory.sync'), 1);
  const third = shared.acquire('/');
  assert.equal(count('openDirectory'), 2);
  await third.sync('/c');
  for (const names of [first, second]) shared.release(names);
  assert.equal(shared.acquire('/'), third);
});

test('where names cannot be synced each new file of a shared turn is flushed', async () => {
  const { shared, spy } = rig('win32');
  for (const path of ['/a', '/b', '/c']) put(spy, path, 'x');
  spy.calls.length = 0;
  const names = shared.acquire('/');
  const release = spy.hold('file.sync');
  const all = ['/a', '/b', '/c'].map((path) => names.sync(path));
  release();
  await Promise.all(all);
  const flushed = spy.calls.filter((call) => call.name === 'file.sync').map((call) => call.path);
  assert.deepEqual(flushed, ['/a', '/b', '/c']);
});
