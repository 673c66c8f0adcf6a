/**
 * The B+tree under faults: every call failing once in every way, a full disk, a killed process, and
 * bits of a closed store flipped; what `verify` says of it, and what `repair` saves.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../src/base/prng.ts';
import { btreeKind } from '../../src/btree/btree-kind.ts';
import type { BtreeOptions } from '../../src/btree/btree-options.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../src/vfs/transfer.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { applyLabel, batchOfLabel, sameState } from '../support/engine-commit.ts';
import type { TextState } from '../support/engine-commit.ts';
import { earlyRun } from '../support/early-run.ts';
import { FAULT_KINDS, faultLoop } from '../support/fault-loop.ts';
import type { FaultRun } from '../support/fault-loop.ts';
import { KillableVfs } from '../support/killable-vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** All of it, for a run by hand: the suite has a share. */
const FULL = process.env['BTREE_FAULTS'] === 'all';
const STORE = '/store';
const PAGES = `${STORE}/tree.pages`;

function surroundings(vfs: Vfs): { readonly dispatch: SyncDispatch } {
  return { dispatch: new SyncDispatch(vfs, syncRulesFor('linux', 'node')) };
}

function open(vfs: Vfs, options: BtreeOptions = {}): Promise<Engine> {
  return btreeKind.open(STORE, {
    checkpoint: { logBytes: 4096 },
    aheadBytes: 10_000,
    clock: new ManualClock(),
    ...options,
    ...surroundings(vfs),
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
  ['k*30=200', 'none'],
  ['a-,c=9000', 'sync'],
  ['k*20=250', 'batch'],
  ['k*25-,d=0', 'none'],
  ['e=20000,d=5', 'none'],
  ['c=20', 'sync'],
  ['e=12000', 'sync'],
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
      assert.ok(code !== undefined, String((error as Error).stack));
      fates.set(label, outcome === 'old' ? 'refused' : 'unknown');
    }
    if (index === 4) await engine.compact().catch((error: unknown) => checkKnown(error));
  }
}

function checkKnown(error: unknown): undefined {
  assert.ok((error as { code?: string }).code !== undefined, String((error as Error).stack));
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

/** The faults that were met, by kind: every call fails once. */
const everyCall = await earlyRun(() => {
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
  const kinds = FULL ? FAULT_KINDS : (['EIO', 'ENOSPC'] as const);
  return faultLoop(scenario, { create, kinds });
});

test('whichever call fails, what was told to callers is what is there afterwards', () => {
  for (const [kind, count] of everyCall()) assert.ok(count > 0, kind);
});

test('a full disk refuses writes, and writing goes on when there is room', async () => {
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
      assert.equal((error as { code: string }).code, 'ENOSPC', String((error as Error).stack));
      return false;
    }
  };
  let refused = 0;
  for (const capacity of [120_000, 160_000, 250_000]) {
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
  for (let run = 0; run < (FULL ? 100 : 5); run++) {
    const memory = new MemoryVfs();
    const killable = new KillableVfs(new LockAsideVfs(memory));
    const told: string[] = [];
    const asked: string[] = [];
    const working = async (): Promise<void> => {
      const engine = await open(killable);
      for (let index = 0; ; index++) {
        const long = index % 4 === 3 ? `,z=${11_000 + index}` : '';
        const a = index % 2 === 0 ? '-' : '=3';
        const label = `${index}:k*${1 + (index % 35)}=${100 + index},a${a}${long}`;
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

/** A store with two levels, a long value and free pages; closed, or killed with a log to be redone. */
async function madeStore(
  end: 'closed' | 'killed',
): Promise<{ memory: MemoryVfs; expected: TextState }> {
  const memory = new MemoryVfs();
  const killable = new KillableVfs(new LockAsideVfs(memory));
  const engine = await open(killable, { checkpoint: { logBytes: 1 << 20 } });
  const expected: TextState = new Map();
  const commits = ['k*60=120', 'long=9000', 'a=30,z*5=4', 'k*5-,b=20', 'k*30=150'];
  for (const [index, changes] of commits.entries()) {
    const label = `${index}:${changes}`;
    await engine.write(batchOfLabel(label), 'sync');
    applyLabel(expected, label);
    if (index === 2) await engine.compact();
  }
  if (end === 'closed') await engine.close();
  else killable.kill();
  return { memory, expected };
}

function filesOf(memory: MemoryVfs, directory: string = STORE): string[] {
  return memory.readDirectorySync(directory).flatMap(({ name, kind }) => {
    const path = `${directory}/${name}`;
    return kind === 'directory' ? filesOf(memory, path) : [path];
  });
}

function copyOf(memory: MemoryVfs): MemoryVfs {
  const copy = new MemoryVfs();
  copy.mkdirSync(STORE);
  copy.mkdirSync(`${STORE}/log`);
  for (const path of filesOf(memory)) {
    const file = copy.openSync(path, { write: true, create: true });
    writeFullySync(file, readWholeFileSync(memory, path), 0);
    file.closeSync();
  }
  return copy;
}

function overwrite(memory: MemoryVfs, path: string, at: number, bytes: Uint8Array): void {
  const file = memory.openSync(path, { write: true });
  writeFullySync(file, bytes, at);
  file.closeSync();
}

function bytesOf(memory: MemoryVfs): string {
  return JSON.stringify(
    filesOf(memory).map((path) => [
      path,
      Buffer.from(readWholeFileSync(memory, path)).toString('latin1'),
    ]),
  );
}

test('a store is verified without its lock and without a change, with what its log has to say', async () => {
  for (const end of ['closed', 'killed'] as const) {
    const { memory, expected } = await madeStore(end);
    const before = bytesOf(memory);
    const report = await btreeKind.verify(STORE, surroundings(memory));
    assert.deepEqual(report.damage, []);
    assert.equal(report.entries, expected.size);
    assert.ok(bytesOf(memory) === before, 'nothing is changed');
  }
});

const DAMAGE_CODES = ['HOLDFAST_CORRUPTION', 'HOLDFAST_FORMAT', 'HOLDFAST_FOREIGN'];

/** Opens a damaged store and reads everything. True when the damage was told, by an error. */
async function tellsDamage(memory: MemoryVfs, expected: TextState): Promise<boolean> {
  let engine: Engine;
  try {
    engine = await open(memory);
  } catch (error) {
    const { code, stack } = error as { code: string; stack: string };
    assert.ok(DAMAGE_CODES.includes(code), stack);
    return true;
  }
  let told = false;
  try {
    for (const [key, value] of expected) {
      try {
        assert.equal(engine.getSync(Buffer.from(key))?.toString('latin1'), value, key);
      } catch (error) {
        if ((error as { code?: string }).code !== 'HOLDFAST_CORRUPTION') throw error;
        told = true;
      }
    }
  } finally {
    await engine.close().catch(checkKnown);
  }
  return told;
}

test('a bit that flips in a closed store is told, or harms nothing', async () => {
  const { memory, expected } = await madeStore('closed');
  for (const path of filesOf(memory)) {
    const bytes = readWholeFileSync(memory, path);
    for (
      let bit = 0;
      bit < bytes.length * 8;
      bit += (path === PAGES ? 1009 : 61) * (FULL ? 1 : 3)
    ) {
      const copy = copyOf(memory);
      const flipped = Uint8Array.of((bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      overwrite(copy, path, bit >> 3, flipped);
      const told = await tellsDamage(copy, expected).catch((error: unknown) => {
        throw new Error(`bit ${bit} of ${path}`, { cause: error });
      });
      if (!told) continue;
      const verified = await btreeKind
        .verify(STORE, surroundings(copy))
        .catch(() => ({ sound: false }));
      assert.equal(verified.sound, false, `bit ${bit} of ${path}`);
    }
  }
});

test('a file that is cut or missing is told', async () => {
  const { memory, expected } = await madeStore('closed');
  const { length } = readWholeFileSync(memory, PAGES);
  for (const size of [0, 20, 4095, 4096, 9000, length - 4096, length - 1]) {
    const copy = copyOf(memory);
    const file = copy.openSync(PAGES, { write: true });
    file.truncateSync(size);
    file.closeSync();
    assert.ok(await tellsDamage(copy, expected), `cut to ${size}`);
  }
});

test('what can be read of a damaged store is saved, and the rest is listed', async () => {
  for (const end of ['closed', 'killed'] as const) {
    const { memory, expected } = await madeStore(end);
    const pages = readWholeFileSync(memory, PAGES).length / 4096;
    for (let number = 0; number < pages; number += FULL || number < 3 ? 1 : 3) {
      const copy = copyOf(memory);
      overwrite(copy, PAGES, number * 4096 + 60, Uint8Array.of(1, 2, 3));
      const report = await btreeKind.repair(STORE, surroundings(copy));
      const engine = await open(copy);
      const state = stateOf(engine);
      assert.equal(state.size, report.savedEntries);
      assert.ok(state.size >= expected.size - 40, `page ${number}: ${state.size} entries`);
      for (const [key, value] of state) {
        // Without the free list, what was deleted may be back.
        if (number === 1) continue;
        assert.equal(value, expected.get(key), `page ${number}, key ${key}`);
      }
      if (state.size < expected.size) assert.ok(report.damage.length > 0, `page ${number}`);
      assert.deepEqual((await engine.verify()).damage, []);
      assert.ok(copy.lstatSync(report.keptAside[0] ?? '').size > 0);
      await engine.close();
      assert.ok((await btreeKind.verify(STORE, surroundings(copy))).sound);
    }
  }
});

/** A process that ends after so many calls. */
class ShortLivedVfs extends KillableVfs {
  readonly ended: Promise<void>;
  #left: number;
  #end: () => void = () => {};

  constructor(inner: Vfs, calls: number) {
    super(inner);
    this.#left = calls;
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  override intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    if (--this.#left < 0) {
      this.kill();
      this.#end();
    }
    return super.intercept(call, run);
  }
}

test('a repair that is cut short at any call leaves the store as it was, or repaired', async () => {
  const { memory, expected } = await madeStore('killed');
  for (let calls = 0, ended = false; !ended; calls += FULL ? 1 : 17) {
    const copy = copyOf(memory);
    const process = new ShortLivedVfs(new LockAsideVfs(copy), calls);
    const repairing = btreeKind.repair(STORE, surroundings(process)).then(() => true);
    ended = await Promise.race([repairing, process.ended.then(() => false)]);
    const again = await open(new LockAsideVfs(copy));
    assert.ok(sameState(stateOf(again), expected), `cut short at call ${calls}`);
    assert.deepEqual((await again.verify()).damage, []);
    await again.close();
  }
});
