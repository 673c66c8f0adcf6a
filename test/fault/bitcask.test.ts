/**
 * Bitcask under faults: every call failing once in every way, a full disk, a killed process, and
 * every bit of a closed store flipped.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { BitcaskOptions } from '../../src/bitcask/bitcask-options.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../src/vfs/transfer.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { failEveryCall, fillDisk, killProcesses } from '../support/broken-store.ts';
import type { Commits } from '../support/broken-store.ts';
import { applyLabel, batchOfLabel, stateOfStore } from '../support/engine-commit.ts';
import type { TextState } from '../support/engine-commit.ts';
import { FAULT_KINDS } from '../support/fault-loop.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** `HOLDFAST_FAULTS=all`: every kind of fault, and every bit. */
const THOROUGH = process.env['HOLDFAST_FAULTS'] === 'all';
const STORE = '/store';

function open(vfs: Vfs, options: BitcaskOptions = {}): Promise<Engine> {
  return bitcaskKind.open(STORE, {
    maxFileSize: 4096,
    preallocateBytes: 4096,
    clock: new ManualClock(),
    ...options,
    dispatch: new SyncDispatch(vfs, syncRulesFor('linux', 'node')),
  });
}

const COMMITS: Commits = [
  ['a=10,b=20', 'sync'],
  ['k*6=500', 'none'],
  ['a-,c=900', 'sync'],
  ['k*3=600', 'batch'],
  ['k*6-,d=0', 'none'],
  ['e=2000', 'sync'],
  ['k*4=300', 'sync'],
];

test('whichever call fails, what was told to callers is what is there afterwards', async (t) => {
  const kinds = THOROUGH ? FAULT_KINDS : (['EIO', 'ENOSPC', 'short-write'] as const);
  const failed = await failEveryCall(open, COMMITS, kinds);
  for (const [kind, count] of failed) assert.ok(count > 0, kind);
  t.diagnostic([...failed].map(([kind, count]) => `${kind} ${count}`).join(', '));
});

test('a full disk refuses writes, merging too, and writing goes on when there is room', async () => {
  await fillDisk(open, [20_000, 30_000, 50_000]);
});

test('a process killed at any call leaves all that it had promised', async () => {
  await killProcesses(
    open,
    25,
    (index) => `${index}:k*${1 + (index % 5)}=${100 + index},a${index % 2 === 0 ? '-' : '=3'}`,
  );
});

/** A closed store with a merged file, logs, deletes and an empty value, and what it holds. */
async function closedStore(): Promise<{ memory: MemoryVfs; expected: TextState }> {
  const memory = new MemoryVfs();
  const engine = await open(memory, { merge: false });
  const expected: TextState = new Map();
  const commits = ['a=30,b=30', 'c=60,a-', 'd=0,b=20', 'e=40,c-'];
  for (const [index, changes] of commits.entries()) {
    const label = `${index}:${changes}`;
    await engine.write(batchOfLabel(label), 'sync');
    applyLabel(expected, label);
    if (index === 1) await engine.compact();
  }
  await engine.close();
  return { memory, expected };
}

function copyOf(memory: MemoryVfs): MemoryVfs {
  const copy = new MemoryVfs();
  copy.mkdirSync(STORE);
  for (const { name } of memory.readDirectorySync(STORE)) {
    const file = copy.openSync(`${STORE}/${name}`, { write: true, create: true });
    writeFullySync(file, readWholeFileSync(memory, `${STORE}/${name}`), 0);
    file.closeSync();
  }
  return copy;
}

const DAMAGE_CODES = ['HOLDFAST_CORRUPTION', 'HOLDFAST_FORMAT'];

/** Opens a damaged store and reads every key. True when the damage was told, by an error. */
async function tellsDamage(memory: MemoryVfs, expected: TextState): Promise<boolean> {
  let engine: Engine;
  try {
    engine = await open(memory, { merge: false });
  } catch (error) {
    assert.ok(DAMAGE_CODES.includes((error as { code: string }).code), String(error));
    return true;
  }
  let told = false;
  try {
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      try {
        const value = engine.getSync(Buffer.from(key))?.toString('latin1');
        assert.equal(value, expected.get(key), `the value of ${key}`);
      } catch (error) {
        if ((error as { code?: string }).code !== 'HOLDFAST_CORRUPTION') throw error;
        told = true;
      }
    }
  } finally {
    await engine.close();
  }
  return told;
}

test('a bit that flips in a closed store is told, or harms nothing', async () => {
  const { memory, expected } = await closedStore();
  const names = memory.readDirectorySync(STORE).map(({ name }) => name);
  assert.ok(names.filter((name) => name.endsWith('.data')).length >= 2, names.join());
  for (const name of names) {
    const bytes = readWholeFileSync(memory, `${STORE}/${name}`);
    for (let bit = 0; bit < bytes.length * 8; bit += THOROUGH ? 1 : 29) {
      const copy = copyOf(memory);
      const file = copy.openSync(`${STORE}/${name}`, { write: true });
      const flipped = Uint8Array.of((bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      writeFullySync(file, flipped, bit >> 3);
      file.closeSync();
      const { sound } = await bitcaskKind
        .verify(STORE, { dispatch: new SyncDispatch(copy) })
        .catch(() => ({ sound: false }));
      if (name.endsWith('.data')) assert.equal(sound, false, `bit ${bit} of ${name}`);
      const told = await tellsDamage(copy, expected).catch((error: unknown) => {
        throw new Error(`bit ${bit} of ${name}`, { cause: error });
      });
      if (name === 'BITCASK') assert.ok(told, `bit ${bit} of the manifest`);
    }
  }
});

test('a file that is cut or missing is told', async () => {
  const { memory, expected } = await closedStore();
  for (const { name } of memory.readDirectorySync(STORE)) {
    const { length } = readWholeFileSync(memory, `${STORE}/${name}`);
    for (let size = 0; size < length; size += 7) {
      const copy = copyOf(memory);
      const file = copy.openSync(`${STORE}/${name}`, { write: true });
      file.truncateSync(size);
      file.closeSync();
      const told = await tellsDamage(copy, expected);
      assert.equal(told, !name.endsWith('.hint'), `${name} cut to ${size}`);
    }
    const copy = copyOf(memory);
    copy.unlinkSync(`${STORE}/${name}`);
    assert.equal(await tellsDamage(copy, expected), !name.endsWith('.hint'), name);
  }
});

test('what can be read of a damaged store is saved, and the rest is listed', async () => {
  const { memory, expected } = await closedStore();
  const dispatch = new SyncDispatch(memory, syncRulesFor('linux', 'node'));
  for (const { name } of memory.readDirectorySync(STORE)) {
    if (!name.endsWith('.data')) continue;
    const file = memory.openSync(`${STORE}/${name}`, { write: true });
    writeFullySync(file, Uint8Array.of(1, 2, 3), 60);
    file.closeSync();
  }
  assert.ok(await tellsDamage(memory, expected));
  const report = await bitcaskKind.repair(STORE, { dispatch });
  assert.ok(report.damage.length > 0);
  assert.ok(report.keptAside.length > 0);
  const engine = await open(memory);
  const state = stateOfStore(engine);
  assert.equal(state.size, report.savedEntries);
  assert.ok(state.size > 0);
  for (const [key, value] of state) {
    if (expected.has(key) && key !== 'b') assert.equal(value, expected.get(key));
  }
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});
