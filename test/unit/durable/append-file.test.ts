import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AppendFile } from '../../../src/durable/append-file.ts';
import type { AppendFileOptions } from '../../../src/durable/append-options.ts';
import type { PoisonedError } from '../../../src/durable/poison.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { errorCode } from '../../../src/vfs/errno.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ScriptedVfs } from '../../support/scripted-vfs.ts';

const PATH = '/log';

async function opened(options: Partial<AppendFileOptions> = {}, platform = 'linux') {
  const scripted = new ScriptedVfs();
  const dispatch = new SyncDispatch(scripted.vfs, syncRulesFor(platform, 'node'));
  const clock = new ManualClock();
  const file = await AppendFile.create(PATH, { dispatch, clock, ...options });
  scripted.calls.length = 0;
  const text = (): string => Buffer.from(scripted.content(PATH)).toString();
  const durableText = (): string => Buffer.from(scripted.durable(PATH)).toString();
  return { scripted, dispatch, clock, file, text, durableText };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Everything that can run without time passing or a held call being released has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** 'pending', 'resolved', or the code of the error. */
async function stateOf(promise: Promise<void>): Promise<string> {
  await settled();
  return Promise.race([
    promise.then(
      () => 'resolved',
      (error: unknown) => (error as { code: string }).code,
    ),
    settled().then(() => 'pending'),
  ]);
}

const refused = (code: string) => (error: Error & { code?: string; outcome?: string }) =>
  error.name === 'FileChangeError' && error.code === code && error.outcome === 'old';

test('an awaited append under sync is one durable write on Linux and no other call', async () => {
  const { scripted, file, durableText } = await opened();
  await file.append(bytes('one'));
  assert.equal(durableText(), 'one');
  assert.equal(file.durableLength, 3);
  await file.append(bytes('two'));
  assert.deepEqual(scripted.calls, ['durable-write 0+3', 'durable-write 3+3']);
  await file.close();
});

test('where writes cannot be durable, an append under sync is one write and one sync', async () => {
  const { scripted, file, durableText } = await opened({}, 'darwin');
  await file.append(bytes('one'));
  assert.equal(durableText(), 'one');
  assert.deepEqual(scripted.calls, ['write 0+3', 'sync']);
  await file.close();
});

test('appends of one moment share one write, across promise chains of any depth', async () => {
  const { scripted, file, text } = await opened();
  const deep = async (depth: number): Promise<void> => {
    if (depth > 0) await Promise.resolve().then(() => deep(depth - 1));
    else await file.append(bytes('x'));
  };
  await Promise.all(Array.from({ length: 64 }, (_, index) => deep(index % 7)));
  await Promise.all(Array.from({ length: 64 }, (_, index) => deep(index % 7)));
  assert.deepEqual(scripted.calls, ['durable-write 0+64', 'durable-write 64+64']);
  assert.equal(text(), 'x'.repeat(128));
  await file.close();
});

test('appends made while a group is in flight share the next write', async () => {
  const { scripted, file } = await opened();
  scripted.hold('durable-write');
  const first = file.append(bytes('a'));
  await settled();
  const later = ['b', 'c', 'd'].map((each) => file.append(bytes(each)));
  assert.equal(await stateOf(first), 'pending');
  scripted.release();
  await Promise.all([first, ...later]);
  assert.deepEqual(scripted.calls, ['durable-write 0+1', 'durable-write 1+3']);
  await file.close();
});

test('the bytes of an append are taken when it is called', async () => {
  const { file, text } = await opened();
  const buffer = bytes('abc');
  const append = file.append(buffer);
  buffer.fill(0);
  await append;
  assert.equal(text(), 'abc');
  await file.close();
});

test('groups are bounded, and longer records make groups of their own', async () => {
  const { scripted, file } = await opened({ sync: 'none' });
  const mebibyte = new Uint8Array(1 << 20);
  const appends = [1, 2, 3, 4, 5].map(() => file.append(mebibyte));
  appends.push(file.append(new Uint8Array(5 << 20)));
  await Promise.all(appends);
  assert.deepEqual(scripted.calls, [
    `write 0+${4 << 20}`,
    `write ${4 << 20}+${1 << 20}`,
    `write ${5 << 20}+${5 << 20}`,
  ]);
  await file.close();
});

test('no asynchronous call uses a blocking form', async () => {
  for (const platform of ['linux', 'darwin', 'win32']) {
    const { scripted, file } = await opened({ preallocateBytes: 1 << 22 }, platform);
    for (const policy of ['sync', 'batch', 'none', 'sync'] as const) {
      await file.append(bytes('record'), policy);
    }
    await file.sync();
    await file.close();
    assert.deepEqual(
      scripted.calls.filter((call) => /Sync/.test(call)),
      [],
    );
  }
});

test('under none nothing is synced before close, and close syncs once', async () => {
  const { scripted, file, durableText } = await opened({ sync: 'none' });
  await file.append(bytes('one'));
  file.appendSync(bytes('two'));
  await file.append(bytes('three'));
  assert.equal(file.writtenLength, 11);
  assert.equal(file.durableLength, 0);
  assert.deepEqual(scripted.calls, ['write 0+3', 'writeSync 3+3', 'write 6+5']);
  await file.close();
  assert.equal(durableText(), 'onetwothree');
  assert.deepEqual(scripted.calls.slice(3), ['datasync', 'close', 'close']);
});

test('a synced append behind unsynced ones takes them along', async () => {
  const { scripted, file, durableText } = await opened();
  await file.append(bytes('quick'), 'none');
  await file.append(bytes('sure'), 'sync');
  assert.equal(durableText(), 'quicksure');
  assert.deepEqual(scripted.calls, ['write 0+5', 'write 5+4', 'datasync']);
  await file.close();
});

test('sync covers every policy, and costs nothing when all is durable', async () => {
  const { scripted, file, durableText } = await opened({ sync: 'none' });
  void file.append(bytes('a'));
  void file.append(bytes('b'), 'batch');
  await file.sync();
  assert.equal(durableText(), 'ab');
  assert.equal(file.durableLength, 2);
  await file.sync();
  file.syncSync();
  assert.deepEqual(scripted.calls, ['durable-write 0+2']);
  file.appendSync(bytes('c'));
  file.syncSync();
  assert.equal(durableText(), 'abc');
  await file.close();
});

test('batch resolves unsynced until its count is full', async () => {
  const { scripted, file, durableText } = await opened({ sync: 'batch', batch: { records: 3 } });
  await file.append(bytes('a'));
  await file.append(bytes('b'));
  assert.equal(durableText(), '');
  await file.append(bytes('c'));
  assert.equal(durableText(), 'abc');
  await file.append(bytes('d'));
  assert.equal(durableText(), 'abc');
  assert.deepEqual(
    scripted.calls.filter((call) => call === 'datasync'),
    ['datasync'],
  );
  await file.close();
});

test('batch counts bytes', async () => {
  const { file, durableText } = await opened({ sync: 'batch', batch: { bytes: 10 } });
  await file.append(bytes('123456789'));
  assert.equal(durableText(), '');
  await file.append(bytes('0'));
  assert.equal(durableText(), '1234567890');
  await file.close();
});

test('batch syncs an idle file when its time is over, and not again', async () => {
  const { scripted, clock, file, durableText } = await opened({ sync: 'batch', batch: { ms: 5 } });
  await file.append(bytes('a'));
  file.appendSync(bytes('b'));
  clock.pass(4);
  await settled();
  assert.equal(durableText(), '');
  clock.pass(1);
  await settled();
  assert.equal(durableText(), 'ab');
  assert.equal(clock.pending, 0);
  clock.pass(100);
  assert.equal(scripted.calls.filter((call) => call === 'datasync').length, 1);
  await file.close();
});

test('a record written while a sync runs is due in its own time', async () => {
  const { scripted, clock, file, durableText } = await opened({ sync: 'batch', batch: { ms: 5 } });
  scripted.hold('datasync');
  await file.append(bytes('a'));
  clock.pass(5);
  await settled();
  await file.append(bytes('b'));
  clock.pass(5);
  await settled();
  scripted.release();
  await settled();
  await settled();
  assert.equal(durableText(), 'ab');
  await file.close();
});

test('a synchronous batch append that fills the window has synced when it returns', async () => {
  const { file, durableText } = await opened({ sync: 'batch', batch: { records: 2 } });
  file.appendSync(bytes('a'));
  assert.equal(durableText(), '');
  file.appendSync(bytes('b'));
  assert.equal(durableText(), 'ab');
  await file.close();
});

test('while a batch sync runs, no more than a window resolves', async () => {
  const { scripted, file } = await opened({ sync: 'batch', batch: { records: 2 } });
  scripted.hold('datasync');
  const first = file.append(bytes('a'));
  await first;
  const second = file.append(bytes('b'));
  assert.equal(await stateOf(second), 'pending');
  const third = file.append(bytes('c'));
  assert.equal(await stateOf(third), 'pending');
  scripted.release();
  await Promise.all([second, third]);
  await file.close();
});

test('appendSync under sync is one durable write on Linux', async () => {
  const { scripted, file, durableText } = await opened();
  file.appendSync(bytes('one'));
  assert.equal(durableText(), 'one');
  file.appendSync(bytes('two'));
  assert.deepEqual(scripted.calls, ['durable-writeSync 0+3', 'durable-writeSync 3+3']);
  await file.close();
});

test('appendSync beside a group that has not reached the file leaves no hole', async () => {
  const { scripted, file, durableText, text } = await opened();
  scripted.hold('durable-write');
  const inFlight = file.append(bytes('flight'));
  await settled();
  const queued = file.append(bytes('queue'));
  file.appendSync(bytes('mine'));
  assert.equal(durableText(), 'flightqueuemine');
  assert.equal(file.durableLength, 15);
  assert.equal(await stateOf(queued), 'resolved');
  scripted.release();
  await inFlight;
  assert.equal(text(), 'flightqueuemine');
  assert.deepEqual(scripted.calls, [
    'durable-write 0+6',
    'writeSync 0+6',
    'writeSync 6+5',
    'writeSync 11+4',
    'datasyncSync',
  ]);
  await file.append(bytes('next'));
  assert.equal(durableText(), 'flightqueueminenext');
  await file.close();
});

test('an unsynced appendSync beside a group in flight goes with the next sync', async () => {
  const { scripted, file, durableText } = await opened();
  scripted.hold('durable-write');
  const inFlight = file.append(bytes('flight'));
  await settled();
  file.appendSync(bytes('mine'), 'none');
  scripted.release();
  await inFlight;
  assert.equal(file.durableLength, 6);
  await file.append(bytes('next'));
  assert.equal(durableText(), 'flightminenext');
  await file.close();
});

test('a group that appendSync wrote again is durable though its own write fails', async () => {
  const { scripted, file, durableText } = await opened();
  scripted.hold('durable-write');
  scripted.fail('durable-write', 'EIO');
  const inFlight = file.append(bytes('flight'));
  await settled();
  file.appendSync(bytes('mine'));
  scripted.release();
  await inFlight;
  assert.equal(durableText(), 'flightmine');
  assert.throws(() => file.appendSync(bytes('more')), { code: 'HOLDFAST_POISONED' });
  await assert.rejects(file.close(), { code: 'HOLDFAST_POISONED' });
});

test('syncSync beside a group in flight makes it durable', async () => {
  const { scripted, file, durableText } = await opened();
  scripted.hold('durable-write');
  const inFlight = file.append(bytes('flight'));
  await settled();
  file.syncSync();
  assert.equal(durableText(), 'flight');
  scripted.release();
  await inFlight;
  await file.close();
});

test('no durable write runs beside a sync of the same description', async () => {
  const { scripted, file, durableText } = await opened();
  await file.append(bytes('a'), 'none');
  scripted.hold('datasync');
  const sync = file.sync();
  await settled();
  file.syncSync();
  assert.equal(file.durableLength, 1);
  const append = file.append(bytes('b'));
  await settled();
  assert.equal(scripted.calls.at(-1), 'write 1+1');
  file.appendSync(bytes('c'));
  assert.equal(durableText(), 'abc');
  scripted.release();
  await Promise.all([sync, append]);
  await file.close();
});

test('short writes are continued', async () => {
  for (const platform of ['linux', 'darwin']) {
    const { scripted, file, durableText } = await opened({}, platform);
    scripted.shortWriteBytes = 2;
    await file.append(bytes('abcde'));
    file.appendSync(bytes('fghij'));
    assert.equal(durableText(), 'abcdefghij', platform);
    await file.close();
  }
});

test('a full disk refuses what is not written, leaves no trace of it, and heals', async () => {
  const lengths: number[] = [];
  const onRefused = (length: number): number => lengths.push(length);
  const { scripted, file, durableText, text } = await opened({ onRefused });
  await file.append(bytes('safe'));
  scripted.memory.capacityBytes = 6;
  const refusedAppends = [file.append(bytes('too')), file.append(bytes('much'))];
  for (const append of refusedAppends) await assert.rejects(append, refused('ENOSPC'));
  assert.deepEqual(lengths, [4]);
  assert.equal(file.length, 4);
  assert.equal(text(), 'safe');
  assert.equal(durableText(), 'safe');
  scripted.memory.capacityBytes = 100;
  await file.append(bytes(' and sound'));
  assert.equal(durableText(), 'safe and sound');
  assert.equal(scripted.calls.at(-1), 'durable-write 4+10');
  await file.close();
});

test('what was queued behind a refused group is refused with it', async () => {
  const { scripted, file, text } = await opened({ sync: 'none' });
  scripted.memory.capacityBytes = 2;
  scripted.hold('write');
  const first = file.append(bytes('abc'));
  await settled();
  const second = file.append(bytes('d'));
  scripted.release();
  await assert.rejects(first, refused('ENOSPC'));
  await assert.rejects(second, refused('ENOSPC'));
  assert.equal(text(), '');
  await file.append(bytes('ef'));
  assert.equal(text(), 'ef');
  await file.close();
});

test('a refusal is told when the cut is durable, and until then nothing is appended', async () => {
  const { scripted, file, text } = await opened();
  await file.append(bytes('safe'));
  scripted.memory.capacityBytes = 6;
  scripted.hold('truncate');
  const append = file.append(bytes('too much'));
  assert.equal(await stateOf(append), 'pending');
  assert.equal(text(), 'safeto');
  assert.throws(() => file.appendSync(bytes('x')), refused('ENOSPC'));
  const behind = file.append(bytes('ok'));
  scripted.hold('datasync');
  scripted.release();
  scripted.hold('datasync');
  assert.equal(await stateOf(append), 'pending');
  scripted.release();
  await assert.rejects(append, refused('ENOSPC'));
  await behind;
  assert.equal(text(), 'safeok');
  await file.close();
});

test('appendSync on a full disk is refused, leaves no trace, and heals', async () => {
  for (const platform of ['linux', 'darwin']) {
    const { scripted, file, text, durableText } = await opened({}, platform);
    file.appendSync(bytes('safe'));
    scripted.memory.capacityBytes = 6;
    assert.throws(() => file.appendSync(bytes('too much')), refused('ENOSPC'));
    const [cut, sync] = scripted.calls.slice(-2);
    assert.deepEqual([cut, sync?.replace('data', '')], ['truncateSync 4', 'syncSync']);
    assert.equal(text(), 'safe');
    assert.equal(file.length, 4);
    file.appendSync(bytes('!!'));
    assert.equal(durableText(), 'safe!!', platform);
    await file.close();
  }
});

test('a durable write that lacked room at its sync is decided by the two steps', async () => {
  const { scripted, file } = await opened();
  scripted.fail('durable-write', 'ENOSPC');
  scripted.fail('datasync', 'ENOSPC');
  await assert.rejects(file.append(bytes('a')), { code: 'HOLDFAST_POISONED', outcome: 'unknown' });
  assert.deepEqual(scripted.calls, ['durable-write 0+1', 'write 0+1', 'datasync']);
  await assert.rejects(file.close(), { code: 'HOLDFAST_POISONED' });
});

test('a write that failed with an I/O error ends writing with the first cause', async () => {
  for (const policy of ['sync', 'batch', 'none'] as const) {
    const { scripted, file } = await opened({ sync: policy });
    scripted.fail(policy === 'sync' ? 'durable-write' : 'write', 'EIO');
    await assert.rejects(file.append(bytes('a')), (error: PoisonedError) => {
      assert.equal(error.code, 'HOLDFAST_POISONED');
      assert.equal(error.path, PATH);
      assert.equal(error.outcome, 'unknown');
      assert.equal(errorCode(error.cause), 'EIO');
      return true;
    });
    await assert.rejects(file.append(bytes('b')), { code: 'HOLDFAST_POISONED', outcome: 'old' });
    await assert.rejects(file.sync(), { code: 'HOLDFAST_POISONED' });
    assert.throws(() => file.syncSync(), { code: 'HOLDFAST_POISONED' });
    await assert.rejects(file.close(), { code: 'HOLDFAST_POISONED' });
    assert.equal(scripted.calls.filter((call) => call === 'close').length, 2);
  }
});

test('a failed sync rejects all who wait for it and is not tried again', async () => {
  const { scripted, file } = await opened({}, 'darwin');
  scripted.hold('sync');
  scripted.fail('sync', 'EIO');
  const waiting = file.append(bytes('a'));
  await settled();
  const behind = file.append(bytes('b'));
  await settled();
  scripted.release();
  await assert.rejects(waiting, { code: 'HOLDFAST_POISONED', outcome: 'unknown' });
  await assert.rejects(behind, { code: 'HOLDFAST_POISONED' });
  assert.equal(scripted.calls.filter((call) => call === 'sync').length, 1);
  await assert.rejects(file.close(), { code: 'HOLDFAST_POISONED' });
  assert.equal(scripted.calls.filter((call) => call === 'sync').length, 1);
});

test('a failed background sync of a batch is told to the next caller', async () => {
  const { scripted, clock, file } = await opened({ sync: 'batch' });
  await file.append(bytes('a'));
  scripted.fail('datasync', 'ENOSPC');
  clock.pass(1000);
  await settled();
  await assert.rejects(file.append(bytes('b')), {
    code: 'HOLDFAST_POISONED',
    outcome: 'old',
  });
  await assert.rejects(file.close(), { code: 'HOLDFAST_POISONED' });
});

test('a cut that fails ends writing', async () => {
  const { scripted, file } = await opened();
  scripted.memory.capacityBytes = 2;
  scripted.fail('truncate', 'EIO');
  await assert.rejects(file.append(bytes('too much')), { code: 'HOLDFAST_POISONED' });
  await assert.rejects(file.close(), { code: 'HOLDFAST_POISONED' });
});

test('create leaves nothing when it cannot open all it needs', async () => {
  const scripted = new ScriptedVfs();
  const dispatch = new SyncDispatch(scripted.vfs, syncRulesFor('linux', 'node'));
  scripted.fail('open', 'EMFILE', { skip: 1 });
  await assert.rejects(AppendFile.create(PATH, { dispatch }), refused('EMFILE'));
  assert.deepEqual(await scripted.memory.readDirectory('/'), []);
  scripted.fail('open', 'EMFILE', { skip: 1 });
  assert.throws(() => AppendFile.createSync(PATH, { dispatch }), refused('EMFILE'));
  assert.deepEqual(await scripted.memory.readDirectory('/'), []);
  const file = await AppendFile.create(PATH, { dispatch });
  await assert.rejects(AppendFile.create(PATH, { dispatch }), refused('EEXIST'));
  await file.append(bytes('still mine'));
  await file.close();
  assert.equal(Buffer.from(scripted.content(PATH)).toString(), 'still mine');
});

test('open cuts what follows the given length, durably, before it resolves', async () => {
  for (const form of ['open', 'openSync'] as const) {
    const { scripted, dispatch, file, durableText } = await opened();
    await file.append(bytes('good tail'));
    await file.close();
    const again = await AppendFile[form](PATH, 4, { dispatch });
    assert.equal(durableText(), 'good');
    await again.append(bytes('!'));
    await again.close();
    assert.equal(Buffer.from(scripted.content(PATH)).toString(), 'good!');
    assert.throws(() => AppendFile.openSync(PATH, 6, { dispatch }), TypeError);
    await assert.rejects(AppendFile.open(PATH, 6, { dispatch }), TypeError);
  }
});

test('after close everything is refused with HOLDFAST_CLOSED, and close is close', async () => {
  const { file } = await opened();
  const pending = file.append(bytes('a'));
  const closing = file.close();
  await assert.rejects(file.append(bytes('b')), { code: 'HOLDFAST_CLOSED' });
  assert.throws(() => file.appendSync(bytes('b')), { code: 'HOLDFAST_CLOSED' });
  await closing;
  await pending;
  await file.close();
  file.closeSync();
});

test('closeSync beside a group in flight makes everything durable', async () => {
  const { scripted, file, durableText } = await opened();
  scripted.hold('durable-write', 'after');
  const inFlight = file.append(bytes('flight'));
  await settled();
  const queued = file.append(bytes('queue'));
  file.closeSync();
  assert.equal(durableText(), 'flightqueue');
  scripted.release();
  await Promise.all([inFlight, queued]);
  await settled();
  assert.equal(scripted.calls.filter((call) => call === 'close').length, 2);
});

test('a group that closeSync has made durable is whole, though the disk was full for its own write', async () => {
  const { scripted, file, durableText } = await opened();
  scripted.hold('durable-write');
  scripted.fail('durable-write', 'ENOSPC');
  const inFlight = file.append(bytes('flight'));
  await settled();
  file.closeSync();
  assert.equal(durableText(), 'flight');
  scripted.release();
  await inFlight;
  // The descriptor is gone, and nothing has failed: others that share the poison go on.
  assert.equal(file.poisoned, false);
});

test('wrong arguments are a TypeError and change nothing', async () => {
  const { file, dispatch } = await opened();
  assert.throws(() => file.appendSync(bytes('a'), 'often' as 'sync'), TypeError);
  await assert.rejects(file.append(bytes('a'), 'often' as 'sync'), TypeError);
  await assert.rejects(AppendFile.create('/x', { dispatch, batch: { ms: 0 } }), TypeError);
  await assert.rejects(AppendFile.create('/x', { dispatch, preallocateBytes: -1 }), TypeError);
  assert.equal(file.length, 0);
  await file.close();
});

const ZEROS = 1 << 20;

test('zeros are written ahead in the background, and close cuts them', async () => {
  const { scripted, file, text } = await opened({ preallocateBytes: 4 * ZEROS });
  await file.append(bytes('a'));
  await settled();
  await settled();
  assert.deepEqual(scripted.calls, ['durable-write 0+1', `append 0+${ZEROS}`, 'datasync']);
  assert.equal(scripted.content(PATH).length, 1 + ZEROS);
  scripted.calls.length = 0;
  for (let each = 0; each < 10; each++) await file.append(bytes('b'));
  assert.equal(scripted.calls.length, 10);
  assert.equal(scripted.content(PATH).length, 1 + ZEROS);
  await file.close();
  assert.equal(text(), 'abbbbbbbbbb');
});

test('only synced appends get zeros, and no more than were asked for', async () => {
  const { scripted, file } = await opened({ sync: 'none', preallocateBytes: 100 });
  await file.append(bytes('a'));
  file.appendSync(bytes('b'), 'batch');
  await settled();
  assert.equal(scripted.calls.filter((call) => call.startsWith('append')).length, 0);
  await file.append(bytes('c'), 'sync');
  await settled();
  await settled();
  assert.equal(scripted.content(PATH).length, 100);
  await file.append(new Uint8Array(200), 'sync');
  await settled();
  assert.equal(scripted.content(PATH).length, 203);
  await file.close();
});

test('zeros that land late destroy no record', async () => {
  for (const when of ['before', 'after'] as const) {
    const { scripted, file, text } = await opened({ preallocateBytes: 4 * ZEROS });
    scripted.hold('append', when);
    await file.append(bytes('a'));
    await settled();
    assert.equal(scripted.heldCount, 1);
    file.appendSync(bytes('b'));
    await file.append(bytes('c'));
    file.appendSync(bytes('d'));
    scripted.release();
    await settled();
    assert.equal(text().slice(0, 6), 'abcd\0\0');
    await file.append(bytes('e'));
    await file.close();
    assert.equal(text(), 'abcde');
  }
});

test('a loop that never comes back to the event loop gets its zeros at once', async () => {
  const { scripted, file } = await opened({ preallocateBytes: 4 * ZEROS });
  file.appendSync(bytes('a'));
  file.appendSync(bytes('b'));
  assert.deepEqual(scripted.calls, [
    'durable-writeSync 0+1',
    `appendSync 0+${ZEROS}`,
    'datasyncSync',
    'durable-writeSync 1+1',
  ]);
  file.closeSync();
  assert.equal(scripted.content(PATH).length, 2);
});

test('without room for zeros records go on alone', async () => {
  const { scripted, file, durableText } = await opened({ preallocateBytes: 4 * ZEROS });
  scripted.memory.capacityBytes = 1000;
  await file.append(bytes('a'));
  await settled();
  await settled();
  await file.append(bytes('b'));
  file.appendSync(bytes('c'));
  assert.equal(durableText().slice(0, 3), 'abc');
  await file.close();
  assert.equal(scripted.content(PATH).length, 3);
});

test('zeros that fail with an I/O error, or whose sync fails, end writing', async () => {
  for (const call of ['append', 'datasync'] as const) {
    const { scripted, file } = await opened({ preallocateBytes: 4 * ZEROS });
    scripted.fail(call, 'EIO');
    await file.append(bytes('a'));
    await settled();
    await settled();
    await assert.rejects(file.append(bytes('b')), { code: 'HOLDFAST_POISONED' });
    await assert.rejects(file.close(), { code: 'HOLDFAST_POISONED' });
  }
});
