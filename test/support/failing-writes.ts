/**
 * Commits to a store until a sync of one fails, for tests of failed syncs on real disks; in the process of the test, or
 * in one that is killed (`test/root/failing-program.ts`).
 */

import assert from 'node:assert/strict';

import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { nodeVfs } from '../../src/vfs/node-vfs.ts';
import { batchOfLabel } from './engine-commit.ts';
import type { StorySubject } from './engine-story.ts';
import { LockAsideVfs } from './lock-aside-vfs.ts';
import { loggedKind } from './logged-engine.ts';
import { ENGINES_ON_RIG } from './rig-subjects.ts';

/** What is made to fail. */
export const FAILING_SUBJECTS: Readonly<Record<string, StorySubject>> = {
  log: { kind: loggedKind() },
  ...ENGINES_ON_RIG,
};

const COMMITS = 12;
/** Until one of them meets a block that fails. */
const TRIES_MAX = 200;

/** The store of a subject, on the disk. */
export function openOn({ kind, options }: StorySubject, directory: string): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(nodeVfs));
  return kind.open(directory, { ...options, dispatch });
}

/** Commits that are made durable. `kept`: told the key of each that was acknowledged. */
export async function keepSome(engine: Engine, kept: (key: string) => void): Promise<void> {
  for (let number = 0; number < COMMITS; number++) {
    await engine.write(batchOfLabel(`${number}:a${letterOf(number)}=300`), 'sync');
    kept(`a${letterOf(number)}`);
  }
}

/** Writes until a sync fails, and says with what. `kept`: told the key of each that was acknowledged before that. */
export async function failingWrite(engine: Engine, kept: (key: string) => void): Promise<unknown> {
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
    kept(key);
  }
  return assert.fail('no write met a block that fails');
}

/** Letters only: a label of a test commit has no digits in its keys. */
function letterOf(number: number): string {
  return String.fromCharCode(97 + Math.floor(number / 26), 97 + (number % 26));
}
