import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { systemError } from '../../../src/vfs/errno.ts';
import type { Vfs, VfsDirectory, VfsFile } from '../../../src/vfs/vfs.ts';

/**
 * A file system that only knows how to be synced, and notes the calls. `failing` throws instead of
 * noting.
 */
function notingVfs(failing?: { readonly call: string; readonly error: Error }) {
  const calls: string[] = [];
  const note = (call: string): void => {
    if (failing?.call === call) throw failing.error;
    calls.push(call);
  };
  const both = (name: string) => ({
    [name]: async () => note(name),
    [`${name}Sync`]: () => note(`${name}Sync`),
  });
  const file = (path: string): VfsFile =>
    ({ path, ...both('sync'), ...both('datasync'), ...both('close') }) as unknown as VfsFile;
  const directory = { ...both('sync'), ...both('close') } as unknown as VfsDirectory;
  const open = (call: string, what: string): void => note(`${call} ${what}`);
  const vfs = {
    open: async (path: string, options: object) => {
      open('open', `${path} ${Object.keys(options).join()}`);
      return file(path);
    },
    openSync: (path: string, options: object) => {
      open('openSync', `${path} ${Object.keys(options).join()}`);
      return file(path);
    },
    openDirectory: async (path: string) => (open('openDirectory', path), directory),
    openDirectorySync: (path: string) => (open('openDirectorySync', path), directory),
  } as unknown as Vfs;
  return { vfs, calls, file: file('/f') };
}

function dispatchOn(platform: string, failing?: { readonly call: string; readonly error: Error }) {
  const noting = notingVfs(failing);
  return { ...noting, dispatch: new SyncDispatch(noting.vfs, syncRulesFor(platform, 'node')) };
}

test('bytes are synced with datasync on Linux and with sync elsewhere', async () => {
  for (const [platform, call] of [
    ['linux', 'datasync'],
    ['darwin', 'sync'],
    ['win32', 'sync'],
    ['sunos', 'sync'],
  ] as const) {
    const { dispatch, calls, file } = dispatchOn(platform);
    await dispatch.bytes(file);
    dispatch.bytesSync(file);
    assert.deepEqual(calls, [call, `${call}Sync`], platform);
  }
});

test('a whole file, attributes included, is never synced with datasync', async () => {
  const { dispatch, calls, file } = dispatchOn('linux');
  await dispatch.file(file);
  dispatch.fileSync(file);
  assert.deepEqual(calls, ['sync', 'syncSync']);
});

test('names are synced by opening, syncing and closing their directory', async () => {
  const { dispatch, calls } = dispatchOn('linux');
  await dispatch.names('/d', ['/d/f']);
  dispatch.namesSync('/d');
  assert.deepEqual(calls, [
    'openDirectory /d',
    'sync',
    'close',
    'openDirectorySync /d',
    'syncSync',
    'closeSync',
  ]);
});

test('on Windows the new file is opened for writing under its new name and flushed', async () => {
  const { dispatch, calls } = dispatchOn('win32');
  await dispatch.names('/d', ['/d/f']);
  dispatch.namesSync('/d', ['/d/g']);
  assert.deepEqual(calls, [
    'open /d/f write,noFollow',
    'sync',
    'close',
    'openSync /d/g write,noFollow',
    'syncSync',
    'closeSync',
  ]);
});

test('a new directory is synced in its parent, and not at all on Windows', async () => {
  const linux = dispatchOn('linux');
  await linux.dispatch.newDirectory('/a/b');
  assert.deepEqual(linux.calls, ['openDirectory /a', 'sync', 'close']);
  const windows = dispatchOn('win32');
  await windows.dispatch.newDirectory('/a/b');
  windows.dispatch.newDirectorySync('/a/b');
  assert.deepEqual(windows.calls, []);
});

test('only where the flag makes writes durable is it offered', () => {
  assert.equal(dispatchOn('linux').dispatch.durableWriteFlag, 'data');
  assert.equal(dispatchOn('darwin').dispatch.durableWriteFlag, undefined);
  assert.equal(dispatchOn('win32').dispatch.durableWriteFlag, undefined);
});

test('a failed directory sync is told, once, and the directory is closed', async () => {
  const error = systemError('EIO', 'fsync', '/d');
  const { dispatch, calls } = dispatchOn('linux', { call: 'sync', error });
  await assert.rejects(dispatch.names('/d'), error);
  assert.deepEqual(calls, ['openDirectory /d', 'close']);
});

test('a file system without a directory sync is taken as it is, and a full disk is not', async () => {
  const without = dispatchOn('linux', {
    call: 'sync',
    error: systemError('EINVAL', 'fsync', '/d'),
  });
  await without.dispatch.names('/d');
  const full = dispatchOn('linux', {
    call: 'syncSync',
    error: systemError('ENOSPC', 'fsync', '/d'),
  });
  assert.throws(() => full.dispatch.namesSync('/d'), { code: 'ENOSPC' });
});

test('a directory whose close fails has still been synced', async () => {
  const { dispatch } = dispatchOn('linux', {
    call: 'close',
    error: systemError('EIO', 'close', '/d'),
  });
  await dispatch.names('/d');
});

test('a step begins only when the one before has returned, and not at all when it failed', async () => {
  const { dispatch } = dispatchOn('linux');
  const seen: string[] = [];
  const step = (name: string, error?: Error) => async (): Promise<void> => {
    seen.push(`${name} begins`);
    await new Promise((resolve) => void setImmediate(resolve));
    if (error !== undefined) throw error;
    seen.push(`${name} ends`);
  };
  await dispatch.inOrder(step('a'), step('b'));
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends']);
  seen.length = 0;
  await assert.rejects(dispatch.inOrder(step('a', new Error('no')), step('b')), { message: 'no' });
  assert.deepEqual(seen, ['a begins']);
});
