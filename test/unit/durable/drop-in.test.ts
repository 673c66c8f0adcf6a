/**
 * What the README and the tests of write-file-atomic 7 describe, tried on it and on Holdfast: the same
 * calls, the same results. Where Holdfast differs on purpose, `atomic-write-file.test.ts` says so.
 */

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import { writeFile, writeFileSync } from '../../../src/durable/atomic-write-file.ts';
import type { WriteFileData, WriteFileOptions } from '../../../src/durable/atomic-write-file.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

type Options = WriteFileOptions | BufferEncoding;

interface Rival {
  (path: string, data: WriteFileData, options?: Options): Promise<void>;
  sync(path: string, data: WriteFileData, options?: Options): void;
}

type CallbackForm = (path: string, data: WriteFileData, ...rest: unknown[]) => unknown;

const rival = createRequire(import.meta.url)('write-file-atomic') as Rival;

interface Implementation {
  readonly name: string;
  readonly asynchronous: (path: string, data: WriteFileData, options?: Options) => Promise<void>;
  readonly synchronous: (path: string, data: WriteFileData, options?: Options) => void;
  readonly callback: CallbackForm;
}

const IMPLEMENTATIONS: readonly Implementation[] = [
  {
    name: 'holdfast',
    asynchronous: (path, data, options) => writeFile(path, data, options),
    synchronous: writeFileSync,
    callback: writeFile as CallbackForm,
  },
  {
    name: 'write-file-atomic',
    asynchronous: (path, data, options) => rival(path, data, options),
    synchronous: (path, data, options) => rival.sync(path, data, options),
    callback: rival as unknown as CallbackForm,
  },
];

const isRoot = process.getuid?.() === 0;
const needsRoot = { skip: isRoot ? false : 'only root may give files away' };
const unix = { skip: process.platform === 'win32' ? 'Windows has no permission bits' : false };

for (const { name, asynchronous, synchronous, callback } of IMPLEMENTATIONS) {
  const forms: readonly (readonly [string, Implementation['asynchronous']])[] = [
    ['promise', asynchronous],
    [
      'callback',
      (path, data, options) =>
        new Promise<void>((resolve, reject) => {
          const done = (error?: Error | null): void => {
            if (error === null || error === undefined) resolve();
            else reject(error);
          };
          void (options === undefined
            ? callback(path, data, done)
            : callback(path, data, options, done));
        }),
    ],
    ['sync', async (path, data, options) => synchronous(path, data, options)],
  ];

  for (const [form, write] of forms) {
    const title = (behaviour: string): string => `${name}, ${form}: ${behaviour}`;

    test(title('text, bytes, typed arrays and nothing at all become files'), async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      for (const [data, content] of [
        ['42', '42'],
        [Buffer.from('43'), '43'],
        [new Uint8Array([0x34, 0x34]), '44'],
        [undefined, ''],
        [null, ''],
      ] as const) {
        await write(file, data);
        assert.equal(fs.readFileSync(file, 'utf8'), content);
      }
      assert.deepEqual(fs.readdirSync(dirname(file)), ['f']);
    });

    test(title('an encoding is an option, or all options'), async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      await write(file, 'fo', 'utf16le');
      assert.equal(fs.readFileSync(file, 'latin1'), 'f\0o\0');
      await write(file, 'Zg==', { encoding: 'base64' });
      assert.equal(fs.readFileSync(file, 'latin1'), 'f');
      await write(file, Buffer.from('Zg=='), { encoding: 'base64' });
      assert.equal(fs.readFileSync(file, 'latin1'), 'Zg==');
    });

    test(title('a link stays a link, and its target is replaced'), async (t) => {
      const directory = temporaryDirectory(t);
      const [file, link] = [join(directory, 'file'), join(directory, 'link')];
      fs.writeFileSync(file, '42');
      fs.symlinkSync(file, link);
      await write(link, '43');
      assert.equal(fs.readFileSync(file, 'utf8'), '43');
      assert.ok(fs.lstatSync(link).isSymbolicLink());
      assert.deepEqual(fs.readdirSync(directory), ['file', 'link']);
    });

    test(title('the mode asked for is set, and kept by the next'), unix, async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      const mode = (): number => fs.statSync(file).mode & 0o7777;
      await write(file, '1', { mode: 0o741 });
      assert.equal(mode(), 0o741);
      await write(file, '2');
      assert.equal(mode(), 0o741);
      await write(file, '3', { mode: 0o666 });
      assert.equal(mode(), 0o666);
      await write(file, '4', { mode: '0600' });
      assert.equal(mode(), 0o600);
    });

    test(title('a new file gets 0666 less the umask'), unix, async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      await write(file, '1');
      fs.writeFileSync(`${file}.plain`, '1');
      assert.equal(fs.statSync(file).mode, fs.statSync(`${file}.plain`).mode);
    });

    test(title('owner and group are set, and kept by the next'), needsRoot, async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      const owner = (): number[] => [fs.statSync(file).uid, fs.statSync(file).gid];
      await write(file, '1', { chown: { uid: 42, gid: 43 } });
      assert.deepEqual(owner(), [42, 43]);
      await write(file, '2', { mode: 0o741 });
      assert.deepEqual(owner(), [42, 43]);
      await write(file, '3');
      assert.deepEqual(owner(), [42, 43]);
      assert.equal(fs.statSync(file).mode & 0o7777, 0o741);
    });

    test(title('a directory that does not exist is ENOENT'), async (t) => {
      const directory = temporaryDirectory(t);
      await assert.rejects(write(join(directory, 'missing', 'f'), '1'), { code: 'ENOENT' });
      assert.deepEqual(fs.readdirSync(directory), []);
    });

    test(title('a failure leaves the old content and no temporary file'), async (t) => {
      const directory = temporaryDirectory(t);
      fs.mkdirSync(join(directory, 'd', 'full'), { recursive: true });
      await assert.rejects(write(join(directory, 'd'), '1'));
      assert.deepEqual(fs.readdirSync(directory), ['d']);
      assert.ok(fs.statSync(join(directory, 'd')).isDirectory());
    });

    test(title('the temporary file is announced, beside the target'), async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      let seen = '';
      await write(file, '1', {
        tmpfileCreated: (path) => {
          assert.ok(fs.existsSync(path));
          seen = path;
        },
      });
      assert.equal(dirname(seen), dirname(file));
      assert.notEqual(basename(seen), 'f');
      assert.ok(!fs.existsSync(seen));
    });

    test(title('what the announcement throws comes back, and the file is as before'), async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      const thrown = new Error('no');
      const options = {
        tmpfileCreated: () => {
          throw thrown;
        },
      };
      await assert.rejects(write(file, '1', options), thrown);
      assert.deepEqual(fs.readdirSync(dirname(file)), []);
    });

    test(title('without fsync the file is replaced all the same'), async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      await write(file, '1', { fsync: false });
      await write(file, '2', { fsync: false });
      assert.equal(fs.readFileSync(file, 'utf8'), '2');
    });

    test(title('chown without both numbers is an error'), async (t) => {
      const file = join(temporaryDirectory(t), 'f');
      await assert.rejects(write(file, '1', { chown: { uid: 1 } as { uid: number; gid: number } }));
      assert.ok(!fs.existsSync(file));
    });
  }

  test(`${name}: writes to one file take effect in the order of the calls`, async (t) => {
    const file = join(temporaryDirectory(t), 'f');
    const ended: number[] = [];
    const writes = [0, 1, 2, 3, 4].map((index) =>
      asynchronous(file, `${index}`).then(() => ended.push(index)),
    );
    await Promise.all(writes);
    assert.deepEqual(ended, [0, 1, 2, 3, 4]);
    assert.equal(fs.readFileSync(file, 'utf8'), '4');
  });

  test(`${name}: an asynchronous announcement is awaited`, async (t) => {
    const file = join(temporaryDirectory(t), 'f');
    let awaited = false;
    await asynchronous(file, '1', {
      tmpfileCreated: async () => {
        await new Promise((resolve) => void setImmediate(resolve));
        assert.ok(!fs.existsSync(file));
        awaited = true;
      },
    });
    assert.ok(awaited);
  });

  test(`${name}: chown false leaves the file to the one who writes it`, needsRoot, async (t) => {
    const file = join(temporaryDirectory(t), 'f');
    fs.writeFileSync(file, '1');
    fs.chownSync(file, 42, 43);
    await asynchronous(file, '2', { chown: false });
    assert.equal(fs.statSync(file).uid, 0);
  });
}
