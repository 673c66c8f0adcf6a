/**
 * Bitcask under the laboratory: the stories of stores with logs so small that each one rotates and
 * merges, and entries that expire. A sample of the disks here; the long run is `npm run
 * prove:bitcask`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SMALL_BITCASK } from './bitcask-stories.ts';

for (const name of ['groups', 'turnover']) {
  test(`bitcask keeps its promises in the story of stores called ${name}`, async () => {
    const story = ENGINE_STORIES[name];
    assert.ok(story !== undefined);
    await assertCrashSafe(engineCrashTest(SMALL_BITCASK, story, { models: ['posix'], budget: 15 }));
  });
}

function openAt(vfs: Vfs, now: () => number): Promise<Engine> {
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  const clock = new ManualClock();
  return bitcaskKind.open('/store', { ...SMALL_BITCASK.options, dispatch, clock, timeOfDay: now });
}

function putFor(key: string, lifetimeMs: number): WriteBatch {
  const batch = new WriteBatch();
  batch.put(Buffer.from(key), Buffer.alloc(300, key), lifetimeMs);
  return batch;
}

/** Entries expire, are seen to have expired, and are merged away; the clock is set back at a crash. */
const expiring: CrashTest = {
  workload: async (disk, { mark }) => {
    let now = 1000;
    const engine = await openAt(new LockAsideVfs(disk), () => now);
    await engine.write(putFor('a', 0), 'sync');
    await engine.write(putFor('a', 500), 'sync');
    await engine.write(putFor('b', 900), 'sync');
    mark('alive');
    now = 1600;
    assert.equal(await engine.get(Buffer.from('a')), undefined);
    mark('gone a');
    await engine.compact();
    now = 2000;
    assert.equal(engine.getSync(Buffer.from('b')), undefined);
    mark('gone b');
    await engine.close();
  },
  check: async (disk, { marks }) => {
    const engine = await openAt(new LockAsideVfs(disk), () => 1000);
    const alive = (key: string): boolean => engine.hasSync(Buffer.from(key));
    const wrong: string[] = [];
    for (const key of ['a', 'b']) {
      if (marks.includes(`gone ${key}`) && alive(key)) wrong.push(`P5: ${key} is back`);
    }
    const value = engine.getSync(Buffer.from('a'));
    if (value !== undefined && value[0] !== 0x61) wrong.push('another value');
    if (marks.at(-1) === 'alive' && !alive('b')) wrong.push('P1: b is gone');
    wrong.push(...(await engine.verify()).damage.map(({ message }) => `P4: ${message}`));
    await engine.close();
    if (wrong.length > 0) throw new Error(wrong.join('; '));
  },
};

test('what was seen to have expired is never seen again, also with the clock set back', async () => {
  await assertCrashSafe({ ...expiring, models: ['posix'], budget: 40 });
});
