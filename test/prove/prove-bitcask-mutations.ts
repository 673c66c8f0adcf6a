/**
 * The mutation run of Bitcask: every sync, directory sync, and order of names taken away in turn, in the programs and
 * in recovery. What one story does not miss another one may: a place in the code has survived when no story catches
 * it. Fails when one has that `bitcask-survivors.ts` does not have, with its reason.
 *
 *   npm run prove:bitcask:mutations -- [--only TEXT] [--budget DISKS] [--program workload|recover] [--done FILE]
 *
 * `--done` names a file of stories that have been tried: they are not tried again but counted, and what is tried is
 * added, so that a long run can be had in parts.
 */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import { BITCASK_SURVIVORS } from '../lab/bitcask-survivors.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { MUTATION_KINDS, mutationRun } from '../support/mutation-run.ts';
import type { Mutant } from '../support/mutation-run.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    budget: { type: 'string', default: '200' },
    program: { type: 'string', default: 'workload,recover' },
    done: { type: 'string', default: '' },
  },
});

const KINDS = [...MUTATION_KINDS, 'reordered'] as const;
/** The weakest: what it does not miss, no other one misses. */
const MODELS = ['posix'];
/** Names of temporary files differ from run to run. */
const RANDOM_NAME = /\S*\.holdfast-\S*\.tmp/;
/** And those of data files from story to story. */
const NUMBERED_NAME = /\d{10,}\.(data|hint)/;

/** What became of one story: the kinds of its mutants. */
interface Tried {
  readonly piece: string;
  readonly mutants: number;
  readonly caught: readonly string[];
  readonly survived: readonly string[];
}

async function main(): Promise<void> {
  const tried = triedBefore();
  for (const { name, subject, story } of BITCASK_STORIES) {
    if (!name.includes(values.only)) continue;
    for (const program of ['workload', 'recover'] as const) {
      const piece = `${name}, ${program}`;
      if (!values.program.includes(program) || tried.some((one) => one.piece === piece)) continue;
      const budget = Number(values.budget);
      const crash = engineCrashTest(subject, story, { budget });
      const { workload } = crash;
      const judge = openAndJudge({ ...subject, options: { ...subject.options, merge: false } });
      // What recovery syncs is missed only by a crash inside it, or after it.
      const test: CrashTest =
        program === 'recover'
          ? { ...crash, nested: 1 }
          : { workload, check: judge, nested: 0, budget };
      const one = await tryMutants(piece, test, program);
      tried.push(one);
      if (values.done !== '') appendFileSync(values.done, `${JSON.stringify(one)}\n`);
    }
  }
  report(tried);
}

function triedBefore(): Tried[] {
  if (values.done === '' || !existsSync(values.done)) return [];
  const lines = readFileSync(values.done, 'utf8').trim().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Tried);
}

async function tryMutants(
  piece: string,
  crash: CrashTest,
  program: 'workload' | 'recover',
): Promise<Tried> {
  const mutants = await mutationRun(crash, { models: MODELS, program, kinds: KINDS });
  const kinds = (all: readonly Mutant[]): string[] => [...new Set(all.map(kindOf))];
  const caught = mutants.filter(({ caughtBy }) => caughtBy !== null);
  const survived = mutants.filter(({ caughtBy }) => caughtBy === null);
  console.log(`${piece}: ${caught.length} of ${mutants.length} caught`);
  return { piece, mutants: mutants.length, caught: kinds(caught), survived: kinds(survived) };
}

/** The place in the code, the same from run to run. */
function kindOf({ kind, what }: Mutant): string {
  return `${kind}: ${what.replace(RANDOM_NAME, 'TEMPORARY').replace(NUMBERED_NAME, 'N.$1')}`;
}

function report(tried: readonly Tried[]): void {
  const caught = new Set(tried.flatMap((one) => one.caught));
  const survived = new Set(tried.flatMap((one) => one.survived));
  const never = [...survived].filter((each) => !caught.has(each)).toSorted();
  const all = tried.reduce((sum, { mutants }) => sum + mutants, 0);
  const kinds = new Set([...caught, ...survived]).size;
  console.log(`${all} mutants of ${kinds} places, ${caught.size} of them caught by some story`);
  const isKnown = (each: string): boolean => Object.hasOwn(BITCASK_SURVIVORS, each);
  for (const each of never) {
    const where = tried.filter((one) => one.survived.includes(each)).map(({ piece }) => piece);
    console.log(`  ${isKnown(each) ? 'listed' : 'SURVIVED'} ${each} (${where.join('; ')})`);
  }
  process.exitCode = never.every(isKnown) ? 0 : 1;
}

await main();
