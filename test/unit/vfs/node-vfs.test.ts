import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import { AssertionError } from '../../../src/base/assert.ts';
import { systemError } from '../../../src/vfs/errno.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import type { OpenOptions } from '../../../src/vfs/vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { hasCode, rejectsWith, utf8 } from '../../support/vfs-helpers.ts';

const UPDATE: OpenOptions = { read: true, write: true, create: true };

type Method = keyof typeof fs &
  ('read' | 'write' | 'fsync' | 'readSync' | 'writeSync' | 'fsyncSync');

/**
 * Lets the first `times` calls of a method of node:fs be interrupted. Returns how often it was
 * called.
 */
function interrupt(t: TestContext, method: Method, times: number): () => number {
  const original = fs[method] as (...values: unknown[]) => unknown;
  let calls = 0;
  t.mock.method(fs, method, (...values: unknown[]): unknown => {
    calls++;
    if (calls > times) return Reflect.apply(original, fs, values);
    const error = systemError('EINTR', method, '?');
    const callback = values.at(-1);
    if (typeof callback !== 'function') throw error;
    setImmediate(() => void Reflect.apply(callback, undefined, [error]));
    return undefined;
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return () => calls;
}

describe('NodeVfs', () => {
  it('repeats reads and writes that a signal interrupted', async (t) => {
    const file = nodeVfs.openSync(join(temporaryDirectory(t), 'f'), UPDATE);
    const counts = (['write', 'writeSync', 'read', 'readSync'] as const).map((method) =>
      interrupt(t, method, 2),
    );
    assert.equal(await file.write(utf8('abc'), 0, 3, 0), 3);
    assert.equal(file.writeSync(utf8('def'), 0, 3, 3), 3);
    const buffer = new Uint8Array(9);
    assert.equal(await file.read(buffer, 0, 9, 0), 6);
    assert.equal(file.readSync(buffer, 0, 9, 3), 3);
    assert.deepEqual(
      counts.map((count) => count()),
      [3, 3, 3, 3],
    );
    file.closeSync();
  });

  it('never repeats a sync by itself', async (t) => {
    const file = nodeVfs.openSync(join(temporaryDirectory(t), 'f'), UPDATE);
    const counts = [interrupt(t, 'fsync', 1), interrupt(t, 'fsyncSync', 1)];
    await rejectsWith(file.sync(), 'EINTR');
    assert.throws(() => file.syncSync(), hasCode('EINTR'));
    assert.deepEqual(
      counts.map((count) => count()),
      [1, 1],
    );
    file.closeSync();
  });

  it('closes only when the calls in flight have ended, and refuses new ones at once', async (t) => {
    const path = join(temporaryDirectory(t), 'f');
    const file = nodeVfs.openSync(path, UPDATE);
    // A thread pool that is busy with other things: the write begins when it is released.
    const { write } = fs as { write: (...values: unknown[]) => void };
    let release = (): void => undefined;
    t.mock.method(fs, 'write', (...values: unknown[]) => {
      release = (): void => write(...values);
    });
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const ended: string[] = [];
    const writing = file.write(utf8('abc'), 0, 3, 0).then(() => ended.push('write'));
    const closing = file.close().then(() => ended.push('close'));
    await rejectsWith(file.read(new Uint8Array(1), 0, 1, 0), 'EBADF');
    await nodeVfs.stat(path);
    release();
    await Promise.all([writing, closing]);
    assert.deepEqual(ended, ['write', 'close']);
    assert.equal(nodeVfs.statSync(path).size, 3);
  });

  it('refuses closeSync while a call is in flight, and stays open', async (t) => {
    const file = nodeVfs.openSync(join(temporaryDirectory(t), 'f'), UPDATE);
    const writing = file.write(utf8('abc'), 0, 3, 0);
    assert.throws(() => file.closeSync(), AssertionError);
    assert.equal(await writing, 3);
    file.closeSync();
  });

  it('names the file in errors of its descriptor', (t) => {
    const path = join(temporaryDirectory(t), 'f');
    const file = nodeVfs.openSync(path, { write: true, create: true });
    assert.throws(() => file.readSync(new Uint8Array(1), 0, 1, 0), {
      code: 'EBADF',
      path,
      message: `EBADF: bad file descriptor, read '${path}'`,
    });
    file.closeSync();
  });

  it('opens a write as durable when asked', { skip: skipWithoutProc() }, (t) => {
    const path = join(temporaryDirectory(t), 'f');
    for (const [sync, flag] of [
      ['data', fs.constants.O_DSYNC],
      ['all', fs.constants.O_SYNC],
    ] as const) {
      const file = nodeVfs.openSync(path, { write: true, create: true, sync });
      const fd = fs.readdirSync('/proc/self/fd').find((name) => linkOf(name) === path) ?? '';
      const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
      const flags = Number.parseInt(/flags:\s*([0-7]+)/.exec(info)?.[1] ?? '', 8);
      assert.equal(flags & (fs.constants.O_SYNC | fs.constants.O_DSYNC), flag);
      file.closeSync();
    }
  });
});

function linkOf(fd: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The descriptor that listed the directory is gone by now.
    return '';
  }
}

function skipWithoutProc(): string | false {
  return fs.existsSync('/proc/self/fdinfo') ? false : 'needs /proc/self/fdinfo, which Linux has';
}
