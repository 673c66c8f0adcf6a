/** Every call of a log made to fail, in every way that it can: nothing promised is lost, nothing refused shows. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Vfs } from '../../src/vfs/vfs.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { FaultKind } from '../../src/vfs/fault.ts';
import { FAULTY_WAL_STORIES, type WalStory } from '../lab/wal-stories.ts';
import { faultLoop } from '../support/fault-loop.ts';
import { LogStory } from '../support/log-story.ts';

/** EDQUOT means what ENOSPC means. */
const KINDS: readonly FaultKind[] = [
  'EIO',
  'ENOSPC',
  'EMFILE',
  'EINTR',
  'short-write',
  'failed-sync',
];
/** The lock has its own tests. */
const NO_LOCK = /^(?!.*holdfast-lock)/;

function faultTest(story: WalStory, kinds: readonly FaultKind[], times: number): void {
  const how = times === 1 ? 'one call fails' : `${times} calls in a row fail`;
  test(`${story.name}: ${how}`, async (t) => {
    let below: Vfs = new MemoryVfs();
    const failed = await faultLoop(({ vfs }) => tellAndJudge(story, vfs, below, times > 1), {
      create: () => (below = new MemoryVfs()),
      kinds,
      fault: { times, path: NO_LOCK },
    });
    t.diagnostic([...failed].map(([kind, count]) => `${kind} ${count}`).join(', '));
    for (const [kind, count] of failed) assert.ok(count > 0, `nothing failed with ${kind}`);
  });
}

async function tellAndJudge(
  { tell, options }: WalStory,
  vfs: Vfs,
  below: Vfs,
  mayGiveUp: boolean,
): Promise<void> {
  const marks: string[] = [];
  const mark = (text: string): void => void marks.push(text);
  try {
    await tell(new LogStory(vfs, mark, { ...options, powered: true }));
  } catch (error) {
    // A log that cannot be opened twice in a row is given up; what was promised until then counts.
    if (!mayGiveUp || !isSystemError(error)) throw error;
  }
  // The disk is well again, and another process opens the log.
  const after = new LogStory(below, mark, { powered: true }, marks);
  await after.open();
  await after.append('sync');
  await after.close();
  after.openSync();
}

for (const story of FAULTY_WAL_STORIES) faultTest(story, KINDS, 1);
for (const story of FAULTY_WAL_STORIES) {
  if (story.name.startsWith('rotation')) faultTest(story, ['EIO', 'ENOSPC'], 4);
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || 'outcome' in error);
}
