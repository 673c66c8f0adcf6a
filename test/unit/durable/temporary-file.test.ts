import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { FileOwner, OwnerJudge } from '../../../src/durable/temporary-file-owner.ts';
import {
  createTemporaryFileSync,
  sweepTemporaryFiles,
  sweepTemporaryFilesSync,
  temporaryFileOwner,
  temporaryPath,
} from '../../../src/durable/temporary-file.ts';
import { TemporaryFilesAtExit } from '../../../src/durable/temporary-file-exit.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';

const SELF: FileOwner = { world: 'a'.repeat(16), host: '0', processId: 7, start: '42' };
const DEAD: FileOwner = { ...SELF, processId: 8 };
const NONCE = '0123456789abcdef';

const judge: OwnerJudge = { self: SELF, isDead: (owner) => owner.processId === DEAD.processId };

function touch(vfs: Vfs, path: string): void {
  vfs.openSync(path, { write: true, create: true }).closeSync();
}

function names(vfs: Vfs, directory = '/'): string[] {
  return vfs
    .readDirectorySync(directory)
    .map((entry) => entry.name)
    .toSorted();
}

test('a name says who made it, and every other name says nothing', () => {
  for (const owner of [SELF, { ...SELF, host: 'b'.repeat(16), start: '0' }]) {
    const path = temporaryPath('/d', owner, NONCE);
    assert.ok(path.startsWith('/d/.holdfast-'));
    assert.deepEqual(temporaryFileOwner(path.slice('/d/'.length)), owner);
  }
  const name = temporaryPath('', SELF, NONCE).slice(1);
  for (const other of [`${name}x`, `x${name}`, name.toUpperCase(), 'file.tmp', '.holdfast-.tmp']) {
    assert.equal(temporaryFileOwner(other), null, other);
  }
});

test('the longest name fits where names may have 143 bytes', () => {
  const owner = {
    world: 'a'.repeat(16),
    host: 'b'.repeat(16),
    processId: 4194304,
    start: '9'.repeat(15),
  };
  assert.ok(temporaryPath('', owner, NONCE).length - 1 < 143);
});

test('what has the name already is never opened, and after three names the error is told', () => {
  const vfs = new MemoryVfs();
  vfs.symlinkSync('/elsewhere', temporaryPath('/', SELF, NONCE));
  let tries = 0;
  const sameNonce = (): string => ((tries += 1), NONCE);
  assert.throws(() => createTemporaryFileSync(vfs, '/', SELF, 0o600, sameNonce), {
    code: 'EEXIST',
  });
  assert.equal(tries, 3);
  assert.throws(() => vfs.lstatSync('/elsewhere'), { code: 'ENOENT' });
});

test('a name that is taken by chance is passed over', () => {
  const vfs = new MemoryVfs();
  touch(vfs, temporaryPath('/', SELF, NONCE));
  const nonces = [NONCE, 'f'.repeat(16)];
  const file = createTemporaryFileSync(vfs, '/', SELF, 0o640, () => nonces.shift() ?? '');
  assert.equal(file.path, temporaryPath('/', SELF, 'f'.repeat(16)));
  assert.equal(file.statSync().mode, 0o640);
  file.closeSync();
});

for (const form of ['asynchronous', 'synchronous'] as const) {
  const sweep = async (vfs: Vfs, directory: string): Promise<number> =>
    form === 'asynchronous'
      ? sweepTemporaryFiles(vfs, directory, judge)
      : sweepTemporaryFilesSync(vfs, directory, judge);

  test(`the ${form} sweep takes the files of the dead, and nothing else`, async () => {
    const vfs = new MemoryVfs();
    vfs.mkdirSync('/d');
    const mine = temporaryPath('/d', SELF, NONCE);
    touch(vfs, mine);
    touch(vfs, temporaryPath('/d', DEAD, NONCE));
    touch(vfs, temporaryPath('/d', DEAD, 'f'.repeat(16)));
    touch(vfs, '/d/data.tmp');
    vfs.mkdirSync(temporaryPath('/d', DEAD, '1'.repeat(16)));
    assert.equal(await sweep(vfs, '/d'), 2);
    const left = [
      mine.slice('/d/'.length),
      temporaryPath('', DEAD, '1'.repeat(16)).slice(1),
      'data.tmp',
    ];
    assert.deepEqual(names(vfs, '/d'), left.toSorted());
  });

  test(`the ${form} sweep goes on when one file cannot be deleted, and never fails`, async () => {
    const vfs = new MemoryVfs();
    const kept = temporaryPath('/', DEAD, '1'.repeat(16));
    touch(vfs, kept);
    touch(vfs, temporaryPath('/', DEAD, '2'.repeat(16)));
    const refusing = new Proxy(vfs, {
      get(target, key) {
        if (key === 'unlinkSync') {
          return (path: string) => {
            if (path === kept) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
            target.unlinkSync(path);
          };
        }
        if (key === 'unlink') {
          return async (path: string) => {
            if (path === kept) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
            target.unlinkSync(path);
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    assert.equal(await sweep(refusing, '/'), 1);
    assert.equal(await sweep(refusing, '/missing'), 0);
    assert.deepEqual(names(vfs), [kept.slice(1)]);
  });
}

test('what is in flight at exit is removed, and what became the target is not', () => {
  const vfs = new MemoryVfs();
  touch(vfs, '/in-flight');
  touch(vfs, '/done');
  const files = new TemporaryFilesAtExit();
  files.add(vfs, '/in-flight');
  files.add(vfs, '/done');
  files.add(vfs, '/never-made');
  files.delete('/done');
  files.removeAll();
  assert.deepEqual(names(vfs), ['done']);
});
