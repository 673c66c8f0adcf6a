/** A crash test with its defaults filled in and its arguments looked at. */

import { UsageError } from '../../base/errors.ts';
import type { Fault } from '../../vfs/fault.ts';
import type { CrashModel } from '../model/crash-model.ts';
import { DEFAULT_MODELS, modelByName } from '../model/model-list.ts';
import type { Trace } from '../record/operation.ts';
import type { CheckFunction, CrashTest } from './crash-test.ts';
import { BUDGET_DEFAULT, FAULTS_DEFAULT } from './crash-test.ts';

export interface SuiteSettings {
  readonly test: CrashTest;
  readonly models: readonly CrashModel[];
  readonly budget: number;
  readonly seed: number;
  readonly nested: number;
  readonly faults: readonly Omit<Fault, 'nth'>[];
  /** The check for disks of this trace. */
  readonly checkFor: (trace: Trace) => CheckFunction;
  /** Verdicts of one trace's disks do for others. */
  readonly sharesVerdicts: boolean;
}

/** Deeper recoveries of recoveries than this are a mistake. */
const NESTED_MAX = 8;

/** What a crash test can say. Of anything else nobody would notice that it does nothing. */
const KNOWN: readonly string[] = [
  'workload',
  'check',
  'recover',
  'models',
  'tree',
  'budget',
  'seed',
  'nested',
  'faults',
] satisfies readonly (keyof CrashTest)[];

/** @throws TypeError for wrong arguments; UsageError for an unknown model */
export function suiteSettings(test: CrashTest): SuiteSettings {
  if (typeof test !== 'object' || test === null) {
    throw new TypeError('a crash test must be an object with workload and check');
  }
  const unknown = Object.keys(test).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`a crash test has no '${unknown}': it has ${KNOWN.join(', ')}`);
  }
  const { workload, check, recover, models = DEFAULT_MODELS, faults = false } = test;
  if (typeof workload !== 'function') throw new TypeError('workload must be a function');
  if (recover !== undefined && typeof recover !== 'function') {
    throw new TypeError('recover must be a function');
  }
  if (models.length === 0) throw new UsageError('models is empty: name at least one');
  const isOracle = typeof check === 'object' && check !== null;
  if (typeof check !== 'function' && !isOracle) {
    throw new TypeError('check must be a function or an oracle');
  }
  return {
    test,
    models: models.map((model) => (typeof model === 'string' ? modelByName(model) : model)),
    budget: wholeNumber('budget', test.budget ?? BUDGET_DEFAULT, 1, Number.MAX_SAFE_INTEGER),
    seed: wholeNumber('seed', test.seed ?? 1, 0, 0xffffffff),
    nested: wholeNumber('nested', test.nested ?? 1, 0, NESTED_MAX),
    faults: faults === true ? FAULTS_DEFAULT : faults === false ? [] : faults,
    checkFor: isOracle ? (trace) => check.forTrace(trace, recover) : () => check,
    sharesVerdicts: !isOracle,
  };
}

function wholeNumber(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
}
