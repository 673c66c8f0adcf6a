/**
 * What a damaged, foreign or incomplete directory answers: the documented error, and nothing of it
 * changed. Bits that flip are `lsm-bit-flips`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HoldfastError } from '../../../src/base/errors.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import { putWatermark, WATERMARK_BYTES } from '../../../src/wal/watermark.ts';
import { openOn, textBatch, textEntries } from '../../support/lsm-stores.ts';

/** The files of the store by name. */
type Files = ReadonlyMap<string, Uint8Array>;

function filesOf(vfs: MemoryVfs): Files {
  const names = vfs.readDirectorySync('/store').filter(({ kind }) => kind === 'file');
  return new Map(names.map(({ name }) => [name, readWholeFileSync(vfs, `/store/${name}`)]));
}

function storeOf(files: Files): MemoryVfs {
  const vfs = new MemoryVfs();
  vfs.mkdirSync('/store');
  for (const [name, bytes] of files) {
    const file = vfs.openSync(`/store/${name}`, { write: true, create: true });
    if (bytes.length > 0) file.writeSync(bytes, 0, bytes.length, 0);
    file.closeSync();
  }
  return vfs;
}

/** A closed store of some tables and a log, and what is in it. */
async function closedStore(): Promise<{ files: Files; entries: [string, string][] }> {
  const vfs = new MemoryVfs();
  const engine = await openOn(vfs);
  for (let number = 0; number < 5; number++) {
    await engine.write(textBatch({ [`k${number}`]: 'v'.repeat(100 * number), last: `${number}` }));
  }
  await engine.compact();
  await engine.write(textBatch({ k1: undefined, k9: 'new' }));
  await engine.write(textBatch({ k3: 'other' }), 'none');
  const entries = await textEntries(engine);
  await engine.close();
  return { files: filesOf(vfs), entries };
}

function nameLike(files: Files, pattern: RegExp): string {
  const name = [...files.keys()].find((one) => pattern.test(one));
  assert.ok(name !== undefined, String(pattern));
  return name;
}

async function requireRefused(files: Files, code: string, words: RegExp): Promise<void> {
  const vfs = storeOf(files);
  await assert.rejects(openOn(vfs), (error: HoldfastError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
  assert.deepEqual(filesOf(vfs), files, 'nothing was changed');
}

test('what is missing or cut is named', async () => {
  const { files } = await closedStore();
  const current = nameLike(files, /^CURRENT$/);
  const manifest = nameLike(files, /^MANIFEST/);
  const table = nameLike(files, /ldb$/);
  const log = nameLike(files, /log$/);
  const empty = new Uint8Array(0);
  const without = (name: string): Files => new Map([...files].filter(([one]) => one !== name));
  const corrupt = 'HOLDFAST_CORRUPTION';
  await requireRefused(without(current), corrupt, /CURRENT.*no such file/);
  await requireRefused(new Map([...files, [current, empty]]), corrupt, /CURRENT.*an empty file/);
  await requireRefused(without(manifest), corrupt, /MANIFEST.*no such file/);
  await requireRefused(new Map([...files, [manifest, empty]]), corrupt, /MANIFEST/);
  await requireRefused(without(table), corrupt, /ldb.*a table that counts.*no such file/);
  await requireRefused(new Map([...files, [table, empty]]), corrupt, /ldb.*found 0 bytes/);
  await requireRefused(without(log), corrupt, /log.*the oldest log.*no such file/);
});

test('a directory with files of another program is foreign, and left as it is', async () => {
  const files = new Map([['notes.txt', Uint8Array.of(1)]]);
  await requireRefused(files, 'HOLDFAST_FOREIGN', /notes\.txt/);
});

test('a damaged store is repaired: what can be read is there, and the rest is listed', async () => {
  const { files, entries } = await closedStore();
  const table = nameLike(files, /ldb$/);
  const bytes = (files.get(table) as Uint8Array).slice();
  bytes[3] = (bytes[3] ?? 0) ^ 1;
  const vfs = storeOf(new Map([...files, [table, bytes]]));
  const report = await lsmKind.repair('/store', { dispatch: new SyncDispatch(vfs) });
  assert.ok(report.damage.some(({ path }) => path.endsWith(table)));
  assert.deepEqual(report.keptAside.map((path) => path.endsWith(table)).includes(true), true);
  const engine = await openOn(vfs);
  const saved = await textEntries(engine);
  const all = new Map(entries);
  for (const [key, value] of saved) assert.equal(value, all.get(key), key);
  // What the log held is all there.
  assert.equal(new Map(saved).get('k9'), 'new');
  assert.equal(saved.length, report.savedEntries);
  assert.ok(saved.length < entries.length);
  await engine.close();
});

test('a store without CURRENT is repaired whole', async () => {
  const { files, entries } = await closedStore();
  const vfs = storeOf(new Map([...files].filter(([name]) => name !== 'CURRENT')));
  const report = await lsmKind.repair('/store', { dispatch: new SyncDispatch(vfs) });
  assert.equal(report.savedEntries, entries.length);
  const engine = await openOn(vfs);
  assert.deepEqual(await textEntries(engine), entries);
  await engine.close();
});

test('a second opener is told who holds the store', async () => {
  const vfs = new MemoryVfs();
  const engine = await openOn(vfs);
  await assert.rejects(openOn(vfs), { code: 'HOLDFAST_LOCKED' });
  await engine.write(textBatch({ a: '1' }));
  await engine.close();
  await (await openOn(vfs)).close();
});

test('a value that holds a piece of a log is torn like any other', async () => {
  const vfs = new MemoryVfs();
  const engine = await openOn(vfs);
  await engine.write(textBatch({ first: 'kept' }));
  const piece = new Uint8Array(40 * WATERMARK_BYTES);
  for (let index = 0; index < 40; index++) {
    putWatermark(piece, index * WATERMARK_BYTES, 0, 5 + index);
  }
  await engine.write(textBatch({ second: Buffer.from(piece).toString('latin1') }), 'none');
  const files = new Map([...filesOf(vfs)].filter(([name]) => !name.startsWith('holdfast-lock')));
  const log = nameLike(files, /\.log$/);
  const bytes = Uint8Array.from(files.get(log)!);
  const torn = Buffer.from(bytes).indexOf('second') - 20;
  bytes.fill(0, torn, torn + 60);
  files.set(log, bytes);
  const again = await openOn(storeOf(files));
  assert.deepEqual(await textEntries(again), [['first', 'kept']]);
  await again.close();
  await engine.close();
});

test('damage that a compaction meets is told with its place, and ends writing only', async () => {
  const { files } = await closedStore();
  const table = nameLike(files, /ldb$/);
  const bytes = (files.get(table) as Uint8Array).slice();
  bytes[3] = (bytes[3] ?? 0) ^ 1;
  const vfs = storeOf(new Map([...files, [table, bytes]]));
  const engine = await openOn(vfs);
  await engine.write(textBatch({ z: 'accepted' }), 'none');
  const damage = (error: Error & { code?: string; path?: string }): boolean => {
    assert.equal(error.code, 'HOLDFAST_CORRUPTION');
    assert.equal(error.path, `/store/${table}`);
    assert.match(error.message, /is damaged at byte \d+: expected checksum/);
    assert.doesNotMatch(error.message, /write or sync/);
    return true;
  };
  await assert.rejects(async () => engine.compact(), damage);
  await assert.rejects(async () => engine.write(textBatch({ y: 'refused' })), damage);
  assert.throws(() => engine.writeSync(textBatch({ y: 'refused' })), damage);
  await assert.rejects(async () => engine.compact(), damage);
  // No write has failed: what was accepted lasts, and the store closes.
  assert.equal(String(await engine.get(Buffer.from('z'))), 'accepted');
  await engine.close();
  const again = await openOn(vfs);
  assert.equal(String(again.getSync(Buffer.from('z'))), 'accepted');
  assert.equal(again.getSync(Buffer.from('y')), undefined);
  await again.close();
});

/** What verifying finds, the names of the damaged files, sorted, once each. */
async function found(files: Files): Promise<{ names: string[]; files: number; entries: unknown }> {
  const dispatch = new SyncDispatch(storeOf(files));
  const report = await lsmKind.verify('/store', { dispatch });
  const names = new Set(report.damage.map(({ path }) => path.slice('/store/'.length)));
  return { names: [...names].toSorted(), files: report.files, entries: report.entries };
}

function flipped(files: Files, name: string): [string, Uint8Array] {
  const bytes = (files.get(name) as Uint8Array).slice();
  bytes[3] = (bytes[3] ?? 0) ^ 1;
  return [name, bytes];
}

test('verify counts the entries of tables and logs', async () => {
  const { files, entries } = await closedStore();
  assert.deepEqual((await found(files)).names, []);
  assert.equal((await found(files)).entries, entries.length);
});

test('verify names all that is damaged, also of a store that cannot be opened', async () => {
  const closed = storeOf((await closedStore()).files);
  // Opening makes a table of what the log held.
  const engine = await openOn(closed);
  await engine.write(textBatch({ z: '1' }));
  await engine.close();
  const files = filesOf(closed);
  const tables = [...files.keys()].filter((name) => name.endsWith('.ldb')).toSorted();
  const [cut, wrong] = tables as [string, string];
  assert.ok(tables.length >= 2);
  const log = nameLike(files, /log$/);
  const manifest = nameLike(files, /^MANIFEST/);
  const short = (files.get(cut) as Uint8Array).slice(0, -3);
  const both = new Map([...files, [cut, short] as const, flipped(files, wrong)]);
  assert.deepEqual((await found(both)).names, [cut, wrong].toSorted());
  const without = (...gone: string[]): Files =>
    new Map([...both].filter(([name]) => !gone.includes(name)));
  assert.deepEqual((await found(without(log))).names, [cut, wrong, log].toSorted());
  // Where nothing says what counts, everything is looked at.
  for (const gone of ['CURRENT', manifest]) {
    const shown = await found(without(gone));
    assert.deepEqual(shown.names, [cut, wrong, 'CURRENT'].toSorted());
    assert.ok(shown.files >= tables.length);
  }
  const damaged = new Map([...both, flipped(files, manifest), flipped(files, log)]);
  assert.deepEqual((await found(damaged)).names, [cut, wrong, manifest, log].toSorted());
});
