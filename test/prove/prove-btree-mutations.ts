/**
 * The mutation run of the B+tree: every sync, directory sync and order of names taken away in turn,
 * in the stories and in recovery. Fails when a mutant survives that `btree-survivors.ts` does not
 * have, with its reason.
 *
 *   npm run prove:btree:mutations -- [--only TEXT] [--program workload|recover] [--budget DISKS]
 */

import { parseArgs } from 'node:util';

import { BTREE_STORIES, btreeCrashTest } from '../lab/btree-stories.ts';
import { BTREE_SURVIVORS } from '../lab/btree-survivors.ts';
import { MUTATION_KINDS, mutationRun, survivorsOf } from '../support/mutation-run.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    program: { type: 'string', default: 'workload,recover' },
    budget: { type: 'string', default: '100' },
  },
});

const KINDS = [...MUTATION_KINDS, 'reordered'] as const;
/** The weakest first: it catches nearly all. */
const MODELS = ['posix', 'ext4'];
/** Names of temporary files differ from run to run. */
const RANDOM_NAME = /\S*\.holdfast-\S*\.tmp/;

let [all, caught] = [0, 0];
const unexpected: string[] = [];
for (const story of BTREE_STORIES) {
  if (!story.name.includes(values.only)) continue;
  for (const program of ['workload', 'recover'] as const) {
    if (!values.program.split(',').includes(program)) continue;
    // What recovery syncs is missed only by a crash inside it, or after it.
    const nested = program === 'recover' ? 1 : 0;
    const test = btreeCrashTest(story, { nested, budget: Number(values.budget) });
    const mutants = await mutationRun(test, { models: MODELS, program, kinds: KINDS });
    const seen = mutants.filter(({ caughtBy }) => caughtBy !== null).length;
    all += mutants.length;
    caught += seen;
    console.log(`${story.name}, ${program}: ${seen} of ${mutants.length} caught`);
    for (const each of survivorsOf(mutants).map((line) => line.replace(RANDOM_NAME, 'TEMPORARY'))) {
      const known = Object.hasOwn(BTREE_SURVIVORS, each);
      console.log(`  ${known ? 'listed' : 'SURVIVED'} ${each}`);
      if (!known) unexpected.push(`${story.name}, ${program}: ${each}`);
    }
  }
}
console.log(`${all} mutants, ${caught} caught`);
if (unexpected.length > 0) {
  console.log(`not listed:\n  ${unexpected.join('\n  ')}`);
  process.exitCode = 1;
}
