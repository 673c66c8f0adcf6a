/**
 * The orders on which the B+tree's file rests: pages are synced before the log lets go of them, and
 * those of a value ahead of its commit before the log has that; and a segment of the log that is
 * made is opened for durable writes. Without them, a power cut is found
 * that breaks a promise. All other syncs: `npm run
 * prove:btree:mutations`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { openAndJudge } from '../support/engine-story.ts';
import { MutatingVfs } from '../support/mutation-run.ts';
import type { Mutation, PlaceMutation } from '../support/mutation-run.ts';
import { classOfBtree } from '../prove/btree-class.ts';
import { exploreWidely } from '../prove/wide-exploration.ts';
import { WideTally } from '../prove/wide-judge.ts';
import { earlyRun } from '../support/early-run.ts';
import { BTREE_STORIES, btreeCrashTest } from './btree-stories.ts';

type Place = 'first' | 'last';

/** A sync of a kind in a story: found by leaving out one after the other. */
async function findSync(name: string, wanted: RegExp, which: Place): Promise<Mutation> {
  const story = BTREE_STORIES.find((one) => one.name === name);
  assert.ok(story !== undefined, name);
  const { workload } = btreeCrashTest(story, {});
  let found: Mutation | null = null;
  for (let place = 1; place < 200; place++) {
    const mutation: Mutation = { kind: 'dropped', nth: place };
    const vfs = new MutatingVfs(new MemoryVfs(), mutation);
    await workload(vfs, { mark: () => {} });
    if (vfs.met === null) break;
    if (!wanted.test(vfs.met)) continue;
    found = mutation;
    if (which === 'first') break;
  }
  assert.ok(found !== null, `the story '${name}' has no such sync`);
  return found;
}

async function violations(name: string, mutation: Mutation | PlaceMutation): Promise<string[]> {
  const story = BTREE_STORIES.find((one) => one.name === name);
  assert.ok(story !== undefined, name);
  const whole = btreeCrashTest(story, {});
  const mutant: typeof whole = {
    ...whole,
    workload: (vfs, context) => whole.workload(new MutatingVfs(vfs, mutation), context),
  };
  const disks = Number(process.env['BTREE_ORDER_DISKS'] ?? 100);
  const [run] = await exploreWidely(mutant, openAndJudge(story.subject), ['posix'], disks, {
    tally: new WideTally(),
    classOf: classOfBtree,
  });
  return run?.violations.map(({ message }) => message) ?? [];
}

async function withoutSync(name: string, wanted: RegExp, which: Place): Promise<string[]> {
  return violations(name, await findSync(name, wanted, which));
}

const settled = await earlyRun(() =>
  withoutSync('closed with one checkpoint', /fdatasync in settle/, 'last'),
);
const placed = await earlyRun(() =>
  withoutSync('one value ahead of its commit', /fdatasync in settle/, 'first'),
);
const opened = await earlyRun(() =>
  violations('commits behind a checkpoint', {
    kind: 'opened without sync',
    at: (what) => what === 'open in createFiles, create',
  }),
);

test('pages that are not synced before the log lets go of them are missed', () => {
  assert.ok(settled().length > 0);
});

test('pages of a value that are not synced before its commit are missed', () => {
  assert.ok(placed().length > 0);
});

test('a commit in a segment that was opened without a sync of its own is missed', () => {
  assert.ok(opened().length > 0);
});
