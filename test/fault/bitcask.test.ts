/**
 * Bitcask under faults: every call failing once in every way, a full disk, a killed process, and
 * every bit of a closed store flipped.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../src/base/prng.ts';
import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { BitcaskOptions } from '../../src/bitcask/bitcask-options.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../src/vfs/transfer.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { applyLabel, batchOfLabel, sameState } from '../support/engine-commit.ts';
import type { TextState } from '../support/engine-commit.ts';
import { FAULT_KINDS, faultLoop } from '../support/fault-loop.ts';
import type { FaultRun } from '../support/fault-loop.ts';
import { KillableVfs } from '../support/killable-vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
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

/** All entries, read in blocking calls. */
function stateOf(engine: Engine): TextState {
  const state: TextState = new Map();
  const iterator = engine.iterator();
  const entry = (
    keys: Buffer,
    keyStart: number,
    keyEnd: number,
    values: Buffer,
    valueStart: number,
    valueEnd: number,
  ): void => {
    const key = keys.toString('latin1', keyStart, keyEnd);
    state.set(key, values.toString('latin1', valueStart, valueEnd));
  };
  while (iterator.readSync({ entry }, 1000, Infinity) > 0);
  iterator.close();
  return state;
}

const COMMITS: readonly (readonly [changes: string, policy: SyncPolicy])[] = [
  ['a=10,b=20', 'sync'],
  ['k*6=500', 'none'],
  ['a-,c=900', 'sync'],
  ['k*3=600', 'batch'],
  ['k*6-,d=0', 'none'],
  ['e=2000', 'sync'],
  ['k*4=300', 'sync'],
];

/** What each commit was told; none is `'open'` in the end. */
type Fate = 'kept' | 'refused' | 'unknown';

/** Commits until writing ends, with a compaction in the middle. */
async function work(engine: Engine, fates: Map<string, Fate>): Promise<void> {
  for (const [index, [changes, policy]] of COMMITS.entries()) {
    const label = `${index}:${changes}`;
    try {
      if (index % 3 === 2) engine.writeSync(batchOfLabel(label), policy);
      else await engine.write(batchOfLabel(label), policy);
      fates.set(label, 'kept');
    } catch (error) {
      const { code, outcome } = error as { code: string; outcome?: string };
      assert.ok(code !== undefined, String(error));
      fates.set(label, outcome === 'old' ? 'refused' : 'unknown');
    }
    if (index === 4) await engine.compact().catch((error: unknown) => checkKnown(error));
  }
}

function checkKnown(error: unknown): undefined {
  assert.ok((error as { code?: string }).code !== undefined, String(error));
}

/** Kept commits are there, refused ones are not, and of the unknown ones as many as there may be. */
function checkState(state: TextState, fates: ReadonlyMap<string, Fate>): void {
  const maybe: string[] = [...fates].filter(([, fate]) => fate === 'unknown').map(([one]) => one);
  for (let count = 0; count <= maybe.length; count++) {
    const shown = new Set(maybe.slice(0, count));
    const expected: TextState = new Map();
    for (const [label, fate] of fates) {
      if (fate === 'kept' || shown.has(label)) applyLabel(expected, label);
    }
    if (sameState(state, expected)) return;
  }
  assert.fail(`found ${[...state.keys()].join()}, fates ${[...fates.values()].join()}`);
}

test('whichever call fails, what was told to callers is what is there afterwards', async (t) => {
  let memory = new MemoryVfs();
  const create = (): MemoryVfs => (memory = new MemoryVfs());
  const scenario = async ({ vfs }: FaultRun): Promise<void> => {
    const fates = new Map<string, Fate>();
    const aside = new LockAsideVfs(vfs);
    const engine = await open(aside).catch(checkKnown);
    if (engine !== undefined) {
      await work(engine, fates);
      await engine.close().catch(checkKnown);
    }
    const again = await open(new LockAsideVfs(memory));
    checkState(stateOf(again), fates);
    assert.deepEqual((await again.verify()).damage, []);
    await again.close();
  };
  const kinds = THOROUGH ? FAULT_KINDS : (['EIO', 'ENOSPC', 'short-write'] as const);
  const failed = await faultLoop(scenario, { create, kinds });
  for (const [kind, count] of failed) assert.ok(count > 0, kind);
  t.diagnostic([...failed].map(([kind, count]) => `${kind} ${count}`).join(', '));
});

test('a full disk refuses writes, merging too, and writing goes on when there is room', async () => {
  const memory = new MemoryVfs();
  const engine = await open(memory);
  const expected: TextState = new Map();
  const write = async (label: string, sync: boolean): Promise<boolean> => {
    try {
      if (sync) engine.writeSync(batchOfLabel(label), 'sync');
      else await engine.write(batchOfLabel(label), 'sync');
      applyLabel(expected, label);
      return true;
    } catch (error) {
      assert.equal((error as { code: string }).code, 'ENOSPC');
      return false;
    }
  };
  let refused = 0;
  for (const capacity of [20_000, 30_000, 50_000]) {
    memory.capacityBytes = capacity;
    for (let index = 0; index < 40; index++) {
      const changes = `${'abcdefgh'[index % 8]}*${1 + (index % 13)}=${500 + index},n=50`;
      if (!(await write(`${capacity + index}:${changes}`, index % 2 === 0))) refused++;
    }
    await engine.compact().catch((error: unknown) => {
      assert.equal((error as { code: string }).code, 'ENOSPC');
    });
    assert.ok(sameState(stateOf(engine), expected), `at ${capacity}`);
  }
  assert.ok(refused > 0, 'the disk was full');
  memory.capacityBytes = Infinity;
  assert.ok(await write('1:last=10', false));
  assert.ok(await write('2:more=10', true));
  await engine.close();
  const again = await open(memory);
  assert.ok(sameState(stateOf(again), expected));
  await again.close();
});

test('a process killed at any call leaves all that it had promised', async () => {
  const random = new Prng(11);
  for (let run = 0; run < 25; run++) {
    const memory = new MemoryVfs();
    const killable = new KillableVfs(new LockAsideVfs(memory));
    const told: string[] = [];
    const asked: string[] = [];
    const working = async (): Promise<void> => {
      const engine = await open(killable);
      for (let index = 0; ; index++) {
        const label = `${index}:k*${1 + (index % 5)}=${100 + index},a${index % 2 === 0 ? '-' : '=3'}`;
        asked.push(label);
        await engine.write(batchOfLabel(label), (['none', 'sync', 'batch'] as const)[index % 3]);
        told.push(label);
        if (index % 9 === 8) await engine.compact();
        await new Promise((resolve) => void setImmediate(resolve));
      }
    };
    void working();
    for (let turn = random.below(100); turn >= 0; turn--) {
      await new Promise((resolve) => void setImmediate(resolve));
    }
    killable.kill();
    const again = await open(new LockAsideVfs(memory));
    const state = stateOf(again);
    const shown = [told, asked].some((labels) => {
      const expected: TextState = new Map();
      for (const label of labels) applyLabel(expected, label);
      return sameState(state, expected);
    });
    assert.ok(shown, `run ${run}: ${told.length} told, ${asked.length} asked`);
    assert.deepEqual((await again.verify()).damage, []);
    await again.close();
  }
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
  const state = stateOf(engine);
  assert.equal(state.size, report.savedEntries);
  assert.ok(state.size > 0);
  for (const [key, value] of state) {
    if (expected.has(key) && key !== 'b') assert.equal(value, expected.get(key));
  }
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});
