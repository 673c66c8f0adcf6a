/** What `writeFile` does beyond write-file-atomic, on a real file system and with real processes. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

import { writeFile, writeFileSync } from '../../../src/durable/atomic-write-file.ts';
import type { WriteFileOptions } from '../../../src/durable/atomic-write-file.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** The module as it was built, for other processes and threads. */
const MODULE = new URL('../../../src/durable/atomic-write-file.js', import.meta.url).href;
const unix = { skip: process.platform === 'win32' ? 'Windows has no permission bits' : false };

type Write = (path: string | URL, data: string | Uint8Array, options?: object) => Promise<void>;

const forms: readonly (readonly [string, Write])[] = [
  ['asynchronous', (path, data, options) => writeFile(path, data, options)],
  ['synchronous', async (path, data, options) => writeFileSync(path, data, options)],
];

for (const [form, write] of forms) {
  test(`${form}: views of any width are written byte by byte, and only their part`, async (t) => {
    const file = join(temporaryDirectory(t), 'f');
    const bytes = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]);
    await write(file, new Uint16Array(bytes.buffer, 2, 2) as unknown as Uint8Array);
    assert.deepEqual([...fs.readFileSync(file)], [2, 3, 4, 5]);
    await write(file, new DataView(bytes.buffer, 1, 3) as unknown as Uint8Array);
    assert.deepEqual([...fs.readFileSync(file)], [1, 2, 3]);
  });

  test(`${form}: a large file arrives whole`, async (t) => {
    const file = join(temporaryDirectory(t), 'f');
    const data = Buffer.alloc(3_000_001, 'holdfast');
    await write(file, data);
    assert.ok(fs.readFileSync(file).equals(data));
    await write(file, data.subarray(1));
    assert.ok(fs.readFileSync(file).equals(data.subarray(1)));
  });

  test(`${form}: a path may be a URL, and a relative one is beside its link`, async (t) => {
    const directory = temporaryDirectory(t);
    await write(pathToFileURL(join(directory, 'a b')), '1');
    assert.equal(fs.readFileSync(join(directory, 'a b'), 'utf8'), '1');
    fs.mkdirSync(join(directory, 'one', 'two'), { recursive: true });
    fs.symlinkSync(join('one', 'two'), join(directory, 'link'));
    await write(`${directory}/link/../f`, '2');
    assert.equal(fs.readFileSync(join(directory, 'one', 'f'), 'utf8'), '2');
  });

  test(`${form}: a mode of false forgets the old file's`, unix, async (t) => {
    const file = join(temporaryDirectory(t), 'f');
    fs.writeFileSync(file, '1');
    const usual = fs.statSync(file).mode;
    fs.chmodSync(file, 0o600);
    await write(file, '2', { mode: false });
    assert.equal(fs.statSync(file).mode, usual);
  });

  test(`${form}: a device is not replaced by a file`, unix, async () => {
    await assert.rejects(write('/dev/null', '1'), { code: 'EINVAL', outcome: 'old' });
    assert.ok(fs.statSync('/dev/null').isCharacterDevice());
  });

  for (const [what, path, data, options] of [
    ['a path that is not text', 5, 'x', {}],
    ['a path with a NUL', 'a\0b', 'x', {}],
    ['data that is a number', 'f', 5, {}],
    ['data that is an object', 'f', {}, {}],
    ['a mode that is not octal', 'f', 'x', { mode: '9' }],
    ['a negative mode', 'f', 'x', { mode: -1 }],
    ['an owner without a group', 'f', 'x', { chown: { uid: 0 } }],
    ['an owner that is not a number', 'f', 'x', { chown: { uid: '0', gid: 0 } }],
    ['an announcement that is not a function', 'f', 'x', { tmpfileCreated: 'f' }],
    ['an encoding that does not exist', 'f', 'x', { encoding: 'utf9' }],
    ['options that are a number', 'f', 'x', 0o644],
  ] as readonly (readonly [string, unknown, unknown, unknown])[]) {
    test(`${form}: ${what} is a TypeError, before anything happens`, async () => {
      await assert.rejects(write(path as string, data as string, options as object), TypeError);
    });
  }

  test(`${form}: on a full disk it rejects, and the old file is whole`, async (t) => {
    const mounted = mountTmpfs(temporaryDirectory(t), '256k');
    if (mounted === null) {
      t.skip('mounting a small tmpfs needs Linux and root');
      return;
    }
    try {
      const file = join(mounted, 'f');
      const old = Buffer.alloc(150_000, 'old');
      await write(file, old);
      const failed = write(file, Buffer.alloc(200_000, 'new'));
      await assert.rejects(failed, { name: 'FileChangeError', code: 'ENOSPC', outcome: 'old' });
      assert.ok(fs.readFileSync(file).equals(old));
      assert.deepEqual(fs.readdirSync(mounted), ['f']);
      await write(file, 'small');
      assert.equal(fs.readFileSync(file, 'utf8'), 'small');
    } finally {
      spawnSync('umount', [mounted]);
    }
  });

  test(`${form}: a reader at any moment finds a whole file`, async (t) => {
    const file = join(temporaryDirectory(t), 'f');
    await write(file, 'a'.repeat(100_000));
    const reader = spawn(process.execPath, [
      '-e',
      `const fs = require('fs');
      process.stdout.write('r');
      for (;;) {
        const text = fs.readFileSync(process.argv[1], 'latin1');
        if (!/^(a{100000}|b{100000})$/.test(text)) { process.stdout.write('torn ' + text.length); process.exit(1); }
        if (fs.existsSync(process.argv[1] + '.end')) process.exit(0);
      }`,
      file,
    ]);
    t.after(() => reader.kill());
    let said = '';
    reader.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(reader.stdout, 'data');
    for (let i = 0; i < 50; i += 1) await write(file, (i % 2 === 0 ? 'b' : 'a').repeat(100_000));
    const exit = once(reader, 'exit');
    fs.writeFileSync(`${file}.end`, '');
    assert.deepEqual(await exit, [0, null], said);
  });
}

test('wrong arguments reject, and go to the callback where there is one', async () => {
  const promise = writeFile(5 as unknown as string, '');
  await assert.rejects(promise, TypeError);
  const error = await new Promise((resolve) => {
    writeFile('f', 5 as unknown as string, resolve);
  });
  assert.ok(error instanceof TypeError);
});

test('options that ask for something else than a replacement are refused, and nothing changes', async (t) => {
  const path = join(temporaryDirectory(t), 'log');
  await writeFile(path, 'line 1');
  for (const options of [{ flag: 'a' }, { flag: 'wx' }, { signal: AbortSignal.abort() }]) {
    await assert.rejects(writeFile(path, 'line 2', options as object), TypeError);
    assert.throws(() => writeFileSync(path, 'line 2', options as object), TypeError);
  }
  assert.equal(fs.readFileSync(path, 'utf8'), 'line 1');
});

test('the callback gets null for success, and what it throws is an uncaught exception', (t) => {
  const file = join(temporaryDirectory(t), 'f');
  const { stdout } = run(`
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    writeFile(${JSON.stringify(file)}, 'x', (error) => {
      console.log(error);
      throw new Error('thrown');
    });`);
  assert.equal(stdout, 'null\nuncaught thrown\n');
});

test('a relative path means what it meant at the call, also when the call waits', async (t) => {
  const directory = temporaryDirectory(t);
  fs.mkdirSync(join(directory, 'other'));
  const { status, stderr } = run(
    `
    process.chdir(${JSON.stringify(directory)});
    const first = writeFile('f', '1');
    const second = writeFile('f', '2');
    process.chdir('other');
    await Promise.all([first, second]);`,
  );
  assert.equal(status, 0, stderr);
  assert.equal(fs.readFileSync(join(directory, 'f'), 'utf8'), '2');
  assert.deepEqual(fs.readdirSync(join(directory, 'other')), []);
});

test('a process that exits in the middle of a write leaves no temporary file', async (t) => {
  const file = join(temporaryDirectory(t), 'f');
  fs.writeFileSync(file, 'old');
  const { status } = run(`
    void writeFile(${JSON.stringify(file)}, 'new', { tmpfileCreated: () => process.exit(3) });`);
  assert.equal(status, 3);
  assert.deepEqual(fs.readdirSync(join(file, '..')), ['f']);
  assert.equal(fs.readFileSync(file, 'utf8'), 'old');
});

test('the temporary file of a killed process is swept, that of a living one is not', async (t) => {
  const directory = temporaryDirectory(t);
  const start = async (name: string) => {
    const script = writing(`
      void writeFile(${JSON.stringify(join(directory, name))}, 'new', {
        tmpfileCreated: () => (console.log('made'), new Promise(() => setInterval(() => {}, 1000))),
      });`);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    return child;
  };
  const killed = await start('a');
  const living = await start('b');
  const gone = once(killed, 'exit');
  killed.kill('SIGKILL');
  await gone;
  assert.equal(fs.readdirSync(directory).length, 2);
  // This process has not written here yet, so it sweeps.
  await writeFile(join(directory, 'c'), 'new');
  const left = fs.readdirSync(directory).filter((name) => name !== 'c');
  assert.equal(left.length, 1);
  assert.match(left[0] ?? '', new RegExp(`-${living.pid}-`));
});

const PIDS = ['--pid', '--fork', '--kill-child', '--mount-proc'];

/** Why namespaces cannot be made here, or false. */
function cannotUnshare(): string | false {
  if (process.platform !== 'linux') return 'namespaces are Linux';
  const { status } = spawnSync('unshare', [...PIDS, 'true'], { stdio: 'ignore' });
  return status === 0 ? false : 'unshare --pid needs root and util-linux';
}

test(
  'the temporary file of a process in another namespace is not swept, from either side',
  { skip: cannotUnshare() },
  async (t) => {
    const directory = temporaryDirectory(t);
    const path = (name: string): string => JSON.stringify(join(directory, name));
    const hang = writing(`
      void writeFile(${path('inside')}, 'new', {
        tmpfileCreated: () => (console.log('made'), new Promise(() => setInterval(() => {}, 1000))),
      });`);
    const node = [process.execPath, '--input-type=module', '-e'];
    const inside = spawn('unshare', [...PIDS, ...node, hang]);
    t.after(() => inside.kill('SIGKILL'));
    await once(inside.stdout, 'data');
    await writeFile(join(directory, 'outside'), 'new', {
      tmpfileCreated: () => {
        const sweep = writing(`await writeFile(${path('other')}, 'new');`);
        const { status } = spawnSync('unshare', [...PIDS, ...node, sweep]);
        assert.equal(status, 0);
        // That of the process inside, and ours, which is being written.
        const left = fs.readdirSync(directory).filter((name) => name.endsWith('.tmp'));
        assert.equal(left.length, 2);
      },
    });
    assert.equal(fs.readFileSync(join(directory, 'outside'), 'utf8'), 'new');
    assert.equal(fs.readdirSync(directory).filter((name) => name.endsWith('.tmp')).length, 1);
  },
);

test('the temporary file of another thread is not swept', async (t) => {
  const directory = temporaryDirectory(t);
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ writeFile }) =>
      writeFile(workerData.file, 'from the thread', {
        tmpfileCreated: () => {
          parentPort.postMessage('made');
          Atomics.wait(workerData.gate, 0, 0);
        },
      }),
    );`,
    { eval: true, workerData: { module: MODULE, file: join(directory, 'theirs'), gate } },
  );
  t.after(() => worker.terminate());
  await once(worker, 'message');
  await writeFile(join(directory, 'ours'), 'x');
  assert.equal(fs.readdirSync(directory).length, 2);
  const exit = once(worker, 'exit');
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await exit;
  assert.deepEqual(fs.readdirSync(directory).toSorted(), ['ours', 'theirs']);
});

test('options are not changed', async (t) => {
  const file = join(temporaryDirectory(t), 'f');
  fs.writeFileSync(file, 'old');
  const options: WriteFileOptions = Object.freeze({});
  await writeFile(file, 'new', options);
  writeFileSync(file, 'newer', options);
  assert.equal(fs.readFileSync(file, 'utf8'), 'newer');
});

function writing(script: string): string {
  return `import { writeFile } from ${JSON.stringify(MODULE)};\n${script}`;
}

function run(script: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--input-type=module', '-e', writing(script)], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

/** A file system in `directory` with room for `size` and no more; null where that cannot be had. */
function mountTmpfs(directory: string, size: string): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const path = join(directory, 'small');
  fs.mkdirSync(path);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  return status === 0 ? path : null;
}
