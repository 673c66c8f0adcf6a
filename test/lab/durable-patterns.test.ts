/** Every pattern of `durable` under the laboratory, and every sync of it taken away in turn. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import { MUTATION_KINDS, mutationRun, survivorsOf } from '../support/mutation-run.ts';
import { PATTERNS } from './durable-patterns.ts';

for (const pattern of PATTERNS) {
  test(`${pattern.name}: every disk of every model keeps the promise, also after a fault`, async () => {
    const faults = pattern.test.recover === undefined;
    const result = await assertCrashSafe({ ...pattern.test, faults });
    assert.equal(result?.verdict, 'passed');
  });

  test(`${pattern.name}: a sync that is missing or late is caught`, async (t) => {
    const { survivors, program = 'workload', kinds = MUTATION_KINDS } = pattern;
    const mutants = await mutationRun(pattern.test, { program, kinds });
    const caught = mutants.filter(({ caughtBy }) => caughtBy !== null);
    t.diagnostic(`${caught.length} of ${mutants.length} mutants caught`);
    if (process.env['HOLDFAST_SHOW'] === '1') t.diagnostic(JSON.stringify(mutants));
    assert.deepEqual(survivorsOf(mutants), Object.keys(survivors).toSorted());
  });
}
