/**
 * The harness of the long proofs can fail: a recovery without a sync that it needs is found by crashes inside it, a
 * failed sync that is taken for a good one by a fault, and a class of disks that says too little by its probes.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CheckFunction, CrashTest } from '../../src/lab/suite/crash-test.ts';
import { exploreFaults } from '../prove/faulted-exploration.ts';
import { classOfLsm } from '../prove/lsm-class.ts';
import { evenly, findsInRecovery, NestedExploration } from '../prove/nested-exploration.ts';
import { exploreWidely } from '../prove/wide-exploration.ts';
import { ClassMismatch } from '../prove/wide-judge.ts';
import { engineCrashTest, openAndJudge, owedBy } from '../support/engine-story.ts';
import { MutatingVfs } from '../support/mutation-run.ts';
import { getFile, putFile } from '../support/vfs-helpers.ts';
import { LSM_STORIES } from './lsm-stories.ts';

const { subject, story } = LSM_STORIES.find(({ name }) => name === 'policies')!;
const STORY: CrashTest = engineCrashTest(subject, story, { models: ['posix'] });
const JUDGING = { judge: openAndJudge(subject), classOf: classOfLsm, owedBy };

/** The story with a recovery whose log is written without a sync. */
const UNSYNCED: CrashTest = {
  ...STORY,
  recover: (vfs, context) => {
    const mutation = { kind: 'opened without sync', at: () => true } as const;
    return STORY.recover?.(new MutatingVfs(vfs, mutation), context);
  },
};

test('a power cut inside recovery, and inside the recovery after that, breaks no promise', async () => {
  const nested = await NestedExploration.of(STORY, JUDGING, 'posix', 40);
  const first = await nested.cut(STORY, evenly(nested.classes, 6), { disks: 12 });
  const second = await nested.cut(STORY, evenly(first.classes, 2), { disks: 12 });
  assert.deepEqual([...first.failures, ...second.failures], []);
  assert.deepEqual([first.cut, second.cut], [6, 2]);
  assert.ok(first.tally.disks > 40 && second.tally.disks > 15, `${first.tally.disks} disks`);
});

test('a sync that recovery leaves out is found by a power cut inside it, and only there', async () => {
  const nested = await NestedExploration.of(UNSYNCED, JUDGING, 'posix', 40);
  assert.equal(nested.base.violationCount, 0);
  const { failures } = await nested.cut(UNSYNCED, evenly(nested.classes, 3), { disks: 30 });
  assert.match(failures.join('\n'), /P1: 'r1\.0:new=9,a-' is gone/);
  assert.equal(await findsInRecovery(JUDGING)(UNSYNCED), true);
});

test('a recovery that fails, and one whose end the check refuses, are found without a power cut', async () => {
  const nested = await NestedExploration.of(STORY, JUDGING, 'posix', 4);
  const [one] = nested.classes;
  assert.ok(one !== undefined);
  const failing = { ...STORY, recover: () => Promise.reject(new Error('no')) };
  const refused: CrashTest = { ...STORY, check: () => Promise.reject(new Error('wrong')) };
  const told = async (mutant: CrashTest): Promise<string | undefined> =>
    (await nested.cut(mutant, [one], { disks: 4 })).failures.at(-1);
  assert.equal(await told(failing), 'recovery 1: recovery fails: Error: no');
  assert.equal(await told(refused), 'recovery 1: after recovery: wrong');
});

/** Writes a file, and promises it; `careful`: not when its sync has failed. */
function promising(careful: boolean): CrashTest {
  const judge: CheckFunction = async (vfs, { marks }) => {
    if (marks.length > 0) assert.equal(await getFile(vfs, '/a'), 'all of it');
  };
  return {
    workload: async (vfs, { mark }) => {
      try {
        await putFile(vfs, '/a', 'all of it');
        const directory = await vfs.openDirectory('/');
        await directory.sync();
        await directory.close();
        const file = await vfs.open('/a', { write: true });
        await file.sync().catch((error: unknown) => {
          if (careful) throw error;
        });
        await file.close();
        mark('a');
      } catch {
        // Nothing is promised then.
      }
    },
    check: judge,
  };
}

test('a failed sync that a program takes for a good one is found', async () => {
  const explored = async (careful: boolean): Promise<readonly string[]> => {
    const program = promising(careful);
    const judging = { judge: program.check as CheckFunction };
    const limits = { runs: 100, disks: 10 };
    const { runs, of, failures } = await exploreFaults(program, judging, 'posix', limits);
    assert.ok(runs > 10 && runs === of, `${runs} of ${of} runs`);
    return failures;
  };
  assert.deepEqual(await explored(true), []);
  assert.match((await explored(false)).join('\n'), /EIO from fsync of a/);
});

test('a class of disks that says too little is found out', async () => {
  let seen = 0;
  const judge: CheckFunction = () => assert.equal(seen++, 0, 'only the first disk is right');
  const program: CrashTest = {
    workload: (vfs) => putFile(vfs, '/a', new Uint8Array(16_384).fill(1)),
    check: judge,
  };
  const explored = exploreWidely(program, judge, ['posix'], 100, { classOf: () => 'a disk' });
  await assert.rejects(explored, ClassMismatch);
});

test('an even choice has its parts from all over', () => {
  assert.deepEqual(evenly([1, 2, 3], 5), [1, 2, 3]);
  assert.deepEqual(evenly([...Array(10).keys()], 5), [1, 3, 5, 7, 9]);
  assert.equal(evenly([...Array(1000).keys()], 7).length, 7);
});
