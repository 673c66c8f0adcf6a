import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { LogOperation } from '../../../src/wal/batch-format.ts';
import { logRecords } from '../../../src/wal/log-records.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';
import type { WalEntry } from '../../../src/wal/wal-entry.ts';
import type { WalOptions } from '../../../src/wal/wal-options.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const DIRECTORY = '/log';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

function machine(vfs: MemoryVfs = new MemoryVfs()) {
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  const clock = new ManualClock();
  const open = (options: WalOptions = {}) =>
    WriteAheadLog.open(DIRECTORY, { dispatch, clock, ...options });
  const openSync = (options: WalOptions = {}) =>
    WriteAheadLog.openSync(DIRECTORY, { dispatch, clock, ...options });
  const names = (): string[] =>
    vfs
      .readDirectorySync(DIRECTORY)
      .map(({ name }) => name)
      .filter((name) => name.endsWith('.log'))
      .toSorted();
  return { vfs, clock, open, openSync, names };
}

/** An entry in one word: `3:abc`, `4:k=v`, `5:-k`, `7:[k=v,-k]`, `8:(5)here`. */
function word(entry: WalEntry): string {
  const { sequence } = entry;
  switch (entry.kind) {
    case 'bytes':
      return `${sequence}:${text(entry.bytes)}`;
    case 'put':
      return `${sequence}:${text(entry.key)}=${text(entry.value)}`;
    case 'delete':
      return `${sequence}:-${text(entry.key)}`;
    case 'checkpoint':
      return `${sequence}:(${entry.upTo})${text(entry.bytes)}`;
    case 'batch':
      return `${sequence}:[${entry.operations.map((each) => word({ ...each, sequence: 0 }).slice(2)).join(',')}]`;
  }
}

const all = (log: WriteAheadLog, after?: number): string[] => [...log.replaySync(after)].map(word);

async function allLater(log: WriteAheadLog, after?: number): Promise<string[]> {
  const words: string[] = [];
  for await (const entries of log.replay(after)) words.push(...entries.map(word));
  return words;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('every kind of record comes back as it was, in the order of the calls', async () => {
  const { open } = machine();
  const log = await open();
  assert.equal(await log.append(bytes('one')), 1);
  assert.equal(await log.append({ kind: 'put', key: bytes('k'), value: bytes('v') }), 2);
  assert.equal(log.appendSync({ kind: 'delete', key: bytes('k') }), 3);
  const batch = [
    { kind: 'put', key: bytes('a'), value: bytes('') },
    { kind: 'delete', key: bytes('b') },
    { kind: 'bytes', bytes: bytes('c') },
  ] as const;
  assert.equal(await log.appendBatch(batch), 6);
  assert.equal(log.appendBatchSync(batch.slice(0, 2)), 8);
  assert.equal(await log.checkpoint(6, bytes('here')), 9);
  const expected = ['1:one', '2:k=v', '3:-k', '6:[a=,-b,c]', '8:[a=,-b]', '9:(6)here'];
  assert.deepEqual(all(log), expected);
  assert.deepEqual(await allLater(log), expected);
  assert.equal(log.durableSequence, 9);
  await log.close();
  const again = await open();
  assert.deepEqual(all(again), expected);
  assert.equal(again.recovery.checkpoint?.upTo, 6);
  assert.deepEqual(again.recovery.dropped, []);
  assert.equal(await again.append(bytes('next')), 10);
  await again.close();
});

test('an empty batch appends nothing', async () => {
  const { open } = machine();
  const log = await open();
  assert.equal(await log.appendBatch([]), 0);
  assert.equal(log.appendBatchSync([]), 0);
  await log.close();
});

test('a batch of one comes back as that operation', async () => {
  const { open } = machine();
  const log = await open();
  await log.appendBatch([{ kind: 'put', key: bytes('k'), value: bytes('v') }]);
  assert.deepEqual(all(log), ['1:k=v']);
  await log.close();
});

test('synchronous and asynchronous appends are numbered and stored in the order of the calls', async () => {
  const { openSync } = machine();
  const log = openSync();
  const promises: Promise<number>[] = [];
  for (let round = 0; round < 5; round++) {
    promises.push(log.append(bytes('a'), 'none'), log.append(bytes('b')));
    log.appendSync(bytes('c'), round % 2 === 0 ? 'sync' : 'batch');
  }
  assert.deepEqual(await Promise.all(promises), [1, 2, 4, 5, 7, 8, 10, 11, 13, 14]);
  assert.equal(
    all(log)
      .map((each) => each.split(':')[1])
      .join(''),
    'abcabcabcabcabc',
  );
  log.closeSync();
});

test('segments are begun when one is full, and each names its first record', async () => {
  const { open, names, vfs } = machine();
  const log = await open({ segmentBytes: 32 << 10, preallocate: true });
  for (let index = 1; index <= 40; index++) {
    const record = bytes(`${index}`.padEnd(3000, '.'));
    if (index % 3 === 0) log.appendSync(record);
    else await log.append(record);
  }
  await log.close();
  assert.ok(names().length >= 4, `${names().length} segments`);
  const again = await open();
  assert.deepEqual(
    all(again).map((each) => Number.parseInt(each.split(':')[1] ?? '', 10)),
    Array.from({ length: 40 }, (_, index) => index + 1),
  );
  for (const name of names().slice(0, -1)) {
    const records = logRecords(readWholeFileSync(vfs, `${DIRECTORY}/${name}`));
    let step = records.next();
    while (step.done !== true) step = records.next();
    assert.equal(step.value.kind, 'end', `${name} is cut to its last record`);
  }
  await again.close();
});

test('replay begins behind a sequence number, also inside a segment and inside none', async () => {
  const { open } = machine();
  const log = await open();
  for (let index = 1; index <= 4; index++) await log.append(bytes(`${index}`));
  await log.rotate();
  for (let index = 5; index <= 8; index++) await log.append(bytes(`${index}`));
  assert.deepEqual(all(log, 0).length, 8);
  assert.deepEqual(all(log, 3), ['4:4', '5:5', '6:6', '7:7', '8:8']);
  assert.deepEqual(await allLater(log, 4), ['5:5', '6:6', '7:7', '8:8']);
  assert.deepEqual(all(log, 8), []);
  assert.deepEqual(all(log, 100), []);
  assert.throws(() => all(log, -1), TypeError);
  await log.close();
});

test('a synchronous append beside two rotations makes no file that they make', async (context) => {
  const directory = temporaryDirectory(context);
  const log = await WriteAheadLog.open(directory, { segmentBytes: 32768, sync: 'none' });
  const large = new Uint8Array(40_000);
  await log.append(large);
  const rotations = { ended: false };
  const both = Promise.all([log.rotate(), log.rotate()]).finally(() => (rotations.ended = true));
  while (!rotations.ended) {
    log.appendSync(large);
    await settled();
  }
  await both;
  assert.equal(log.poisoned, false);
  await log.close();
});

test('a synchronous rotation beside zeros under way is no failed sync', async (context) => {
  const directory = temporaryDirectory(context);
  const log = await WriteAheadLog.open(directory, { segmentBytes: 3_000_000, preallocate: true });
  // No turn of the event loop: zeros that were begun in the background have not ended.
  for (let count = 0; count < 55; count++) log.appendSync(new Uint8Array(60_000));
  // The last call on a segment's zeros ends when the thread pool has done them.
  for (let turn = 0; turn < 5; turn++) await log.append(bytes('b'));
  assert.equal(log.poisoned, false);
  log.appendSync(bytes('a'));
  await log.close();
});

test('truncate removes whole segments up to a record, and they stay away', async () => {
  const { open, names } = machine();
  const log = await open();
  for (let segment = 0; segment < 3; segment++) {
    await log.append(bytes('a'));
    await log.append(bytes('b'));
    await log.rotate();
  }
  assert.deepEqual(names(), ['000001.log', '000002.log', '000003.log', '000004.log']);
  await log.truncate(3);
  assert.deepEqual(names(), ['000002.log', '000003.log', '000004.log']);
  assert.equal(log.firstSequence, 3);
  assert.throws(() => all(log, 1), /removed by truncate/);
  assert.deepEqual(all(log), ['3:a', '4:b', '5:a', '6:b']);
  await log.truncate(6);
  assert.deepEqual(names(), ['000004.log']);
  assert.equal(log.firstSequence, 7);
  await log.close();
  const again = await open();
  assert.deepEqual([again.firstSequence, again.lastSequence], [7, 6]);
  assert.equal(await again.append(bytes('c')), 7);
  await again.close();
});

test('a log that is opened and closed again and again stays one short file', async () => {
  const { open, openSync, names } = machine();
  for (let round = 0; round < 6; round++) {
    const log = round % 2 === 0 ? await open() : openSync();
    assert.equal(log.lastSequence, round);
    await log.append(bytes(`${round}`));
    if (round % 2 === 0) await log.close();
    else log.closeSync();
  }
  assert.deepEqual(names(), ['000001.log']);
  const log = await open();
  assert.deepEqual(all(log).length, 6);
  await log.close();
});

test('tail gives what is there and then what comes, until the log is closed', async () => {
  const { open } = machine();
  const log = await open();
  await log.append(bytes('a'));
  const heard: string[] = [];
  const following = (async () => {
    for await (const entries of log.tail()) heard.push(...entries.map(word));
  })();
  await log.append(bytes('b'));
  await log.rotate();
  await Promise.all([log.append(bytes('c')), log.append(bytes('d'))]);
  for (let turn = 0; turn < 50 && heard.length < 4; turn++) await settled();
  assert.deepEqual(heard, ['1:a', '2:b', '3:c', '4:d']);
  await log.append(bytes('e'));
  await log.close();
  await following;
  assert.deepEqual(heard, ['1:a', '2:b', '3:c', '4:d', '5:e']);
});

test('under sync tail gives only what is durable', async () => {
  const { open } = machine();
  const log = await open();
  const heard: string[] = [];
  const following = (async () => {
    for await (const entries of log.tail()) heard.push(...entries.map(word));
  })();
  await log.append(bytes('a'), 'none');
  for (let turn = 0; turn < 20; turn++) await settled();
  assert.deepEqual(heard, []);
  await log.sync();
  for (let turn = 0; turn < 20; turn++) await settled();
  assert.deepEqual(heard, ['1:a']);
  await log.close();
  await following;
});

test('an idle log gets a watermark, once', async () => {
  const { open, clock, vfs } = machine();
  const log = await open();
  await log.append(bytes('a'));
  const size = (): number => vfs.statSync(`${DIRECTORY}/000001.log`).size;
  const before = size();
  clock.pass(300);
  for (let turn = 0; turn < 20; turn++) await settled();
  clock.pass(300);
  for (let turn = 0; turn < 20; turn++) await settled();
  assert.equal(size(), before + 19);
  clock.pass(3000);
  for (let turn = 0; turn < 20; turn++) await settled();
  assert.equal(size(), before + 19);
  await log.close();
  assert.equal(size(), before + 19, 'close has nothing to add');
});

test('after close every call is refused', async () => {
  const { open } = machine();
  const log = await open();
  await log.close();
  const closed = { code: 'HOLDFAST_CLOSED' };
  await assert.rejects(log.append(bytes('a')), closed);
  await assert.rejects(log.appendBatch([]), closed);
  await assert.rejects(log.sync(), closed);
  await assert.rejects(log.rotate(), closed);
  await assert.rejects(log.checkpoint(0), closed);
  await assert.rejects(log.truncate(0), closed);
  assert.throws(() => log.appendSync(bytes('a')), closed);
  assert.throws(() => log.syncSync(), closed);
  await log.close();
  log.closeSync();
});

test('wrong arguments are a TypeError and change nothing', async () => {
  const { open } = machine();
  const log = await open();
  const bad = 'text' as unknown as Uint8Array;
  await assert.rejects(log.append(bad), TypeError);
  await assert.rejects(log.append({ kind: 'put', key: bytes('k') } as never), /value must be/);
  await assert.rejects(log.appendBatch([{ kind: 'drop' } as never]), /'put', a 'delete'/);
  await assert.rejects(log.append(bytes('a'), 'always' as never), TypeError);
  await assert.rejects(log.truncate(1), /upTo must be/);
  await assert.rejects(log.checkpoint(-1), /upTo must be/);
  await assert.rejects(log.append('text' as never), /a record is a Uint8Array or an operation/);
  await assert.rejects(log.checkpoint(0, 'text' as never), /bytes must be/);
  assert.equal(log.lastSequence, 0);
  await log.close();
  await assert.rejects(open({ segmentBytes: 1 }), TypeError);
  await assert.rejects(open({ damage: 'ignore' as never }), TypeError);
});

test('wrong options are a TypeError at once, that names them, and nothing is made', async () => {
  const memory = new MemoryVfs();
  const dispatch = new SyncDispatch(memory, syncRulesFor('linux', 'node'));
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [null, /options must be an object, not null/],
    ['none', /options must be an object/],
    [{ dispatch, synch: 'none' }, /no option 'synch'/],
    [{ dispatch, batch: { ms: 0 } }, /batch\.ms must be a positive number, not 0/],
    [{ dispatch, batch: { bytes: '5' } }, /batch\.bytes must be a positive number/],
    [{ dispatch, batch: { count: 5 } }, /batch has no bound 'count'/],
    [{ dispatch, batch: 7 }, /batch must be an object/],
    [{ dispatch, lockOverride: 'false' }, /lockOverride must be a boolean, not string false/],
    [{ dispatch, preallocate: 1 }, /preallocate must be a boolean/],
    [{ dispatch, onProgress: true }, /onProgress must be a function/],
    [{ dispatch, clock: null }, /clock must be an object/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(WriteAheadLog.open('/log', options as WalOptions), message);
    assert.throws(() => WriteAheadLog.openSync('/log', options as WalOptions), message);
  }
  assert.deepEqual(memory.readDirectorySync('/'), []);
  const batch = { records: undefined } as unknown as Record<string, number>;
  const log = await WriteAheadLog.open('/log', { dispatch, batch, sync: 'batch' });
  await log.append(bytes('a'));
  assert.equal(log.durableSequence, 0);
  await log.close();
});

test('only an array is a batch: what another iterable holds is not left out in silence', async () => {
  const { open } = machine();
  const log = await open();
  const put: LogOperation = { kind: 'put', key: bytes('k'), value: bytes('v') };
  for (const other of [new Set([put]), [put].values(), 'ab', null]) {
    const operations = other as unknown as LogOperation[];
    await assert.rejects(log.appendBatch(operations), /operations must be an array/);
    assert.throws(() => log.appendBatchSync(operations), /operations must be an array/);
  }
  await log.close();
});

test('a checkpoint comes from checkpoint() only: in a batch a reader takes it for damage', async () => {
  const { open } = machine();
  const log = await open();
  await log.append(bytes('a'));
  const checkpoint = { kind: 'checkpoint', upTo: 1, bytes: bytes('c') } as never;
  const refused = { name: 'TypeError', message: /not checkpoint/ };
  await assert.rejects(log.append(checkpoint), refused);
  assert.throws(() => log.appendSync(checkpoint, 'none'), refused);
  await assert.rejects(log.appendBatch([checkpoint]), refused);
  assert.throws(
    () => log.appendBatchSync([{ kind: 'delete', key: bytes('k') }, checkpoint]),
    refused,
  );
  await log.close();
  const again = await open();
  assert.deepEqual(all(again), ['1:a']);
  await again.close();
});

test('a second opener hears who has the log', async (context) => {
  const directory = temporaryDirectory(context);
  const log = await WriteAheadLog.open(directory);
  await assert.rejects(WriteAheadLog.open(directory), { code: 'HOLDFAST_LOCKED' });
  await log.append(bytes('a'));
  await log.close();
  const again = WriteAheadLog.openSync(directory);
  assert.deepEqual(all(again), ['1:a']);
  again.closeSync();
});
