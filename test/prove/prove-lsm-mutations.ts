/**
 * The mutation run of the LSM engine: every sync, directory sync, and order of names taken away in turn, in the
 * programs and in recovery. Some of them are harmless where they stand, because another sync happens to follow. So the
 * question is asked of each step, known by the functions that make it: is there a program that fails without it? Fails
 * when there is none for a step that `lsm-survivors.ts` does not have, with its reason.
 *
 *   npm run prove:lsm:mutations -- --into FILE [--only TEXT] [--program workload|recover] [--wide DISKS]
 *                                  [--budget DISKS] [--seconds CPU]
 *
 * Mutants of the workload are looked for widely (`--wide` disks of each), those of recovery with crashes inside it
 * (`--budget`). FILE gets a line for each story and program, and what it has is not tried again; the steps are judged
 * over all of it.
 */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { LSM_STORIES, type LsmStory } from '../lab/lsm-stories.ts';
import { LSM_SURVIVORS } from '../lab/lsm-survivors.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { MUTATION_KINDS, mutationRun, type Mutant } from '../support/mutation-run.ts';
import { classOfLsm } from './lsm-class.ts';
import { exploreWidely, WideTally } from './wide-exploration.ts';

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: '.holdfast/prove-lsm-mutations.jsonl' },
    only: { type: 'string', default: '' },
    budget: { type: 'string', default: '200' },
    wide: { type: 'string', default: '3000' },
    program: { type: 'string', default: 'workload,recover' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});

const KINDS = [...MUTATION_KINDS, 'reordered'] as const;
/** The weakest first: it catches nearly all. */
const MODELS = ['posix', 'ext4'];

type Program = 'workload' | 'recover';

/** What is known of a story's mutants. */
interface Piece {
  readonly story: string;
  readonly program: Program;
  readonly mutants: readonly Mutant[];
}

async function tryMutants(one: LsmStory, program: Program): Promise<Piece> {
  // What recovery syncs is missed only by a crash inside it, or after it.
  const nested = program === 'recover' ? 1 : 0;
  const crash = engineCrashTest(one.subject, one.story, { nested, budget: Number(values.budget) });
  const options = { models: MODELS, program, kinds: KINDS };
  const widely = (test: CrashTest): Promise<boolean> => findsWidely(test, one);
  const mutants = await mutationRun(
    crash,
    program === 'workload' ? { ...options, finds: widely } : options,
  );
  return { story: one.name, program, mutants };
}

/** Whether some disk that the workload can leave fails when it is opened. */
async function findsWidely(test: CrashTest, { subject }: LsmStory): Promise<boolean> {
  const models = (test.models ?? MODELS).map(String);
  const counted = { tally: new WideTally(), classOf: classOfLsm };
  try {
    const opens = openAndJudge(subject);
    const all = await exploreWidely(test, opens, models, Number(values.wide), counted);
    return all.some(({ violations }) => violations.length > 0);
  } catch {
    // The mutant does not even work.
    return true;
  }
}

/** The step that a mutant takes away: names of temporary files and numbers differ from run to run. */
function stepOf({ kind, what }: Mutant): string {
  const named = what
    .replace(/\S*\.holdfast-\S*\.tmp/, 'TEMPORARY')
    .replace(/\d{6}\.(log|ldb)/, 'N.$1')
    .replace(/MANIFEST-\d+/, 'MANIFEST-N');
  return `${kind}: ${named}`;
}

/** @returns steps without which nothing failed, and that are not listed */
function judge(pieces: readonly Piece[]): string[] {
  const steps = new Map<string, { all: number; caught: number }>();
  for (const mutant of pieces.flatMap(({ mutants }) => mutants)) {
    const step = steps.get(stepOf(mutant)) ?? { all: 0, caught: 0 };
    step.all++;
    if (mutant.caughtBy !== null) step.caught++;
    steps.set(stepOf(mutant), step);
  }
  const missing: string[] = [];
  for (const [step, { all, caught }] of [...steps].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const isListed = caught === 0 && Object.hasOwn(LSM_SURVIVORS, step);
    if (caught === 0 && !isListed) missing.push(step);
    const said = isListed ? 'listed' : caught === 0 ? 'SURVIVED' : `${caught} of ${all} caught`;
    console.log(`${said}: ${step}`);
  }
  const all = pieces.flatMap(({ mutants }) => mutants);
  const caught = all.filter(({ caughtBy }) => caughtBy !== null).length;
  console.log(
    `${all.length} mutants of ${pieces.length} programs, ${caught} caught; ${steps.size} steps, ` +
      `${missing.length} that nothing misses`,
  );
  return missing;
}

function known(): Piece[] {
  if (!existsSync(values.into)) return [];
  const lines = readFileSync(values.into, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Piece);
}

async function main(): Promise<void> {
  const done = known();
  for (const one of LSM_STORIES) {
    for (const program of ['workload', 'recover'] as const) {
      if (!one.name.includes(values.only) || !values.program.includes(program)) continue;
      if (done.some((piece) => piece.story === one.name && piece.program === program)) continue;
      if (process.cpuUsage().user / 1e6 > Number(values.seconds)) continue;
      const piece = await tryMutants(one, program);
      const caught = piece.mutants.filter(({ caughtBy }) => caughtBy !== null).length;
      console.log(`${one.name}, ${program}: ${caught} of ${piece.mutants.length} caught`);
      appendFileSync(values.into, `${JSON.stringify(piece)}\n`);
    }
  }
  const missing = judge(known());
  if (missing.length > 0) console.log(`not listed:\n  ${missing.join('\n  ')}`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}

await main();
