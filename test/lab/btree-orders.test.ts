/**
 * The order on which the B+tree's file rests: pages are synced before the log lets go of them.
 * Without it, a power cut is found that breaks a promise. All other syncs: `npm run
 * prove:btree:mutations`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { openAndJudge } from '../support/engine-story.ts';
import { MutatingVfs } from '../support/mutation-run.ts';
import type { Mutation } from '../support/mutation-run.ts';
import { exploreWidely } from '../prove/wide-exploration.ts';
import { BTREE_STORIES, btreeCrashTest } from './btree-stories.ts';

/** The last sync of a kind in a story: found by leaving out one after the other. */
async function findSync(name: string, wanted: RegExp): Promise<Mutation> {
  const story = BTREE_STORIES.find((one) => one.name === name);
  assert.ok(story !== undefined, name);
  const { workload } = btreeCrashTest(story, {});
  let found: Mutation | null = null;
  for (let place = 1; place < 200; place++) {
    const mutation: Mutation = { kind: 'dropped', nth: place };
    const vfs = new MutatingVfs(new MemoryVfs(), mutation);
    await workload(vfs, { mark: () => {} });
    if (vfs.met === null) break;
    if (wanted.test(vfs.met)) found = mutation;
  }
  assert.ok(found !== null, `the story '${name}' has no such sync`);
  return found;
}

async function violations(name: string, wanted: RegExp): Promise<string[]> {
  const story = BTREE_STORIES.find((one) => one.name === name);
  assert.ok(story !== undefined, name);
  const mutation = await findSync(name, wanted);
  const whole = btreeCrashTest(story, {});
  const mutant: typeof whole = {
    ...whole,
    workload: (vfs, context) => whole.workload(new MutatingVfs(vfs, mutation), context),
  };
  const disks = Number(process.env['BTREE_ORDER_DISKS'] ?? 200);
  const [run] = await exploreWidely(mutant, openAndJudge(story.subject), ['posix'], disks);
  return run?.violations.map(({ message }) => message) ?? [];
}

test('pages that are not synced before the log lets go of them are missed', async () => {
  const found = await violations('closed with one checkpoint', /fdatasync in settle/);
  assert.ok(found.length > 0);
});
