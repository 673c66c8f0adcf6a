/**
 * The long run of Bitcask under the laboratory, beside the suite: every story on every model of the
 * default list, with crashes inside recovery. `npm run prove:bitcask -- [BUDGET
 * [MODEL,… [STORY,…]]]`; BUDGET is disks for each story and model.
 */

import { explore } from '../../src/lab/suite/explore-crash-test.ts';
import { crashTestReport } from '../../src/lab/suite/suite-report.ts';
import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';
import { SMALL_BITCASK } from '../lab/bitcask-stories.ts';

const [, , budget = '1000', modelList = DEFAULT_MODELS.join(), stories = ''] = process.argv;
let total = 0;
let failing = 0;
for (const [name, story] of Object.entries(ENGINE_STORIES)) {
  if (stories !== '' && !stories.split(',').includes(name)) continue;
  for (const model of modelList.split(',')) {
    const test = engineCrashTest(SMALL_BITCASK, story, { models: [model], budget: +budget });
    const result = await explore(test);
    const { disksChecked, models, nested } = result.certificate;
    const inside = nested.map((one) => `${one.explored} recoveries ${one.disksDistinct} disks`);
    const [certificate] = models;
    total += disksChecked;
    if (result.verdict === 'found') failing++;
    console.log(
      `${name}, ${model}: ${result.verdict}, ${disksChecked} disks checked, ` +
        `${certificate?.crashPoints} crash points, inside recovery: ${inside.join()}`,
    );
    if (result.verdict === 'found') console.log(crashTestReport(result, process.cwd()));
  }
}
console.log(`${total} disks checked, ${failing} explorations with a finding`);
process.exitCode = failing === 0 ? 0 : 1;
