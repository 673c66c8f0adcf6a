/**
 * Random operations on a B+tree whose cache holds a part of it, in both forms, compared with a map:
 * long values, snapshots, iterators, compaction, closing, kills.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../src/base/prng.ts';
import { btreeKind } from '../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EngineSnapshot } from '../../src/engine/read-options.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { KillableVfs } from '../support/killable-vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { ManualClock } from '../support/manual-clock.ts';

const STEPS = Number(process.env['BTREE_RANDOM_STEPS'] ?? 150);
const FIRST = Number(process.env['BTREE_RANDOM_SEED'] ?? 1);
const COUNT = Number(process.env['BTREE_RANDOM_SEEDS'] ?? 2);

type Model = Map<string, Buffer>;

class RandomRun {
  readonly #prng: Prng;
  readonly #memory = new MemoryVfs();
  #process = new KillableVfs(new LockAsideVfs(this.#memory));
  #engine: Engine | null = null;
  #model: Model = new Map();
  #held: { readonly snapshot: EngineSnapshot; readonly model: Model }[] = [];

  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      this.#engine ??= await this.#open();
      const kind = this.#prng.below(100);
      if (kind < 60) await this.#write(this.#engine);
      else if (kind < 75) await this.#read(this.#engine, this.#model);
      else if (kind < 80) await this.#scan(this.#engine, this.#model);
      else if (kind < 86) this.#hold(this.#engine);
      else if (kind < 92) await this.#readHeld(this.#engine);
      else if (kind < 95) await this.#engine.compact();
      else if (kind < 97) await this.#end(this.#engine);
    }
    const engine = this.#engine ?? (await this.#open());
    await this.#scan(engine, this.#model);
    await engine.close();
    const { damage, entries } = await btreeKind.verify('/store', this.#around(this.#memory));
    assert.deepEqual(damage, []);
    assert.equal(entries, this.#model.size);
  }

  #around(vfs: MemoryVfs | KillableVfs): { readonly dispatch: SyncDispatch } {
    return { dispatch: new SyncDispatch(vfs, syncRulesFor('linux', 'node')) };
  }

  #open(): Promise<Engine> {
    const options = { cacheSize: 1 << 20, checkpoint: { logBytes: 300_000 } };
    const clock = new ManualClock();
    return btreeKind.open('/store', { ...options, clock, ...this.#around(this.#process) });
  }

  #key(): string {
    return `key ${String(this.#prng.below(2000)).padStart(5, '0')}`;
  }

  async #write(engine: Engine): Promise<void> {
    const batch = new WriteBatch();
    const count = 1 + this.#prng.below(this.#prng.below(6) === 0 ? 400 : 8);
    for (let index = 0; index < count; index++) {
      const key = this.#key();
      if (this.#prng.below(3) === 0) {
        batch.delete(Buffer.from(key));
        this.#model.delete(key);
        continue;
      }
      const size = this.#prng.below(60) === 0 ? 700_000 : this.#prng.below(20) === 0 ? 9000 : 300;
      const value = Buffer.alloc(this.#prng.below(size), this.#prng.below(256));
      batch.put(Buffer.from(key), value);
      this.#model.set(key, value);
    }
    const policy = (['none', 'batch', 'sync'] as const)[this.#prng.below(3)];
    if (this.#prng.below(2) === 0) engine.writeSync(batch, policy);
    else await engine.write(batch, policy);
  }

  async #read(engine: Engine, model: Model, snapshot?: EngineSnapshot): Promise<void> {
    const keys = Array.from({ length: 1 + this.#prng.below(9) }, () => this.#key());
    const many = await engine.getMany(
      keys.map((key) => Buffer.from(key)),
      { snapshot },
    );
    for (const [index, key] of keys.entries()) {
      const expected = model.get(key);
      const found = [engine.getSync(Buffer.from(key), { snapshot }), many[index]];
      for (const value of found) {
        assert.ok(expected === undefined ? value === undefined : value?.equals(expected), key);
      }
    }
  }

  async #scan(engine: Engine, model: Model, snapshot?: EngineSnapshot): Promise<void> {
    const reverse = this.#prng.below(2) === 0;
    const expected = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (reverse) expected.reverse();
    const iterator = engine.iterator({ reverse, snapshot });
    const blocking = this.#prng.below(2) === 0;
    let at = 0;
    const entry = (
      keys: Buffer,
      keyStart: number,
      keyEnd: number,
      values: Buffer,
      valueStart: number,
      valueEnd: number,
    ): void => {
      const [key, value] = expected[at++] ?? ['nothing', Buffer.alloc(0)];
      assert.equal(keys.toString('latin1', keyStart, keyEnd), key);
      assert.ok(value.equals(values.subarray(valueStart, valueEnd)), `the value of ${key}`);
    };
    for (;;) {
      const pushed = blocking
        ? iterator.readSync({ entry }, 50, Infinity)
        : await iterator.read({ entry }, 50, Infinity);
      if (pushed === 0) break;
    }
    iterator.close();
    assert.equal(at, expected.length);
  }

  #hold(engine: Engine): void {
    if (this.#held.length > 2) this.#held.shift()?.snapshot.release();
    this.#held.push({ snapshot: engine.snapshot(), model: new Map(this.#model) });
  }

  async #readHeld(engine: Engine): Promise<void> {
    const held = this.#held[this.#prng.below(3)];
    if (held === undefined) return;
    await this.#read(engine, held.model, held.snapshot);
    await this.#scan(engine, held.model, held.snapshot);
  }

  async #end(engine: Engine): Promise<void> {
    this.#held = [];
    this.#engine = null;
    if (this.#prng.below(2) === 0) return engine.close();
    this.#process.kill();
    this.#process = new KillableVfs(new LockAsideVfs(this.#memory));
  }
}

for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
  test(`random operations on a B+tree larger than its cache give what a map gives (${seed})`, () =>
    new RandomRun(seed).run());
}
