import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runNow } from '../../../src/durable/two-forms.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../../src/vfs/transfer.ts';
import { encodeBatch } from '../../../src/wal/batch-format.ts';
import { BytesPayload, framed } from '../../../src/wal/log-framing.ts';
import { logRecords } from '../../../src/wal/log-records.ts';
import { encodeWalPointer, pointerPath } from '../../../src/wal/wal-directory.ts';
import { inspectWal } from '../../../src/wal/wal-inspection.ts';
import { findWatermark, putWatermark, WATERMARK_BYTES } from '../../../src/wal/watermark.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';
import type { WalOptions } from '../../../src/wal/wal-options.ts';
import { replacePointerSync } from '../../../src/durable/pointer-file.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const DIRECTORY = '/log';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A power cut, or a kill: the disk with what is there, and nobody who holds it. */
function crashed(vfs: MemoryVfs): Machine {
  const copy = MemoryVfs.fromTree(vfs.toTree());
  for (const { name } of copy.readDirectorySync(DIRECTORY)) {
    if (name.startsWith('holdfast-lock')) copy.unlinkSync(`${DIRECTORY}/${name}`);
  }
  return new Machine(copy);
}

class Machine {
  readonly vfs: MemoryVfs;

  constructor(vfs: MemoryVfs = new MemoryVfs()) {
    this.vfs = vfs;
  }

  open(options: WalOptions = {}): Promise<WriteAheadLog> {
    const dispatch = new SyncDispatch(this.vfs, syncRulesFor('linux', 'node'));
    return WriteAheadLog.open(DIRECTORY, { dispatch, clock: new ManualClock(), ...options });
  }

  path(number: number): string {
    return `${DIRECTORY}/00000${number}.log`;
  }

  read(number: number): Uint8Array {
    return Uint8Array.from(readWholeFileSync(this.vfs, this.path(number)));
  }

  write(number: number, content: Uint8Array): void {
    const file = this.vfs.openSync(this.path(number), {
      write: true,
      create: true,
      truncate: true,
    });
    writeFullySync(file, content, 0);
    file.closeSync();
  }

  change(number: number, place: number): void {
    const content = this.read(number);
    content[place] = (content[place] ?? 0) ^ 0x40;
    this.write(number, content);
  }

  names(): string[] {
    return this.vfs
      .readDirectorySync(DIRECTORY)
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('holdfast'))
      .toSorted();
  }
}

/** The texts of all records. */
async function recovered(machine: Machine, options: WalOptions = {}): Promise<string> {
  const log = await machine.open(options);
  try {
    return texts(log);
  } finally {
    await log.close();
  }
}

function texts(log: WriteAheadLog): string {
  return [...log.replaySync()]
    .map((entry) => (entry.kind === 'bytes' ? new TextDecoder().decode(entry.bytes) : entry.kind))
    .join(' ');
}

/** A log with these records, one after the other, that was never closed. */
async function unclosed(...records: readonly string[]): Promise<Machine> {
  const machine = new Machine();
  const log = await machine.open();
  for (const record of records) await log.append(bytes(record));
  return crashed(machine.vfs);
}

async function closed(...records: readonly string[]): Promise<Machine> {
  const machine = new Machine();
  const log = await machine.open();
  for (const record of records) await log.append(bytes(record));
  await log.close();
  return machine;
}

/** Where the records and watermarks of a file end. */
function ends(content: Uint8Array): number[] {
  const found: number[] = [];
  for (const { endOffset } of logRecords(content)) found.push(endOffset);
  return found;
}

test('a torn last record is cut, reported, and its number is given to the next one', async () => {
  const machine = await unclosed('one', 'two');
  const content = machine.read(1);
  machine.write(1, content.subarray(0, content.length - 22));
  const log = await machine.open();
  assert.equal(texts(log), 'one');
  const [dropped, ...more] = log.recovery.dropped;
  assert.deepEqual(more, []);
  assert.deepEqual([dropped?.path, dropped?.offset, dropped?.bytes], ['/log/000001.log', 62, 21]);
  assert.equal(await log.append(bytes('three')), 2);
  await log.close();
  assert.equal(await recovered(machine), 'one three');
});

test('records beyond the last watermark are written anew before open resolves', async () => {
  const machine = await unclosed('one', 'two', 'three');
  const before = machine.vfs.statSync(machine.path(1)).inode;
  const log = await machine.open();
  assert.equal(log.recovery.trustedSequence, 2);
  assert.equal(log.recovery.lastSequence, 3);
  assert.notEqual(machine.vfs.statSync(machine.path(1)).inode, before, 'another file');
  assert.equal(texts(log), 'one two three');
  assert.equal(log.durableSequence, 3);
  await log.close();
});

test('a long segment is kept, cut behind its last durable record, and the rest goes to the next', async () => {
  const machine = new Machine();
  const log = await machine.open();
  for (let index = 0; index < 9; index++) await log.append(new Uint8Array(40_000));
  await log.append(bytes('last'));
  const again = crashed(machine.vfs);
  const reopened = await again.open();
  assert.equal(reopened.recovery.trustedSequence, 9);
  assert.deepEqual(again.names(), ['000001.log', '000002.log']);
  assert.equal(again.read(1).length, ends(machine.read(1)).at(-4));
  assert.equal(texts(reopened).split(' ').at(-1), 'last');
  assert.equal(reopened.lastSequence, 10);
  await reopened.close();
  assert.equal((await recovered(again)).split(' ').length, 10);
});

test('a crash of recovery before the old segment is cut leaves nothing twice', async () => {
  const machine = new Machine();
  const log = await machine.open();
  for (let index = 0; index < 9; index++) await log.append(new Uint8Array(40_000));
  await log.append(bytes('last'));
  const again = crashed(machine.vfs);
  const whole = again.read(1);
  await (await again.open()).close();
  again.write(1, whole);
  const once = await again.open();
  assert.equal(once.lastSequence, 10);
  assert.equal(texts(once).split(' ').length, 10);
  assert.ok(again.read(1).length < whole.length, 'cut this time');
  await once.close();
});

test('a record that a watermark calls durable is never cut: open says what is damaged', async () => {
  const machine = await unclosed('one', 'two', 'three');
  const [, , first = 0] = ends(machine.read(1));
  machine.change(1, first - 1);
  const found = await machine.open().catch((error: unknown) => error);
  const { code, path, offset } = found as { code: string; path: string; offset: number };
  assert.deepEqual([code, path, offset], ['HOLDFAST_CORRUPTION', '/log/000001.log', 38]);
  assert.match(String(found), /record 1 was durable/);
  assert.deepEqual(ends(machine.read(1)).length, 2, 'nothing was changed');
});

test('damage: cut keeps what is before the damage, says what is lost, and goes on', async () => {
  const machine = await closed('one', 'two', 'three');
  const second = ends(machine.read(1))[3] ?? 0;
  machine.change(1, second - 1);
  await assert.rejects(machine.open(), { code: 'HOLDFAST_CORRUPTION' });
  const log = await machine.open({ damage: 'cut' });
  assert.equal(texts(log), 'one');
  assert.match(log.recovery.dropped[0]?.reason ?? '', /checksum/);
  await log.append(bytes('next'));
  await log.close();
  assert.equal(await recovered(machine), 'one next');
});

test('every flipped bit of a log that was closed is found or changes nothing', async () => {
  const machine = await closed('one', 'two', 'three');
  const good = machine.read(1);
  const outcomes = new Map<string, number>();
  for (let bit = 0; bit < good.length * 8; bit++) {
    const copy = crashed(machine.vfs);
    const content = Uint8Array.from(good);
    content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    copy.write(1, content);
    const { damage, lastSequence } = runNow(inspectWal(copy.vfs, DIRECTORY));
    const outcome = damage === null ? `whole ${lastSequence}` : 'damaged';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // Behind the last record are two watermarks: without them all records are still there.
  assert.deepEqual([...outcomes.keys()].toSorted(), ['damaged', 'whole 3']);
  assert.equal(outcomes.get('whole 3'), 2 * 19 * 8);
});

test('zeros in the place of a durable record are damage, zeros behind the last record are room', async () => {
  const machine = await closed('one', 'two');
  const content = machine.read(1);
  const roomy = crashed(machine.vfs);
  roomy.write(1, Buffer.concat([content, new Uint8Array(100_000)]));
  assert.equal(await recovered(roomy), 'one two');
  content.fill(0, 38, 64);
  machine.write(1, content);
  await assert.rejects(machine.open(), { code: 'HOLDFAST_CORRUPTION' });
});

test('a segment that is missing is told by its name', async () => {
  for (const number of [1, 2, 3]) {
    const machine = new Machine();
    const log = await machine.open();
    for (const record of ['one', 'two', 'three']) {
      await log.append(bytes(record));
      if (record !== 'three') await log.rotate();
    }
    await log.close();
    machine.vfs.unlinkSync(machine.path(number));
    const error = await machine.open().catch((each: unknown) => each);
    const { code, path, found } = error as { code: string; path: string; found: string };
    assert.deepEqual(
      [code, path, found],
      ['HOLDFAST_CORRUPTION', machine.path(number), 'no such file'],
    );
    const cut = await machine.open({ damage: 'cut' });
    assert.equal(texts(cut), ['', 'one', 'one two'][number - 1]);
    await cut.close();
  }
});

test('segments in each other’s place, and copies under other numbers, are damage', async () => {
  const machine = new Machine();
  const log = await machine.open();
  for (const record of ['one', 'two', 'three']) {
    await log.append(bytes(record));
    if (record !== 'three') await log.rotate();
  }
  await log.close();
  const swapped = crashed(machine.vfs);
  swapped.write(1, machine.read(2));
  swapped.write(2, machine.read(1));
  await assert.rejects(swapped.open(), { code: 'HOLDFAST_CORRUPTION' });
  const gap = crashed(machine.vfs);
  gap.write(5, machine.read(1));
  await assert.rejects(gap.open(), { code: 'HOLDFAST_CORRUPTION' });
  const copied = crashed(machine.vfs);
  copied.write(4, machine.read(1));
  const opened = await copied.open();
  assert.equal(texts(opened), 'one two three', 'a copy of an old one adds nothing');
  assert.equal(opened.recovery.dropped[0]?.path, copied.path(4));
  await opened.close();
});

test('other files in the directory are left alone and named', async () => {
  const machine = await closed('one');
  machine.vfs.mkdirSync(`${DIRECTORY}/000002.log`);
  for (const name of ['1.log', 'notes.txt']) {
    machine.vfs.openSync(`${DIRECTORY}/${name}`, { write: true, create: true }).closeSync();
  }
  machine.vfs.openSync(`${DIRECTORY}/000007.tmp`, { write: true, create: true }).closeSync();
  const log = await machine.open();
  assert.deepEqual(log.recovery.foreign, ['000002.log', '1.log', 'notes.txt']);
  assert.equal(machine.names().includes('000007.tmp'), false, 'ours, and of no use');
  await log.close();
});

test('a directory of LevelDB’s, or with logs that are not ours, is refused as foreign', async () => {
  const machine = new Machine();
  machine.vfs.mkdirSync(DIRECTORY);
  const record = encodeBatch(1, [{ kind: 'delete', key: bytes('k') }]);
  machine.write(1, framed(0, new BytesPayload(record)));
  await assert.rejects(machine.open(), { code: 'HOLDFAST_FOREIGN' });
  machine.vfs.openSync(`${DIRECTORY}/CURRENT`, { write: true, create: true }).closeSync();
  await assert.rejects(machine.open(), /LevelDB/);
});

test('without its pointer a log is damaged, with a pointer of a later version it is newer', async () => {
  const machine = await closed('one');
  const newer = crashed(machine.vfs);
  const payload = encodeWalPointer({ first: 1, last: 1, firstSequence: 1 });
  payload[0] = 2;
  replacePointerSync(newer.vfs, pointerPath(DIRECTORY), payload);
  await assert.rejects(newer.open(), { code: 'HOLDFAST_FORMAT' });
  machine.vfs.unlinkSync(pointerPath(DIRECTORY));
  await assert.rejects(machine.open(), { code: 'HOLDFAST_CORRUPTION' });
});

test('a newest segment without its first bytes holds nothing, unless a watermark in it says more', async () => {
  const machine = await closed('one');
  const empty = crashed(machine.vfs);
  empty.write(2, new Uint8Array(0));
  assert.equal(await recovered(empty), 'one');
  const torn = crashed(machine.vfs);
  torn.write(2, bytes('half of a header that never got to the disk'));
  const log = await torn.open();
  assert.equal(log.recovery.dropped[0]?.bytes, 43);
  await log.close();

  const rotated = new Machine();
  const open = await rotated.open();
  await open.append(bytes('one'));
  await open.rotate();
  await open.append(bytes('two'));
  await open.close();
  rotated.change(2, 3);
  await assert.rejects(rotated.open(), /record 2 was durable/);
});

test('a record that holds a log is torn like any other, whatever the numbers in it', async () => {
  const watermarks = new Uint8Array(40 * WATERMARK_BYTES);
  for (let index = 0; index < 40; index++) {
    putWatermark(watermarks, index * WATERMARK_BYTES, 0, 3 + index);
  }
  for (const synchronous of [false, true]) {
    const machine = new Machine();
    const log = await machine.open({ sync: 'none' });
    await log.append(bytes('one'));
    if (synchronous) log.appendSync(watermarks);
    else await Promise.all([log.append(watermarks), log.append(watermarks.subarray(5, 98))]);
    await log.sync();
    const torn = crashed(machine.vfs);
    const content = torn.read(1);
    content.fill(0, ends(content)[2], (ends(content)[2] ?? 0) + 60);
    torn.write(1, content);
    const again = await torn.open();
    assert.equal(again.lastSequence, 1);
    assert.equal(again.recovery.dropped.length, 1);
    await again.close();
    // Also when recovery has copied it.
    let whole = crashed(machine.vfs);
    for (let time = 0; time < 2; time++) {
      const opened = await whole.open();
      const [, entry, other] = [...opened.replaySync()];
      assert.ok(entry?.kind === 'bytes' && Buffer.compare(entry.bytes, watermarks) === 0);
      assert.equal(other === undefined, synchronous);
      assert.equal(findWatermark(whole.read(1).subarray(38), 10_000, 3), 0);
      whole = crashed(whole.vfs);
    }
  }
});

test('a file in the place of the next segment that is not it is told for what it may be', async () => {
  const machine = await closed('one', 'two');
  const copied = crashed(machine.vfs);
  copied.write(2, copied.read(1));
  const log = await copied.open();
  assert.match(
    log.recovery.dropped[0]?.reason ?? '',
    /begins with record 3, but with 1: .* a copy/,
  );
  assert.equal(texts(log), 'one two');
  await log.close();
  const foreign = crashed(machine.vfs);
  foreign.write(2, bytes('notes of somebody else'));
  const other = await foreign.open();
  assert.match(other.recovery.dropped[0]?.reason ?? '', /or the file is not the log's$/);
  await other.close();
});

test('an old block in the place of a segment that never got to the disk replaces no durable record', async () => {
  const machine = new Machine();
  const log = await machine.open();
  await log.append(bytes('one'));
  await log.rotate();
  const cut = crashed(machine.vfs);
  // The beginning of a first segment that was made and removed before anything was in it.
  cut.write(2, cut.read(1).subarray(0, 2 * WATERMARK_BYTES));
  assert.equal(await recovered(cut), 'one');
  await log.close();
});

test('a stale record behind a torn one never comes back', async () => {
  const machine = new Machine();
  const log = await machine.open({ sync: 'none' });
  for (const record of ['one', 'two', 'three']) await log.append(bytes(record));
  const torn = crashed(machine.vfs);
  torn.change(1, (ends(torn.read(1))[3] ?? 0) - 1);
  const again = await torn.open();
  assert.equal(texts(again), 'one');
  assert.equal(again.recovery.dropped.length, 1);
  await again.append(bytes('new'), 'none');
  assert.equal(await recovered(crashed(torn.vfs)), 'one new');
  await again.close();
});

test('progress is told in bytes, up to all of them', async () => {
  const machine = new Machine();
  const log = await machine.open();
  for (let index = 0; index < 40; index++) await log.append(new Uint8Array(60_000), 'none');
  await log.close();
  const told: { bytes: number; totalBytes: number }[] = [];
  const again = await machine.open({ onProgress: (progress) => told.push(progress) });
  await again.close();
  assert.ok(told.length >= 3, `${told.length} times`);
  assert.equal(told.at(-1)?.bytes, told.at(-1)?.totalBytes);
});
