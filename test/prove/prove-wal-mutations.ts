/**
 * The mutation run of the write-ahead log: every sync, directory sync, and order of names taken away in turn, in the
 * programs and in recovery. Fails when a mutant survives that `wal-survivors.ts` does not have, with its reason.
 *
 *   npm run prove:wal:mutations -- [--only TEXT] [--budget DISKS]
 */

import { parseArgs } from 'node:util';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { crashTestOf, WAL_STORIES } from '../lab/wal-stories.ts';
import { WAL_SURVIVORS } from '../lab/wal-survivors.ts';
import { MUTATION_KINDS, mutationRun, survivorsOf, type Mutant } from '../support/mutation-run.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    budget: { type: 'string', default: '300' },
  },
});

const KINDS = [...MUTATION_KINDS, 'reordered'] as const;
/** The weakest first: it catches nearly all. */
const MODELS = ['posix', 'ext4'];

/** Names of temporary files differ from run to run. */
const RANDOM_NAME = /\S*\.holdfast-\S*\.tmp/;

async function main(): Promise<void> {
  let [all, caught] = [0, 0];
  const unexpected: string[] = [];
  const met = new Set<string>();
  for (const story of WAL_STORIES.filter(({ name }) => name.includes(values.only))) {
    for (const program of ['workload', 'recover'] as const) {
      // What recovery syncs is missed only by a crash inside it, or after it.
      const nested = program === 'recover' ? 1 : 0;
      const test: CrashTest = { ...crashTestOf(story), nested, budget: Number(values.budget) };
      const mutants = await mutationRun(test, { models: MODELS, program, kinds: KINDS });
      all += mutants.length;
      caught += mutants.filter(({ caughtBy }) => caughtBy !== null).length;
      const survivors = survivorsOf(mutants).map((each) => each.replace(RANDOM_NAME, 'TEMPORARY'));
      console.log(`${story.name}, ${program}: ${told(mutants)}`);
      for (const each of survivors) {
        met.add(each);
        const known = Object.hasOwn(WAL_SURVIVORS, each);
        console.log(`  ${known ? 'listed' : 'SURVIVED'} ${each}`);
        if (!known) unexpected.push(`${story.name}, ${program}: ${each}`);
      }
    }
  }
  console.log(`${all} mutants, ${caught} caught, ${met.size} kinds of survivor`);
  if (unexpected.length > 0) {
    console.log(`not listed:\n  ${unexpected.join('\n  ')}`);
    process.exitCode = 1;
  }
}

function told(mutants: readonly Mutant[]): string {
  const caught = mutants.filter(({ caughtBy }) => caughtBy !== null);
  return `${caught.length} of ${mutants.length} caught`;
}

await main();
