/**
 * What every engine must do, as one function run on each of them in both forms (answers at once or
 * later, and blocking). The cases are in `engine-contract-*.ts`. What it does after a power cut is
 * not asked here but in the lab.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { EngineOptions } from '../../src/engine/engine-kind.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { TestScope } from '../support/temporary-directory.ts';
import { iteratorCases } from './engine-contract-iterators.ts';
import { lifetimeCases } from './engine-contract-lifetime.ts';
import { randomCases } from './engine-contract-random.ts';
import { readWriteCases } from './engine-contract-reads.ts';
import { snapshotCases } from './engine-contract-snapshots.ts';
import { EngineDriver } from './engine-driver.ts';
import type { Form } from './engine-driver.ts';

/** One place for a store. */
export interface EnginePlace {
  /** Opens the store there, the first time or again after a close. */
  readonly open: (options?: EngineOptions) => Promise<Engine>;
}

/** An implementation under test. */
export interface EngineContractSubject {
  readonly name: string;
  /** A place where no store is. What is opened there is closed by the suite. */
  readonly create: (scope: TestScope) => EnginePlace;
  /** The longest key that it takes; keys of up to 64 KiB are tried. */
  readonly keyBytesMax?: number;
  /** Runs of a random case. Default 40. */
  readonly randomRuns?: number;
  /** Cases that do not apply, by sentence, each with the reason. */
  readonly skips?: Readonly<Record<string, string>>;
}

/** What a case gets. */
export interface EngineSetting {
  readonly subject: EngineContractSubject;
  readonly form: Form;
  readonly place: EnginePlace;
  /** Opens the store of `place`. */
  readonly open: (options?: EngineOptions) => Promise<EngineDriver>;
  /** Another place. */
  readonly elsewhere: () => EnginePlace;
}

/** One sentence about behaviour, and the proof. */
export type EngineCase = readonly [
  sentence: string,
  run: (setting: EngineSetting) => Promise<void>,
];

const CASES: readonly EngineCase[] = [
  ...readWriteCases,
  ...iteratorCases,
  ...snapshotCases,
  ...lifetimeCases,
  ...randomCases,
];

/** Declares the tests of the contract for one engine. */
export function engineContract(subject: EngineContractSubject): void {
  const skips = new Map(Object.entries(subject.skips ?? {}));
  for (const form of ['eventual', 'blocking'] as const) {
    describe(`${subject.name}, ${form} calls`, () => {
      for (const [sentence, run] of CASES) {
        if (skips.has(sentence)) continue;
        it(sentence, async (scope) => {
          const opened: Engine[] = [];
          const watched = (place: EnginePlace): EnginePlace => ({
            open: async (options) => {
              const engine = await place.open(options);
              opened.push(engine);
              return engine;
            },
          });
          const place = watched(subject.create(scope));
          const open = async (options?: EngineOptions): Promise<EngineDriver> =>
            new EngineDriver(await place.open(options), form);
          const elsewhere = (): EnginePlace => watched(subject.create(scope));
          try {
            await run({ subject, form, place, open, elsewhere });
          } finally {
            await Promise.all(opened.map((engine) => engine.close()));
          }
        });
      }
    });
  }
  it(`${subject.name}: every skip names a case and a reason`, () => {
    const sentences = CASES.map(([sentence]) => sentence);
    assert.equal(new Set(sentences).size, sentences.length, 'two cases have one sentence');
    for (const [sentence, reason] of skips) {
      assert.ok(sentences.includes(sentence), `no case is called: ${sentence}`);
      assert.ok(reason.length > 0, `no reason to skip: ${sentence}`);
    }
  });
}
