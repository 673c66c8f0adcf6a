/** The lock under the laboratory: whatever a power cut does to its files, the directory opens. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { acquireLock, releaseLock } from '../../src/durable/lock-steps.ts';
import type { LockJudge } from '../../src/durable/lock-judge.ts';
import type { LockOwner } from '../../src/durable/lock-owner.ts';
import { runNow } from '../../src/durable/two-forms.ts';
import type { Checker } from '../../src/lab/check/checker.ts';
import { runLab } from '../../src/lab/lab-run.ts';
import { DEFAULT_MODELS, modelByName } from '../../src/lab/model/model-list.ts';
import { RecordingVfs } from '../../src/lab/record/recording-vfs.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { ManualClock } from '../support/manual-clock.ts';

const OWNER: Omit<LockOwner, 'nonce'> = {
  processId: 1,
  processStart: '1',
  threadId: 0,
  systemThreadId: '',
  systemThreadStart: '',
  boot: 'before',
  namespace: 'space',
  host: 'host',
  machine: 'machine',
};

/** In a boot in which only owners of that boot live. */
function judge(boot: string, processId: number): LockJudge {
  return {
    self: { ...OWNER, boot, processId },
    verdictOn: (owner) => (owner.boot === boot && owner.processId === processId ? 'alive' : 'dead'),
    note: () => {},
  };
}

test('after a power cut at any moment the lock is free', async () => {
  const memory = new MemoryVfs();
  const vfs = new RecordingVfs(memory, { tree: memory.toTree() });
  runNow(acquireLock('/', { vfs, judge: judge('before', 1) }));
  const second = judge('before', 2);
  const taken = runNow(acquireLock('/', { vfs, judge: second }));
  runNow(releaseLock(vfs, second, taken));
  runNow(acquireLock('/', { vfs, judge: second }));
  const checker: Checker = {
    name: 'lock',
    check({ root }) {
      const disk = MemoryVfs.fromTree(root);
      const clock = new ManualClock();
      const after = judge('after', 1);
      try {
        const lock = runNow(acquireLock('/', { vfs: disk, clock, judge: after }));
        runNow(releaseLock(disk, after, lock));
      } catch (error) {
        // The answer that the checker is for.
        return { ok: false, message: String(error) };
      }
      const left = disk.readDirectorySync('/').map((entry) => entry.name);
      return left.length === 0 ? { ok: true } : { ok: false, message: `left: ${left.join()}` };
    },
  };
  const models = DEFAULT_MODELS.map(modelByName);
  const { verdict, runs } = await runLab(vfs.finish(), { models, checker });
  assert.equal(verdict, 'passed');
  assert.ok(runs.reduce((sum, run) => sum + run.exploration.distinct, 0) > 20);
});
