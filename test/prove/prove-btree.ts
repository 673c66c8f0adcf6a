/**
 * The long proof of the B+tree under the laboratory: every story under every default model with
 * crashes inside recovery, some with a fault at each call, and many disks of each.
 *
 *   npm run prove:btree -- [--part stories|faults|wide] [--only TEXT] [--models M,…]
 *                          [--budget DISKS] [--wide DISKS] [--seed N]
 *
 * `--budget` is for each story and model, `--wide` for each story and model of the third part.
 * Every line stands by itself, so that a run can be made in pieces.
 */

import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { explore } from '../../src/lab/suite/explore-crash-test.ts';
import { crashTestReport } from '../../src/lab/suite/suite-report.ts';
import { faultyCrashTest, openAndJudge } from '../support/engine-story.ts';
import { BTREE_STORIES, btreeCrashTest } from '../lab/btree-stories.ts';
import type { BtreeStory } from '../lab/btree-stories.ts';
import { exploreWidely } from './wide-exploration.ts';

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'stories' },
    only: { type: 'string', default: '' },
    models: { type: 'string', default: DEFAULT_MODELS.join() },
    budget: { type: 'string', default: '1000' },
    wide: { type: 'string', default: '10000' },
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

async function proveWidely(story: BtreeStory, model: string): Promise<void> {
  const test = btreeCrashTest(story, {});
  const judge = openAndJudge(story.subject);
  const [one] = await exploreWidely(test, judge, [model], Number(values.wide));
  if (one === undefined) return;
  total += one.distinct;
  if (one.violations.length > 0) failing++;
  const states = one.rawStates === null ? 'more states than can be counted' : `${one.rawStates}`;
  const share = one.complete ? 'all' : 'a sample';
  console.log(`wide: ${story.name}, ${model}: ${one.distinct} disks, ${share} of ${states}`);
  for (const { message } of one.violations) console.log(`FOUND ${message}`);
}

async function main(): Promise<void> {
  const budget = Number(values.budget);
  const seed = Number(values.seed);
  for (const story of BTREE_STORIES) {
    if (!story.name.includes(values.only)) continue;
    for (const model of MODELS) {
      const limits = { models: [model], budget, nested: 1, seed };
      const test = btreeCrashTest(story, limits);
      if (values.part === 'stories') await prove(`${story.name}, ${model}`, test);
      if (values.part === 'wide') await proveWidely(story, model);
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
