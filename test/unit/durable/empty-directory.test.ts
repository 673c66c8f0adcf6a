/** A directory for something new is made, or taken when it is empty, and nothing that is there is taken over. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeEmptyDirectory } from '../../../src/durable/empty-directory.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

test('a missing directory is made with all above it, and an empty one is taken as it is', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  assert.equal(await makeEmptyDirectory(dispatch, '/a/b'), '/a');
  assert.equal(await makeEmptyDirectory(dispatch, '/a/b'), undefined);
  assert.equal(vfs.statSync('/a/b').kind, 'directory');
});

test('one with something in it is refused, with a name of what is there', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  await makeEmptyDirectory(dispatch, '/a/b');
  await assert.rejects(makeEmptyDirectory(dispatch, '/a'), {
    code: 'HOLDFAST_EXISTS',
    message: '/a is not empty, it has "b": name a new or an empty directory',
  });
});
