import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import type { Fault } from '../../../src/vfs/fault.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';
import type { WalOptions } from '../../../src/wal/wal-options.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const WAL = new URL('../../../src/wal/write-ahead-log.js', import.meta.url).href;

async function opened(faults: readonly Fault[], options: WalOptions = {}) {
  const memory = new MemoryVfs();
  const vfs = new FaultVfs(memory);
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  const open = () => WriteAheadLog.open('/log', { dispatch, clock: new ManualClock(), ...options });
  const log = await open();
  for (const fault of faults) vfs.inject(fault);
  return { memory, vfs, open, log };
}

const texts = (log: WriteAheadLog): string =>
  [...log.replaySync()]
    .map((entry) =>
      entry.kind === 'bytes' ? new TextDecoder().decode(entry.bytes.slice(0, 6)) : '',
    )
    .join(' ');

test('a full disk refuses what it has no room for, and its numbers go to others', async () => {
  const fault: Fault = { kind: 'ENOSPC', calls: ['file.write'], nth: 2, times: 2 };
  const { log, open } = await opened([fault]);
  assert.equal(await log.append(bytes('one')), 1);
  const refused = [log.append(bytes('two')), log.append(bytes('three'))];
  for (const promise of refused) {
    await assert.rejects(promise, { code: 'ENOSPC', outcome: 'old' });
  }
  assert.equal(log.lastSequence, 1);
  assert.equal(await log.append(bytes('four')), 2);
  await log.close();
  const again = await open();
  assert.equal(texts(again), 'one four');
  await again.close();
});

test('a segment whose first bytes are refused begins anew', async () => {
  const { log, vfs, open } = await opened([]);
  await log.append(bytes('one'));
  await log.rotate();
  vfs.inject({ kind: 'ENOSPC', calls: ['file.write'], path: /000002/, times: 2 });
  await assert.rejects(log.append(bytes('two')), { code: 'ENOSPC' });
  assert.equal(await log.append(bytes('three')), 2);
  await log.close();
  const again = await open();
  assert.equal(texts(again), 'one three');
  await again.close();
});

test('records that wait behind a segment whose last ones are refused are refused with them', async () => {
  const { log, vfs, open } = await opened([], { sync: 'none' });
  await log.append(bytes('one'));
  const rotation = log.rotate();
  // The old segment still takes this one, and has no room for it when the new one is there.
  vfs.inject({ kind: 'ENOSPC', calls: ['file.write'], path: /000001/, times: 1 });
  const late: Promise<number>[] = [];
  const codes: string[] = [];
  for (let turn = 0; turn < 30; turn++) {
    late.push(log.append(bytes(`late${turn}`)));
    late.at(-1)?.catch((error: { code: string }) => codes.push(error.code));
    await settled();
  }
  await rotation;
  await Promise.allSettled(late);
  assert.ok(codes.length > 0 && codes.every((code) => code === 'ENOSPC'), codes.join(' '));
  const numbers = await Promise.all(late.map((each) => each.catch(() => 0)));
  const given = numbers.filter((number) => number > 0);
  assert.deepEqual(
    given,
    given.map((_, index) => index + 2),
    'numbers without a gap',
  );
  await log.close();
  const again = await open();
  assert.equal(again.lastSequence, given.length + 1);
  await again.close();
});

test('a failed sync ends writing, for this call and all later ones, and close says so', async () => {
  const { log, open } = await opened([{ kind: 'failed-sync' }]);
  await log.append(bytes('one'), 'none');
  await assert.rejects(log.sync(), { code: 'HOLDFAST_POISONED', outcome: 'unknown' });
  assert.equal(log.poisoned, true);
  await assert.rejects(log.append(bytes('two')), { code: 'HOLDFAST_POISONED', outcome: 'old' });
  assert.throws(() => log.appendSync(bytes('two')), { code: 'HOLDFAST_POISONED' });
  await assert.rejects(log.rotate(), { code: 'HOLDFAST_POISONED' });
  await assert.rejects(log.close(), { code: 'HOLDFAST_POISONED' });
  const again = await open();
  assert.equal(await again.append(bytes('two')), again.recovery.lastSequence + 1);
  await again.close();
});

test('whoever waits behind a segment that cannot be synced hears of it', async () => {
  const { log, vfs } = await opened([], { sync: 'none' });
  await log.append(bytes('one'));
  vfs.inject({ kind: 'failed-sync', path: /000001/ });
  const rotation = assert.rejects(log.rotate(), { code: 'HOLDFAST_POISONED' });
  const late: Promise<unknown>[] = [];
  for (let turn = 0; turn < 20; turn++) {
    late.push(log.append(bytes('late')).catch((error: unknown) => error));
    await settled();
  }
  await rotation;
  const ends = await Promise.all(late);
  assert.ok(ends.some((end) => end instanceof Error));
  await assert.rejects(log.close(), { code: 'HOLDFAST_POISONED' });
});

test('without room for a new segment the current one grows, and rotation is tried again', async () => {
  const fault: Fault = { kind: 'ENOSPC', calls: ['open'], path: /000002/, times: 1 };
  const { log, open } = await opened([fault], { segmentBytes: 32 << 10 });
  await assert
    .rejects(
      log.rotate().then(() => log.rotate()),
      () => true,
    )
    .catch(() => 'empty');
  for (let index = 0; index < 12; index++) await log.append(new Uint8Array(9000));
  await log.close();
  const again = await open();
  assert.equal(again.lastSequence, 12);
  await again.close();
});

test('a directory that may no longer be written refuses a rotation, and nothing else', async () => {
  for (const kind of ['EACCES', 'EROFS'] as const) {
    const fault: Fault = { kind, calls: ['open'], path: /\d{6}\.log|\.tmp/, times: Infinity };
    const { vfs, log, open } = await opened([], { segmentBytes: 32 << 10 });
    await log.append(bytes('one'));
    await log.rotate();
    await log.append(bytes('two'));
    vfs.inject(fault);
    await assert.rejects(log.rotate(), { code: kind, outcome: 'old' });
    await assert.rejects(log.truncate(1), { code: kind, outcome: 'old' });
    // By size, for awaited calls and for blocking ones.
    for (let index = 0; index < 6; index++) await log.append(new Uint8Array(9000));
    for (let index = 0; index < 6; index++) log.appendSync(new Uint8Array(9000));
    assert.equal(log.durableSequence, 14);
    await log.close();
    vfs.clear();
    const again = await open();
    assert.equal(again.lastSequence, 14);
    await again.close();
  }
});

test('a file that is not the log’s in the place of the next segment refuses the rotation', async () => {
  const { memory, log } = await opened([]);
  await log.append(bytes('one'));
  memory.linkSync('/log/000001.log', '/log/000002.log');
  await assert.rejects(log.rotate(), { code: 'EEXIST', outcome: 'old' });
  await log.append(bytes('two'));
  assert.equal(memory.statSync('/log/000002.log').size, memory.statSync('/log/000001.log').size);
  await log.close();
});

test('a directory that may not be written is an error of open, which leaves no lock', async () => {
  const memory = new MemoryVfs();
  memory.mkdirSync('/log');
  const vfs = new FaultVfs(memory, { kind: 'EROFS', calls: ['open'], times: Infinity });
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  await assert.rejects(WriteAheadLog.open('/log', { dispatch }), { code: 'EROFS' });
  assert.throws(() => WriteAheadLog.openSync('/log', { dispatch }), { code: 'EROFS' });
  assert.deepEqual(memory.readDirectorySync('/log'), []);
});

test('an open that fails at any call leaves a log that the next one opens', async () => {
  for (let nth = 1; ; nth++) {
    const memory = new MemoryVfs();
    const plain = new SyncDispatch(memory, syncRulesFor('linux', 'node'));
    const clock = new ManualClock();
    const first = await WriteAheadLog.open('/log', { dispatch: plain, clock });
    await first.append(bytes('one'));
    await first.append(bytes('two'), 'none');
    await first.close();
    const vfs = new FaultVfs(memory, { kind: 'EIO', nth });
    const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
    const log = await WriteAheadLog.open('/log', { dispatch, clock }).catch(() => null);
    await log?.close().catch(() => 'a later call may fail');
    for (const { name } of memory.readDirectorySync('/log')) {
      if (name.startsWith('holdfast-lock')) memory.unlinkSync(`/log/${name}`);
    }
    const again = await WriteAheadLog.open('/log', { dispatch: plain, clock });
    assert.equal(texts(again), 'one two', `call ${nth}`);
    await again.close();
    if (log !== null && nth > 60) break;
  }
});

test('close beside groups under way waits for them', async () => {
  const { log, open } = await opened([]);
  const promises = [1, 2, 3].map(async (turn) => {
    for (let index = 0; index < turn; index++) await settled();
    return log.append(bytes(`at${turn}`)).catch(() => 0);
  });
  await settled();
  await settled();
  await log.close();
  const numbers = await Promise.all(promises);
  const again = await open();
  assert.equal(again.lastSequence, Math.max(...numbers));
  await again.close();
});

test('closeSync beside a rotation and a truncation gives the directory free when they have ended', async () => {
  const spy = new SpyVfs(new MemoryVfs());
  const dispatch = new SyncDispatch(spy, syncRulesFor('linux', 'node'));
  const log = await WriteAheadLog.open('/log', { dispatch, clock: new ManualClock() });
  await log.append(bytes('one'));
  await log.rotate();
  await log.append(bytes('two'));
  const rotation = log.rotate().catch((error: { code: string }) => error.code);
  const truncation = log.truncate(1).catch((error: { code: string }) => error.code);
  log.closeSync();
  await rotation;
  await truncation;
  for (let turn = 0; turn < 50; turn++) await settled();
  const again = await WriteAheadLog.open('/log', { dispatch, clock: new ManualClock() });
  assert.equal(again.lastSequence, 2);
  await again.close();
});

test('a process that ends without close ends at once and loses nothing that resolved', async (context) => {
  const directory = join(temporaryDirectory(context), 'log');
  const program = `
    import { WriteAheadLog } from ${JSON.stringify(WAL)};
    const log = await WriteAheadLog.open(${JSON.stringify(directory)}, { sync: 'batch' });
    await log.append(new Uint8Array([1]));
    await log.append(new Uint8Array([2]), 'sync');
    await log.append(new Uint8Array([3]), 'none');
  `;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    timeout: 30_000,
  });
  const log = await WriteAheadLog.open(directory);
  assert.equal(log.lastSequence, 3);
  await log.close();
});

test('a worker thread has the log like any owner, and a thread that has ended does not', async (context) => {
  const directory = join(temporaryDirectory(context), 'log');
  const program = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(WAL)}).then(async ({ WriteAheadLog }) => {
      const log = await WriteAheadLog.open(${JSON.stringify(directory)});
      await log.append(new Uint8Array([1]));
      parentPort.postMessage('open');
      parentPort.once('message', () => process.exit());
    });
  `;
  const worker = new Worker(program, { eval: true });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await assert.rejects(WriteAheadLog.open(directory), { code: 'HOLDFAST_LOCKED' });
  await worker.terminate();
  if (process.platform === 'linux') {
    const log = await WriteAheadLog.open(directory);
    assert.equal(log.lastSequence, 1);
    await log.close();
  }
});
