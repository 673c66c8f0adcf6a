/**
 * A sync that fails on a real kernel, under the log and each engine: the blocks of the store fail below the file system,
 * which itself goes on. The store stays fail-stop, also once the disk is whole again. Then the process ends, another
 * one opens what it left in the page cache, and the power is cut: nothing acknowledged is lost, and nothing that was
 * served is lost later. What the kernel itself does then is docs/models/failed-syncs.md.
 */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { nodeVfs } from '../../src/vfs/node-vfs.ts';
import { batchOfLabel, sameState, stateOfStore } from '../support/engine-commit.ts';
import type { StorySubject } from '../support/engine-story.ts';
import { FailingDisk } from '../support/failing-disk.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { loggedKind } from '../support/logged-engine.ts';
import { skipWithout } from '../support/powercut-needs.ts';
import { ENGINES_ON_RIG } from '../support/rig-subjects.ts';

const SUBJECTS: Readonly<Record<string, StorySubject>> = {
  log: { kind: loggedKind() },
  ...ENGINES_ON_RIG,
};
const COMMITS = 12;
/** Until one of them meets a block that fails. */
const TRIES_MAX = 200;

for (const fileSystem of ['ext4', 'xfs']) {
  describe(`after a failed sync on ${fileSystem}`, skipWithout(fileSystem), () => {
    for (const [name, subject] of Object.entries(SUBJECTS)) {
      it(`${name} is fail-stop, and nothing that was promised or served is lost`, async (t) => {
        const disk = await FailingDisk.create(fileSystem);
        try {
          await failAndRecover(subject, disk, (text) => t.diagnostic(text));
        } finally {
          await disk.close();
        }
      });
    }
  });
}

async function failAndRecover(
  subject: StorySubject,
  disk: FailingDisk,
  say: (text: string) => void,
): Promise<void> {
  const directory = join(disk.path, 'store');
  mkdirSync(directory);
  const engine = await openOn(subject, directory);
  const kept: string[] = [];
  for (let number = 0; number < COMMITS; number++) {
    await engine.write(batchOfLabel(`${number}:a${letterOf(number)}=300`), 'sync');
    kept.push(`a${letterOf(number)}`);
  }
  const ranges = disk.rangesOf(directory);
  assert.ok(ranges.length > 0);
  await disk.fail(ranges);
  const error = await failingWrite(engine, kept);
  const { code = '' } = error as { code?: string };
  say(`write ${kept.length - COMMITS + 1} failed: ${code}`);

  await disk.heal();
  for (const policy of ['sync', 'none'] as const) {
    const batch = batchOfLabel('100:z=10');
    await assert.rejects(async () => engine.write(batch, policy), isPoisoned);
    assert.throws(() => engine.writeSync(batch, policy), isPoisoned);
  }
  for (const key of kept) assert.ok(engine.hasSync(Buffer.from(key)), `${key} is still read`);
  // As the end of the process: a poisoned store makes nothing durable any more, it gives its descriptors back.
  await engine.close().catch(() => 'it says once more why writing has ended');

  const next = await openOn(subject, directory);
  const served = stateOfStore(next);
  for (const key of kept) assert.ok(served.has(key), `${key} was acknowledged, and is lost`);
  assert.ok(!served.has('z'), 'a refused write shows');
  say(served.has('y') ? 'what it wrote is served' : 'what it wrote is not served');
  // At this moment: what was served has to be on the disk, although this process has closed nothing.
  const later = await disk.afterPowerCut(async (cut) => {
    const last = await openOn(subject, join(cut, 'store'));
    const state = stateOfStore(last);
    await last.close();
    return state;
  });
  assert.ok(sameState(later, served), 'what was served is not what a power cut leaves');
  await next.close();
}

/** Writes until a sync fails. What was acknowledged before that is added to `kept`. */
async function failingWrite(engine: Engine, kept: string[]): Promise<unknown> {
  for (let number = 0; number < TRIES_MAX; number++) {
    const key = `b${letterOf(number)}`;
    try {
      // One that is in the page cache only, so that the sync is a call of its own.
      await engine.write(batchOfLabel(`${50 + number}:y=300`), 'none');
      await engine.write(batchOfLabel(`${50 + number}:${key}=300`), 'sync');
    } catch (error) {
      // The one that is waited for.
      return error;
    }
    kept.push(key);
  }
  return assert.fail('no write met a block that fails');
}

function openOn({ kind, options }: StorySubject, directory: string): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(nodeVfs));
  return kind.open(directory, { ...options, dispatch });
}

/** Letters only: a label of a test commit has no digits in its keys. */
function letterOf(number: number): string {
  return String.fromCharCode(97 + Math.floor(number / 26), 97 + (number % 26));
}

function isPoisoned(error: unknown): boolean {
  return errorCode(error) === 'HOLDFAST_POISONED';
}
