import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { DirectoryLock } from '../../../src/durable/lock-file.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const HOLDER = fileURLToPath(new URL('../../support/lock-holder.js', import.meta.url));
const OPTIONS = { vfs: nodeVfs };
const LINUX = process.platform === 'linux';

interface Holder {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** What it said first. */
  readonly said: string;
}

/** Another process that tries to take the lock, started by `prefix`; killed when the test ends. */
async function holder(
  context: TestContext,
  directory: string,
  prefix: string[] = [],
): Promise<Holder> {
  const [program, ...rest] = [...prefix, process.execPath, HOLDER, 'hold', directory];
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, said: said.toString().trim() };
}

/** As `holder`, a thread of this process. */
async function worker(
  context: TestContext,
  directory: string,
): Promise<{ thread: Worker; said: string }> {
  const thread = new Worker(HOLDER, { argv: ['hold', directory], stdin: true, stdout: true });
  context.after(() => thread.terminate());
  const [said] = (await once(thread.stdout, 'data')) as [Buffer];
  return { thread, said: said.toString().trim() };
}

function locked(alive: boolean, ...texts: string[]) {
  return (error: Error & { code?: string; alive?: boolean }): boolean => {
    assert.equal(error.code, 'HOLDFAST_LOCKED');
    assert.equal(error.alive, alive);
    for (const text of texts) assert.ok(error.message.includes(text), error.message);
    return true;
  };
}

test('a second opener of the same thread is refused until the release', async (t) => {
  const directory = temporaryDirectory(t);
  const lock = await DirectoryLock.acquire(directory, OPTIONS);
  const refused = locked(true, `process ${process.pid}`, lock.path, 'which is this process');
  await assert.rejects(DirectoryLock.acquire(directory, OPTIONS), refused);
  assert.throws(() => DirectoryLock.acquireSync(directory, OPTIONS), refused);
  assert.equal(lock.held, true);
  await lock.release();
  assert.equal(lock.held, false);
  await lock.release();
  DirectoryLock.acquireSync(directory, OPTIONS).releaseSync();
  assert.deepEqual(readdirSync(directory), []);
});

test('of many openers at one moment exactly one gets the lock', async (t) => {
  const directory = temporaryDirectory(t);
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => DirectoryLock.acquire(directory, OPTIONS)),
  );
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
  assert.equal(readdirSync(directory).length, 1);
});

test('another process is refused, with the owner and the file in the message', async (t) => {
  const directory = temporaryDirectory(t);
  const lock = await DirectoryLock.acquire(directory, OPTIONS);
  const other = await holder(t, directory);
  assert.match(other.said, /^HOLDFAST_LOCKED/);
  assert.ok(other.said.includes(`process ${process.pid}`), other.said);
  assert.ok(other.said.includes(lock.path), other.said);
  assert.ok(!other.said.includes('this process'), other.said);
  await lock.release();
});

test('a killed process blocks nobody, at once', async (t) => {
  const directory = temporaryDirectory(t);
  for (let round = 0; round < 5; round++) {
    const owner = await holder(t, directory);
    assert.equal(owner.said, 'held');
    await assert.rejects(DirectoryLock.acquire(directory, OPTIONS), locked(true));
    const exited = once(owner.process, 'exit');
    owner.process.kill('SIGKILL');
    if (round % 2 === 0 || !LINUX) await exited;
    // In the other rounds it is not reaped yet, because the event loop has not run.
    if (round % 2 === 0) await (await DirectoryLock.acquire(directory, OPTIONS)).release();
    else if (LINUX) DirectoryLock.acquireSync(directory, OPTIONS).releaseSync();
  }
});

test('processes that race for the lock never have it together', async (t) => {
  const directory = temporaryDirectory(t);
  const racers = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [HOLDER, 'race', directory, '8'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  t.after(() => racers.forEach((racer) => racer.kill('SIGKILL')));
  const said = await Promise.all(
    racers.map(async (racer) => {
      const chunks = await racer.stdout.toArray();
      return chunks.join('');
    }),
  );
  assert.deepEqual(
    said,
    racers.map(() => 'done\n'),
  );
  assert.deepEqual(readdirSync(directory), []);
});

test('two worker threads exclude each other and the main thread', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await worker(t, directory);
  assert.equal(first.said, 'held');
  const second = await worker(t, directory);
  assert.match(second.said, /^HOLDFAST_LOCKED.*thread \d/);
  assert.throws(() => DirectoryLock.acquireSync(directory, OPTIONS), locked(true, 'thread'));
  first.thread.stdin?.end();
  await once(first.thread, 'exit');
  DirectoryLock.acquireSync(directory, OPTIONS).releaseSync();
});

test(
  'a terminated worker thread frees the lock, at once',
  { skip: !LINUX && 'only Linux tells whether a thread lives' },
  async (t) => {
    const directory = temporaryDirectory(t);
    for (let round = 0; round < 5; round++) {
      const { thread, said } = await worker(t, directory);
      assert.equal(said, 'held');
      await thread.terminate();
      DirectoryLock.acquireSync(directory, OPTIONS).releaseSync();
    }
    const other = await worker(t, directory);
    assert.equal(other.said, 'held');
    const outside = await holder(t, directory);
    assert.match(outside.said, /^HOLDFAST_LOCKED/);
    await other.thread.terminate();
    const again = await holder(t, directory);
    assert.equal(again.said, 'held', 'another process sees that the thread has ended');
  },
);

/** Why a command that makes namespaces cannot run here, or false. */
function cannotUnshare(...flags: string[]): string | false {
  if (!LINUX) return 'namespaces are Linux';
  const { status } = spawnSync('unshare', [...flags, 'true'], { stdio: 'ignore' });
  return status === 0 ? false : `unshare ${flags.join(' ')} needs root and util-linux`;
}

const PIDS = ['--pid', '--fork', '--kill-child', '--mount-proc'];

test(
  'an owner in another process namespace is never judged dead, and can be overridden',
  { skip: cannotUnshare(...PIDS) },
  async (t) => {
    const directory = temporaryDirectory(t);
    const owner = await holder(t, directory, ['unshare', ...PIDS]);
    assert.equal(owner.said, 'held');
    const unknown = locked(false, 'cannot be told', 'remove', 'holdfast-lock-00000001', 'override');
    await assert.rejects(DirectoryLock.acquire(directory, OPTIONS), unknown);
    const exited = once(owner.process, 'exit');
    owner.process.kill('SIGKILL');
    await exited;
    await assert.rejects(DirectoryLock.acquire(directory, OPTIONS), unknown);
    const lock = await DirectoryLock.acquire(directory, { ...OPTIONS, override: true });
    const inside = await holder(t, directory, ['unshare', ...PIDS]);
    assert.match(inside.said, /^HOLDFAST_LOCKED.*cannot be told/);
    await lock.release();
  },
);

test(
  'an owner on a host of another name is never judged dead',
  { skip: cannotUnshare('--uts') },
  async (t) => {
    const directory = temporaryDirectory(t);
    const script = 'hostname elsewhere && exec "$@"';
    const owner = await holder(t, directory, ['unshare', '--uts', 'sh', '-c', script, 'sh']);
    assert.equal(owner.said, 'held');
    const exited = once(owner.process, 'exit');
    owner.process.kill('SIGKILL');
    await exited;
    await assert.rejects(
      DirectoryLock.acquire(directory, OPTIONS),
      locked(false, "host 'elsewhere'"),
    );
  },
);

test('a directory that is not there or cannot be written is an error of the system', async (t) => {
  const directory = temporaryDirectory(t);
  await assert.rejects(DirectoryLock.acquire(`${directory}/none`, OPTIONS), { code: 'ENOENT' });
});

test('a lock file that cannot be made is a change that was refused', async () => {
  for (const [kind, call, outcome] of [
    ['EROFS', 'open', 'old'],
    ['EACCES', 'open', 'old'],
    ['ENOSPC', 'file.write', 'unknown'],
  ] as const) {
    const memory = new MemoryVfs();
    memory.mkdirSync('/db');
    const vfs = new FaultVfs(memory, { kind, calls: [call], times: Infinity });
    const expected = { name: 'FileChangeError', code: kind, outcome };
    await assert.rejects(DirectoryLock.acquire('/db', { vfs }), expected);
    assert.throws(() => DirectoryLock.acquireSync('/db', { vfs }), expected);
    assert.deepEqual(memory.readDirectorySync('/db'), []);
  }
});
