/**
 * The long proof of Bitcask, beside the suite: every story under the models of the default list, with crashes inside
 * recovery, and with a fault at each call, after which the process is killed and another one opens what it left. Prints
 * one line for each piece and fails when anything is found. Many disks: `prove-bitcask-wide.ts`.
 *
 *   npm run prove:bitcask -- [--part stories|deep|faults] [--only TEXT] [--models MODEL,…] [--budget DISKS]
 *                            [--done FILE]
 *
 * `--budget` is for each piece. `deep` has crashes inside the recovery of a crash inside recovery, on small stories.
 * `--done` names a file of pieces that have passed: they are not tried again, and what passes is added, so that a long
 * run can be had in parts.
 */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import type { CrashTest, CrashTestResult } from '../../src/lab/suite/crash-test.ts';
import { explore } from '../../src/lab/suite/explore-crash-test.ts';
import { crashTestReport } from '../../src/lab/suite/suite-report.ts';
import { EXPIRING } from '../lab/bitcask-expiring.ts';
import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import { BITCASK_WIDE_STORIES } from '../lab/bitcask-wide-stories.ts';
import { engineCrashTest, faultyCrashTest } from '../support/engine-story.ts';

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'stories,deep,faults' },
    only: { type: 'string', default: '' },
    models: { type: 'string', default: DEFAULT_MODELS.join() },
    budget: { type: 'string', default: '2000' },
    done: { type: 'string', default: '' },
  },
});

const MODELS = values.models.split(',');
/** Small enough for crashes two deep. */
const DEEP: readonly string[] = ['policies', 'killed', 'idle', 'emptied', 'expiring'];

interface Piece {
  readonly name: string;
  /** What was seen, in one line; null when something was found. */
  readonly run: () => Promise<string | null>;
}

function pieces(): Piece[] {
  const parts = values.part.split(',');
  const stories = [...BITCASK_STORIES, ...BITCASK_WIDE_STORIES];
  const named = stories.filter(({ name }) => name.includes(values.only));
  const tests: { name: string; test: CrashTest }[] = named.map(({ name, subject, story }) => ({
    name,
    test: engineCrashTest(subject, story),
  }));
  for (const [name, test] of Object.entries(EXPIRING)) {
    if (name.includes(values.only)) tests.push({ name, test });
  }
  const made: Piece[] = [];
  if (parts.includes('stories')) {
    for (const { name, test } of tests) made.push(piece(`story ${name}`, { ...test, nested: 1 }));
  }
  if (parts.includes('deep')) {
    for (const { name, test } of tests) {
      if (DEEP.includes(name)) made.push(piece(`deep ${name}`, { ...test, nested: 2 }));
    }
  }
  if (parts.includes('faults')) {
    for (const { name, subject, story } of named) {
      made.push(piece(`faults ${name}`, { ...faultyCrashTest(subject, story), nested: 0 }));
    }
  }
  return made;
}

function piece(name: string, test: CrashTest): Piece {
  const run = async (): Promise<string | null> => {
    const result = await explore({ ...test, models: MODELS, budget: Number(values.budget) });
    if (result.verdict !== 'found') return certificateOf(result);
    console.log(crashTestReport(result, process.cwd()));
    return null;
  };
  return { name, run };
}

function certificateOf({ certificate }: CrashTestResult): string {
  const { disksChecked, models, nested, faults } = certificate;
  const points = Math.max(...models.map(({ crashPoints }) => crashPoints));
  const whole = models.filter(({ complete }) => complete).length;
  const inside = nested.map(
    ({ explored, recoveries, disksDistinct }) =>
      `${explored} of ${recoveries} recoveries cut, ${disksDistinct} disks`,
  );
  const cells = [
    `${disksChecked} disks checked`,
    `${points} crash points`,
    `${whole} of ${models.length} models exhaustive`,
    ...inside,
  ];
  if (faults.runs > 0) cells.push(`${faults.runs} runs with a fault, ${faults.threw} threw`);
  return cells.join('; ');
}

/** Names of pieces that a run before has finished with these numbers. */
function donePieces(): Set<string> {
  if (values.done === '' || !existsSync(values.done)) return new Set();
  const lines = readFileSync(values.done, 'utf8').split('\n');
  return new Set(lines.map((line) => line.split(': ')[0] ?? ''));
}

async function main(): Promise<void> {
  const done = donePieces();
  const failed: string[] = [];
  for (const { name, run } of pieces()) {
    if (done.has(name)) continue;
    const start = process.cpuUsage();
    const seen = await run();
    const { user, system } = process.cpuUsage(start);
    const line = `${name}: ${seen ?? 'FOUND'}; ${((user + system) / 1e6).toFixed(0)} s of CPU`;
    console.log(line);
    if (seen === null) failed.push(name);
    else if (values.done !== '') appendFileSync(values.done, `${line}\n`);
  }
  console.log(failed.length === 0 ? 'nothing failed' : `failed: ${failed.join('; ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main();
