/**
 * The long proof of the B+tree under the laboratory: every story under every default model with
 * crashes inside recovery, and some with a fault at each call. Many disks of each are `prove-btree-wide`'s.
 *
 *   npm run prove:btree -- [--part stories|faults] [--only TEXT] [--models M,…]
 *                          [--budget DISKS] [--nested DEPTH] [--seed N]
 *
 * `--budget` is for each story and model. Every line stands by itself, so that a run can be made in pieces.
 */

import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { explore } from '../../src/lab/suite/explore-crash-test.ts';
import { crashTestReport } from '../../src/lab/suite/suite-report.ts';
import { faultyCrashTest } from '../support/engine-story.ts';
import { BTREE_STORIES, btreeCrashTest } from '../lab/btree-stories.ts';

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'stories' },
    only: { type: 'string', default: '' },
    models: { type: 'string', default: DEFAULT_MODELS.join() },
    budget: { type: 'string', default: '1000' },
    nested: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});

const MODELS = values.models.split(',');
/** Stories that are run again with each fault at each call. */
const FAULTY = ['policies', 'a checkpoint at every commit', 'overflow', 'joins'];

let total = 0;
let failing = 0;

/** One line on an exploration. */
async function prove(name: string, test: CrashTest): Promise<void> {
  const start = process.cpuUsage();
  const result = await explore(test);
  const { user, system } = process.cpuUsage(start);
  const { disksChecked, models, nested, faults } = result.certificate;
  const found = result.verdict === 'found';
  total += disksChecked;
  if (found) failing++;
  const whole = models.filter(({ complete }) => complete).length;
  const inside = nested.map(({ explored, recoveries }) => `${explored} of ${recoveries}`);
  console.log(
    `${found ? 'FOUND' : 'kept'}: ${name}: ${disksChecked} disks, ${whole} of ${models.length} ` +
      `models whole, crashes inside ${inside.join() || 'no'} recoveries, ${faults.runs} faults, ` +
      `${((user + system) / 1e6).toFixed(0)} s of CPU`,
  );
  if (found) console.log(crashTestReport(result, process.cwd()));
}

async function main(): Promise<void> {
  const budget = Number(values.budget);
  const seed = Number(values.seed);
  for (const story of BTREE_STORIES) {
    if (!story.name.includes(values.only)) continue;
    for (const model of MODELS) {
      const limits = { models: [model], budget, nested: Number(values.nested), seed };
      const test = btreeCrashTest(story, limits);
      if (values.part === 'stories') await prove(`${story.name}, ${model}`, test);
      if (values.part === 'faults' && FAULTY.includes(story.name)) {
        const faulty = faultyCrashTest(story.subject, story.story, limits);
        await prove(`${story.name}, ${model}, faults`, faulty);
      }
    }
  }
  console.log(`${total} disks, ${failing} explorations with a finding`);
  if (failing > 0) process.exitCode = 1;
}

await main();
