/**
 * The engine contract: random operations, each answer compared with a map. What fails is shrunk, and
 * the seed is in the message.
 */

import assert from 'node:assert/strict';

import * as fc from 'fast-check';

import type { EngineSnapshot } from '../../src/engine/read-options.ts';
import type { EngineCase } from './engine-contract.ts';
import { EngineDriver } from './engine-driver.ts';
import type { IteratorDriver, TextChange, TextRange } from './engine-driver.ts';
import { EngineModel } from './engine-model.ts';
import type { ModelIterator } from './engine-model.ts';

const DEFAULT_RUNS = 40;
const OPERATIONS_MAX = 60;

/** Few keys, so that operations meet; some are prefixes of others, some no text. */
const key = fc.oneof(
  fc.constantFrom('', 'a', 'aa', 'ab', 'b', 'b\0', 'b\xff', 'c', '\0', '\xff', '\xff\xff', 'key'),
  fc.integer({ min: 0, max: 40 }).map((number) => `k${number}`),
);
const value = fc.oneof(
  fc.constantFrom('', 'v', 'w'),
  fc.tuple(fc.constantFrom('x', 'y'), fc.nat(3000)).map(([letter, count]) => letter.repeat(count)),
);
const change: fc.Arbitrary<TextChange> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(key, value) },
  { weight: 1, arbitrary: fc.tuple(key) },
);
const policy = fc.constantFrom('none', 'none', 'none', 'batch', 'sync');
const range: fc.Arbitrary<TextRange> = fc.record(
  {
    gt: key,
    gte: key,
    lt: key,
    lte: key,
    reverse: fc.boolean(),
    limit: fc.integer({ min: -1, max: 30 }),
  },
  { requiredKeys: [] },
);

/** One operation. `at` chooses among what is open. */
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      changes: fc.array(change, { maxLength: 12 }),
      policy,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), range }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), key, at: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('scan' as const), range, at: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), at: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('iterate' as const), range }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('read' as const), at: fc.nat(8), count: fc.nat(9) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('seek' as const), at: fc.nat(8), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), at: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

type Operation = typeof operation extends fc.Arbitrary<infer One> ? One : never;

/** A store and its model, with what is open on both. */
class Comparison {
  #db: EngineDriver;
  readonly #open: () => Promise<EngineDriver>;
  readonly #model = new EngineModel();
  #snapshots: [EngineSnapshot, EngineModel][] = [];
  #iterators: [IteratorDriver, ModelIterator][] = [];

  constructor(db: EngineDriver, open: () => Promise<EngineDriver>) {
    this.#db = db;
    this.#open = open;
  }

  async run(step: Operation): Promise<void> {
    switch (step.do) {
      case 'write':
        await this.#db.write(step.changes, step.policy);
        this.#model.write(step.changes);
        return;
      case 'clear':
        await this.#db.clear(step.range, 'none');
        this.#model.clear(step.range);
        return;
      case 'get':
        return this.#get(step.key, step.at);
      case 'scan':
        return this.#scan(step.range, step.at);
      case 'hold':
        this.#snapshots.push([this.#db.engine.snapshot(), this.#model.copy()]);
        return;
      case 'release':
        for (const [snapshot] of this.#snapshots.splice(step.at, 1)) snapshot.release();
        return;
      case 'iterate':
        this.#iterators.push([this.#db.iterator(step.range), this.#model.iterator(step.range)]);
        return;
      case 'read':
        return this.#read(step.at, step.count + 1);
      case 'seek':
        return this.#seek(step.at, step.key);
      case 'leave':
        for (const [iterator] of this.#iterators.splice(step.at, 1)) iterator.close();
        return;
      case 'compact':
        return this.#db.engine.compact();
      case 'reopen':
        return this.#reopen();
    }
  }

  async end(): Promise<void> {
    assert.deepEqual(await this.#db.entries(), this.#model.entries());
    const report = await this.#db.engine.verify();
    assert.deepEqual(report.damage, []);
    await this.#db.engine.close();
  }

  async #get(name: string, at: number): Promise<void> {
    const [snapshot, model] = this.#snapshots[at] ?? [undefined, this.#model];
    const options = snapshot && { snapshot };
    const expected = model.get(name);
    assert.equal(await this.#db.get(name, options), expected);
    assert.equal(await this.#db.has(name, options), expected !== undefined);
    assert.deepEqual(await this.#db.getMany([name, 'zzz'], options), [expected, undefined]);
  }

  async #scan(where: TextRange, at: number): Promise<void> {
    const [snapshot, model] = this.#snapshots[at] ?? [undefined, this.#model];
    const entries = await this.#db.entries(snapshot ? { ...where, snapshot } : where, at + 1);
    assert.deepEqual(entries, model.entries(where));
  }

  async #read(at: number, count: number): Promise<void> {
    const pair = this.#iterators[at];
    if (pair !== undefined) assert.deepEqual(await pair[0].read(count), pair[1].read(count));
  }

  async #seek(at: number, target: string): Promise<void> {
    const pair = this.#iterators[at];
    pair?.[0].iterator.seek(Buffer.from(target, 'latin1'));
    pair?.[1].seek(target);
  }

  async #reopen(): Promise<void> {
    await this.#db.engine.close();
    this.#snapshots = [];
    this.#iterators = [];
    this.#db = await this.#open();
  }
}

export const randomCases: readonly EngineCase[] = [
  [
    'random operations are answered as a map would answer them',
    async ({ subject, form, elsewhere }) => {
      const steps = fc.array(operation, { maxLength: OPERATIONS_MAX, size: 'max' });
      await fc.assert(
        fc.asyncProperty(steps, async (list) => {
          const place = elsewhere();
          const open = async (): Promise<EngineDriver> =>
            new EngineDriver(await place.open(), form);
          const comparison = new Comparison(await open(), open);
          for (const step of list) await comparison.run(step);
          await comparison.end();
        }),
        { numRuns: subject.randomRuns ?? DEFAULT_RUNS },
      );
    },
  ],
];
