/**
 * The mutation run of the LSM engine: every sync, directory sync, and order of names taken away in turn, in the programs and
 * in recovery. Fails when a mutant survives that `lsm-survivors.ts` does not have, with its reason.
 *
 *   npm run prove:lsm:mutations -- [--only TEXT] [--budget DISKS] [--program workload|recover] [--done FILE]
 *
 * `--done` as in `prove-lsm.ts`.
 */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { LSM_STORIES } from '../lab/lsm-stories.ts';
import { LSM_SURVIVORS } from '../lab/lsm-survivors.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { MUTATION_KINDS, mutationRun, survivorsOf } from '../support/mutation-run.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    budget: { type: 'string', default: '200' },
    program: { type: 'string', default: 'workload,recover' },
    done: { type: 'string', default: '' },
  },
});

const KINDS = [...MUTATION_KINDS, 'reordered'] as const;
/** The weakest first: it catches nearly all. */
const MODELS = ['posix', 'ext4'];
/** Names of temporary files differ from run to run. */
const RANDOM_NAME = /\S*\.holdfast-\S*\.tmp/;

async function main(): Promise<void> {
  const done = existsSync(values.done) ? readFileSync(values.done, 'utf8') : '';
  const unexpected: string[] = [];
  for (const { name, subject, story } of LSM_STORIES) {
    if (!name.includes(values.only)) continue;
    for (const program of ['workload', 'recover'] as const) {
      const piece = `${name}, ${program}`;
      if (!values.program.includes(program) || done.includes(`${piece}: `)) continue;
      // What recovery syncs is missed only by a crash inside it, or after it.
      const nested = program === 'recover' ? 1 : 0;
      const crash = engineCrashTest(subject, story, { nested, budget: Number(values.budget) });
      const missing = await tryMutants(piece, crash, program);
      unexpected.push(...missing);
    }
  }
  if (unexpected.length > 0) console.log(`not listed:\n  ${unexpected.join('\n  ')}`);
  process.exitCode = unexpected.length > 0 ? 1 : 0;
}

async function tryMutants(
  piece: string,
  crash: CrashTest,
  program: 'workload' | 'recover',
): Promise<string[]> {
  const mutants = await mutationRun(crash, { models: MODELS, program, kinds: KINDS });
  const caught = mutants.filter(({ caughtBy }) => caughtBy !== null).length;
  const survivors = survivorsOf(mutants).map((each) => each.replace(RANDOM_NAME, 'TEMPORARY'));
  const line = `${piece}: ${caught} of ${mutants.length} caught`;
  console.log(line);
  const isKnown = (each: string): boolean => Object.hasOwn(LSM_SURVIVORS, each);
  for (const each of survivors) console.log(`  ${isKnown(each) ? 'listed' : 'SURVIVED'} ${each}`);
  const missing = survivors.filter((each) => !isKnown(each)).map((each) => `${piece}: ${each}`);
  if (missing.length === 0 && values.done !== '') appendFileSync(values.done, `${line}\n`);
  return missing;
}

await main();
