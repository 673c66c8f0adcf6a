/** What a wrong argument, a foreign file or a moved directory must not do: each was once possible. */

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { AppendFile } from '../../../src/durable/append-file.ts';
import { AtomicFile, replaceSystem } from '../../../src/durable/atomic-file.ts';
import { mkdir, mkdirSync, rm, rmSync } from '../../../src/durable/durable-calls.ts';
import { DirectoryLock } from '../../../src/durable/lock-file.ts';
import { writeFile } from '../../../src/durable/atomic-write-file.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import type { VfsDirectory } from '../../../src/vfs/vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Notes which directory, by inode, each directory descriptor was opened on. */
class OpenedDirectories extends ForwardingVfs {
  readonly inodes: bigint[] = [];

  override openDirectorySync(path: string): VfsDirectory {
    this.inodes.push(this.statSync(path).inode);
    return super.openDirectorySync(path);
  }
}

void test('a directory that took the place of another is synced itself, not the one that was there', async (t) => {
  const top = temporaryDirectory(t);
  const directory = join(top, 'd');
  fs.mkdirSync(directory);
  const vfs = new OpenedDirectories(nodeVfs);
  const file = new AtomicFile(replaceSystem(vfs));
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const bytes = Buffer.from('x');
  const first = file.replace(join(directory, 'one'), bytes, { onTemporaryFile: () => held });
  while (vfs.inodes.length === 0) await new Promise((resolve) => setImmediate(resolve));
  fs.renameSync(directory, join(top, 'old'));
  fs.mkdirSync(directory);
  await file.replace(join(directory, 'two'), bytes, {});
  assert.equal(vfs.inodes.at(-1), fs.statSync(directory, { bigint: true }).ino);
  go();
  await assert.rejects(first);
});

void test('an append takes bytes and nothing else, and nothing is written otherwise', async (t) => {
  const path = join(temporaryDirectory(t), 'log');
  const file = await AppendFile.create(path);
  for (const wrong of ['text', { length: 3 }, new Uint16Array([1000]), undefined]) {
    await assert.rejects(file.append(wrong as Uint8Array), TypeError);
    assert.throws(() => file.appendSync(wrong as Uint8Array), TypeError);
  }
  file.appendSync(Buffer.from('ok'));
  await file.close();
  assert.equal(fs.readFileSync(path, 'utf8'), 'ok');
  await assert.rejects(AppendFile.open(path, Number.NaN), TypeError);
  assert.throws(() => AppendFile.openSync(path, -1), TypeError);
});

void test('rm of a path that goes through a link or ends in a dot destroys nothing', async (t) => {
  const top = temporaryDirectory(t);
  fs.mkdirSync(join(top, 'kept'));
  fs.writeFileSync(join(top, 'kept/data'), 'precious');
  fs.symlinkSync('kept', join(top, 'link'));
  for (const path of ['link/', 'kept/.', 'kept/x/..']) {
    await assert.rejects(rm(`${top}/${path}`, { recursive: true }));
    assert.throws(() => rmSync(`${top}/${path}`, { recursive: true }));
  }
  assert.equal(fs.readFileSync(join(top, 'kept/data'), 'utf8'), 'precious');
  await rm(join(top, 'kept/'), { recursive: true });
  assert.equal(fs.existsSync(join(top, 'kept')), false);
});

void test('files and directories that only look like locks own nothing', async (t) => {
  const top = temporaryDirectory(t);
  fs.writeFileSync(join(top, 'holdfast-lock-999999999999999'), 'junk');
  fs.writeFileSync(join(top, 'holdfast-lock-999999999999'), 'junk');
  fs.mkdirSync(join(top, 'holdfast-lock-00000005'));
  const lock = await DirectoryLock.acquire(top);
  await lock.release();
});

void test('a callback that is none is refused before anything is written', (t) => {
  const path = join(temporaryDirectory(t), 'file');
  assert.throws(() => {
    writeFile(path, 'x', {}, 'no function' as unknown as () => void);
  }, TypeError);
  assert.equal(fs.existsSync(path), false);
});

void test('options of a wrong type are refused by name, before anything happens', async (t) => {
  const top = temporaryDirectory(t);
  fs.mkdirSync(join(top, 'kept'));
  const wrong: [object, RegExp][] = [
    [{ recursive: 'yes' }, /^options\.recursive must be true or false, not string$/],
    [{ recursive: true, force: 1 }, /^options\.force must be true or false, not number$/],
    [{ recursive: null }, /^options\.recursive must be true or false, not null$/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(rm(join(top, 'kept'), options), { name: 'TypeError', message });
    assert.throws(() => rmSync(join(top, 'kept'), options), { name: 'TypeError', message });
  }
  const notAnObject = 'force' as unknown as object;
  assert.throws(
    () => rmSync(join(top, 'kept'), notAnObject),
    /options must be an object, not string/,
  );
  const recursive = { recursive: 1 as unknown as boolean };
  await assert.rejects(mkdir(join(top, 'new'), recursive), { name: 'TypeError' });
  assert.throws(() => mkdirSync(join(top, 'new'), recursive), { name: 'TypeError' });
  assert.deepEqual(fs.readdirSync(top), ['kept']);
});
