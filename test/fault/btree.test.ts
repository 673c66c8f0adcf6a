/**
 * The B+tree under faults: every call failing once in every way, a full disk, a killed process, and
 * bits of a closed store flipped; what `verify` says of it, and what `repair` saves.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../src/btree/btree-kind.ts';
import type { BtreeOptions } from '../../src/btree/btree-options.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../src/vfs/transfer.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { checkKnown, failEveryCall, fillDisk, killProcesses } from '../support/broken-store.ts';
import type { Commits } from '../support/broken-store.ts';
import { applyLabel, batchOfLabel, sameState, stateOfStore } from '../support/engine-commit.ts';
import type { TextState } from '../support/engine-commit.ts';
import { earlyRun } from '../support/early-run.ts';
import { FAULT_KINDS } from '../support/fault-loop.ts';
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

const COMMITS: Commits = [
  ['a=10,b=20', 'sync'],
  ['k*30=200', 'none'],
  ['a-,c=9000', 'sync'],
  ['k*20=250', 'batch'],
  ['k*25-,d=0', 'none'],
  ['e=20000,d=5', 'none'],
  ['c=20', 'sync'],
  ['e=12000', 'sync'],
];

/** The faults that were met, by kind: every call fails once. */
const everyCall = await earlyRun(() =>
  failEveryCall(open, COMMITS, FULL ? FAULT_KINDS : (['EIO', 'ENOSPC'] as const)),
);

test('whichever call fails, what was told to callers is what is there afterwards', () => {
  for (const [kind, count] of everyCall()) assert.ok(count > 0, kind);
});

test('a full disk refuses writes, and writing goes on when there is room', async () => {
  await fillDisk(open, [120_000, 160_000, 250_000]);
});

test('a process killed at any call leaves all that it had promised', async () => {
  await killProcesses(open, FULL ? 100 : 5, (index) => {
    const long = index % 4 === 3 ? `,z=${11_000 + index}` : '';
    const a = index % 2 === 0 ? '-' : '=3';
    return `${index}:k*${1 + (index % 35)}=${100 + index},a${a}${long}`;
  });
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
      const state = stateOfStore(engine);
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
    assert.ok(sameState(stateOfStore(again), expected), `cut short at call ${calls}`);
    assert.deepEqual((await again.verify()).damage, []);
    await again.close();
  }
});
