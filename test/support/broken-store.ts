/**
 * An engine whose calls fail, whose disk is full, whose process is killed: what was told to callers is what is there
 * afterwards. Not here: the engines, and what of their files may be damaged (`test/fault`).
 */

import assert from 'node:assert/strict';

import { Prng } from '../../src/base/prng.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { FaultKind } from '../../src/vfs/fault.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import {
  applyLabel,
  batchOfLabel,
  sameState,
  stateOfLabels,
  stateOfStore,
} from './engine-commit.ts';
import type { TextState } from './engine-commit.ts';
import { faultLoop } from './fault-loop.ts';
import type { FaultRun } from './fault-loop.ts';
import { KillableVfs } from './killable-vfs.ts';
import { LockAsideVfs } from './lock-aside-vfs.ts';

/** Opens the store, which is made where it is not there. */
export type OpenStore = (vfs: Vfs) => Promise<Engine>;

/** What is written, as labels without their numbers (`engine-commit`), and under which policy. */
export type Commits = readonly (readonly [changes: string, policy: SyncPolicy])[];

/** What each commit was told. */
type Fate = 'kept' | 'refused' | 'unknown';

/** A failure is told by an error with a code. */
export function checkKnown(error: unknown): undefined {
  assert.ok((error as { code?: string }).code !== undefined, String((error as Error).stack));
}

/** Every call fails once, in each of the ways: how many runs there were of each. */
export function failEveryCall(
  open: OpenStore,
  commits: Commits,
  kinds: readonly FaultKind[],
): Promise<ReadonlyMap<FaultKind, number>> {
  let memory = new MemoryVfs();
  const create = (): MemoryVfs => (memory = new MemoryVfs());
  const scenario = async ({ vfs }: FaultRun): Promise<void> => {
    const fates = new Map<string, Fate>();
    const engine = await open(new LockAsideVfs(vfs)).catch(checkKnown);
    if (engine !== undefined) {
      await work(engine, commits, fates);
      await engine.close().catch(checkKnown);
    }
    const again = await open(new LockAsideVfs(memory));
    checkState(stateOfStore(again), fates);
    assert.deepEqual((await again.verify()).damage, []);
    await again.close();
  };
  return faultLoop(scenario, { create, kinds });
}

/** Commits until writing ends, with a compaction in the middle. */
async function work(engine: Engine, commits: Commits, fates: Map<string, Fate>): Promise<void> {
  for (const [index, [changes, policy]] of commits.entries()) {
    const label = `${index}:${changes}`;
    try {
      if (index % 3 === 2) engine.writeSync(batchOfLabel(label), policy);
      else await engine.write(batchOfLabel(label), policy);
      fates.set(label, 'kept');
    } catch (error) {
      checkKnown(error);
      const { outcome } = error as { outcome?: string };
      fates.set(label, outcome === 'old' ? 'refused' : 'unknown');
    }
    if (index === 4) await engine.compact().catch(checkKnown);
  }
}

/** Kept commits are there, refused ones are not, and of the unknown ones as many as there may be. */
function checkState(state: TextState, fates: ReadonlyMap<string, Fate>): void {
  const maybe = [...fates].filter(([, fate]) => fate === 'unknown').map(([label]) => label);
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

/** A disk of each of these sizes refuses writes that leave nothing behind; when there is room, writing goes on. */
export async function fillDisk(open: OpenStore, capacities: readonly number[]): Promise<void> {
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
  for (const capacity of capacities) {
    memory.capacityBytes = capacity;
    for (let index = 0; index < 40; index++) {
      const changes = `${'abcdefgh'[index % 8]}*${1 + (index % 13)}=${500 + index},n=50`;
      if (!(await write(`${capacity + index}:${changes}`, index % 2 === 0))) refused++;
    }
    await engine.compact().catch((error: unknown) => {
      assert.equal((error as { code: string }).code, 'ENOSPC');
    });
    assert.ok(sameState(stateOfStore(engine), expected), `at ${capacity}`);
  }
  assert.ok(refused > 0, 'the disk was full');
  memory.capacityBytes = Infinity;
  assert.ok(await write('1:last=10', false));
  assert.ok(await write('2:more=10', true));
  await engine.close();
  const again = await open(memory);
  assert.ok(sameState(stateOfStore(again), expected));
  await again.close();
}

/** Processes that are killed at some call while they make these commits and merge: all that was told is there. */
export async function killProcesses(
  open: OpenStore,
  count: number,
  labelOf: (index: number) => string,
): Promise<void> {
  const random = new Prng(11);
  for (let run = 0; run < count; run++) {
    const memory = new MemoryVfs();
    const killable = new KillableVfs(new LockAsideVfs(memory));
    const told: string[] = [];
    const asked: string[] = [];
    const working = async (): Promise<void> => {
      const engine = await open(killable);
      for (let index = 0; ; index++) {
        const label = labelOf(index);
        asked.push(label);
        await engine.write(batchOfLabel(label), (['none', 'sync', 'batch'] as const)[index % 3]);
        told.push(label);
        if (index % 9 === 8) await engine.compact();
        await nextTurn();
      }
    };
    void working();
    for (let turn = random.below(100); turn >= 0; turn--) await nextTurn();
    killable.kill();
    const again = await open(new LockAsideVfs(memory));
    const state = stateOfStore(again);
    const shown = [told, asked].some((labels) => sameState(state, stateOfLabels(labels)));
    assert.ok(shown, `run ${run}: ${told.length} told, ${asked.length} asked`);
    assert.deepEqual((await again.verify()).damage, []);
    await again.close();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
