/**
 * Random use of a store beside the memory engine, with closing and killing: after each opening both
 * show the same. What was under way at a kill is there or not, in its order.
 */

import assert from 'node:assert/strict';

import * as fc from 'fast-check';

import type { Clock } from '../../src/base/clock.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryKind } from '../../src/engine/memory-kind.ts';
import type { WriteBatch } from '../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { batchOfLabel } from './engine-commit.ts';
import { KillableVfs } from './killable-vfs.ts';
import { LockAsideVfs } from './lock-aside-vfs.ts';
import { textEntries } from './lsm-stores.ts';
import { ManualClock } from './manual-clock.ts';

const change = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(900)).map(([key, size]) => `${key}=${size}`),
  fc.constantFrom('a-', 'b-', 'k*4-', 'k*9-'),
  fc.tuple(fc.constantFrom(2, 5, 9), fc.nat(300)).map(([count, size]) => `k*${count}=${size}`),
);
const changes = fc.array(change, { minLength: 1, maxLength: 3 }).map((all) => all.join());
const policy = fc.constantFrom<SyncPolicy>('sync', 'batch', 'none', 'none');

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), changes, policy }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('writeSync'), changes, policy }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave'), changes, policy }) },
  ...['compact', 'reopen', 'kill', 'turn', 'pass'].map((name) => ({
    weight: 1,
    arbitrary: fc.record({ do: fc.constant(name), changes, policy }),
  })),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** Opens the store, with files so small that all happens in a few commits. */
export type OpenStore = (vfs: Vfs, clock: Clock) => Promise<Engine>;

/** A store and the memory engine, which is told what the store has kept. */
class Pair {
  readonly #openStore: OpenStore;
  readonly #vfs = new MemoryVfs();
  readonly #clock = new ManualClock();
  #process = new KillableVfs(new LockAsideVfs(this.#vfs));
  #store!: Engine;
  #model!: Engine;
  #commits = 0;
  /** Written, and not waited for, in their order. */
  #flying: { readonly batch: WriteBatch; readonly done: Promise<void> }[] = [];

  constructor(openStore: OpenStore) {
    this.#openStore = openStore;
  }

  async open(): Promise<void> {
    this.#model ??= await new MemoryKind().open('/model');
    this.#store = await this.#openStore(this.#process, this.#clock);
  }

  async take({ do: what, changes: text, policy: how }: Step): Promise<void> {
    const batch = batchOfLabel(`${this.#commits++}:${text}`);
    if (what === 'write' || what === 'leave') {
      const done = Promise.resolve(this.#store.write(batch, how));
      done.catch(() => 'its process was killed');
      this.#flying.push({ batch: batchOfLabel(`${this.#commits - 1}:${text}`), done });
      if (what === 'write') await this.#land();
    } else if (what === 'writeSync') {
      this.#store.writeSync(batch, how);
      // It came after those under way.
      await this.#land();
      this.#model.writeSync(batchOfLabel(`${this.#commits - 1}:${text}`));
    } else if (what === 'compact') await this.#store.compact();
    else if (what === 'pass') this.#clock.pass(1000);
    else if (what === 'turn') await new Promise((resolve) => void setImmediate(resolve));
    else if (what === 'reopen') await this.#reopen();
    else await this.#kill();
  }

  async end(): Promise<void> {
    await this.#reopen();
    const { damage } = await this.#store.verify();
    assert.deepEqual(damage, []);
    await this.#store.close();
  }

  async #land(): Promise<void> {
    for (const { batch, done } of this.#flying.splice(0)) {
      await done;
      this.#model.writeSync(batch);
    }
  }

  async #reopen(): Promise<void> {
    await this.#land();
    await this.#store.close();
    await this.open();
    assert.deepEqual(await textEntries(this.#store), await textEntries(this.#model));
  }

  async #kill(): Promise<void> {
    this.#process.kill();
    this.#process = new KillableVfs(new LockAsideVfs(this.#vfs));
    await this.open();
    const shown = JSON.stringify(await textEntries(this.#store));
    const states = [JSON.stringify(await textEntries(this.#model))];
    const flying = this.#flying.splice(0);
    while (states.at(-1) !== shown && flying.length > 0) {
      this.#model.writeSync(flying.shift()!.batch);
      states.push(JSON.stringify(await textEntries(this.#model)));
    }
    assert.equal(shown, states.at(-1));
  }
}

/** `usualRuns` of them; `HOLDFAST_RUNS=1000` are more, and `HOLDFAST_SEED=2` are others. */
export async function useAtRandom(openStore: OpenStore, usualRuns: number): Promise<void> {
  const numRuns = Number(process.env['HOLDFAST_RUNS'] ?? usualRuns);
  // The same runs everywhere; others with another seed.
  const seed = Number(process.env['HOLDFAST_SEED'] ?? 1);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      const pair = new Pair(openStore);
      await pair.open();
      for (const one of steps) await pair.take(one);
      await pair.end();
    }),
    { numRuns, seed },
  );
}
