/**
 * `abstract-level`'s own test suite on one engine, with its own test runner (tape) in this process:
 * what fails, and how many assertions there were. The suite asks by the manifest what to test, and
 * asks all of it again of a sublevel.
 */

import { createRequire } from 'node:module';

import type { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import type { LevelOptions } from '../../src/level/level-options.ts';

/** A row of tape's in object mode. */
interface Row {
  readonly type: 'test' | 'assert' | 'end';
  readonly name?: string;
  readonly ok?: boolean;
  readonly skip?: boolean | string;
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly error?: unknown;
}

interface Harness {
  createStream(options: { objectMode: true }): NodeJS.ReadableStream;
}

interface Tape {
  createHarness(): Harness;
}

type Suite = (options: {
  readonly test: Harness;
  readonly factory: (options?: LevelOptions<string, string>) => HoldfastLevel;
}) => void;

/** What `classic-level` 3.0.0 passes, the same suite with a smaller manifest. */
export const SUITE_ASSERTIONS = 5168;

/** How it ended. */
export interface SuiteOutcome {
  readonly tests: number;
  readonly assertions: number;
  /** One line for each assertion that failed: test, assertion, error. */
  readonly failures: readonly string[];
}

const load = createRequire(import.meta.url);

/** Runs the suite. `factory` gives a store that is not open yet, each time in a place of its own. */
export async function abstractLevelSuite(
  factory: (options?: LevelOptions<string, string>) => HoldfastLevel,
): Promise<SuiteOutcome> {
  const tape = load('tape') as Tape;
  const suite = load('abstract-level/test') as Suite;
  const harness = tape.createHarness();
  const rows = harness.createStream({ objectMode: true });
  suite({ test: harness, factory });
  let tests = 0;
  let assertions = 0;
  let current = '';
  const failures: string[] = [];
  rows.on('data', (row: Row) => {
    if (row.type === 'test') {
      tests++;
      current = row.name ?? '';
    }
    if (row.type !== 'assert') return;
    assertions++;
    if (row.ok === true || row.skip) return;
    failures.push(`${current}: ${row.name}: ${JSON.stringify(row.error ?? row.actual)}`);
  });
  await new Promise((resolve) => rows.once('end', resolve));
  return { tests, assertions, failures };
}
