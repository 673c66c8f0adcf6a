/**
 * Bitcask with a store that is there already, and every call failing once: opening with hints, reading what has
 * expired, merging, backup, closing. What writing is told when calls fail is in `bitcask.test.ts`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import type { FaultKind } from '../../src/vfs/fault.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { applyLabel, batchOfLabel, sameState, stateOfStore } from '../support/engine-commit.ts';
import type { TextState } from '../support/engine-commit.ts';
import { FAULT_KINDS, faultLoop } from '../support/fault-loop.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Two kinds in the suite; `HOLDFAST_FAULTS=all` tries all. */
const KINDS: readonly FaultKind[] =
  process.env['HOLDFAST_FAULTS'] === 'all' ? FAULT_KINDS : ['EIO', 'ENOSPC'];
const EXPIRED = Buffer.from('expired');

function open(vfs: Vfs, directory: string, now: number): Promise<Engine> {
  return bitcaskKind.open(directory, {
    maxFileSize: 4096,
    preallocateBytes: 0,
    merge: false,
    clock: new ManualClock(),
    timeOfDay: () => now,
    dispatch: new SyncDispatch(vfs, syncRulesFor('linux', 'node')),
  });
}

/** A closed store of several files with hints, something dead, and an entry that lives until 2000. */
async function madeStore(): Promise<{ tree: FileTreeDirectory; expected: TextState }> {
  const memory = new MemoryVfs();
  const engine = await open(new LockAsideVfs(memory), '/store', 1000);
  const expected: TextState = new Map();
  for (const [index, changes] of ['k*6=500', 'k*3-,a=900', 'b=1500,k*5=300', 'b-'].entries()) {
    await engine.write(batchOfLabel(`${index}:${changes}`), 'sync');
    applyLabel(expected, `${index}:${changes}`);
  }
  const batch = new WriteBatch();
  batch.put(EXPIRED, Buffer.from('value'), 1000);
  await engine.write(batch, 'sync');
  await engine.close();
  return { tree: memory.toTree(), expected };
}

/** What a user gets that must be an error with a code, or what it should be. */
async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    assert.ok((error as { code?: string }).code !== undefined, String(error));
    return undefined;
  }
}

test('whichever call fails of opening, merging, backup and closing, the store is as it was', async (t) => {
  const { tree, expected } = await madeStore();
  let memory = new MemoryVfs();
  const create = (): MemoryVfs => (memory = MemoryVfs.fromTree(tree));
  const failed = await faultLoop(
    async ({ vfs }) => {
      const aside = new LockAsideVfs(vfs);
      let copied = false;
      const engine = await attempt(() => open(aside, '/store', 3000));
      if (engine !== undefined) {
        // A failure to store the time changes no answer.
        assert.equal(await engine.get(EXPIRED), undefined);
        copied = (await attempt(() => engine.backup('/copy'))) !== undefined;
        await attempt(() => engine.compact());
        const state = await attempt(async () => stateOfStore(engine));
        assert.ok(state === undefined || sameState(state, expected), 'the store that is open');
        await attempt(() => engine.close());
      }
      for (const directory of copied ? ['/store', '/copy'] : ['/store']) {
        const again = await open(new LockAsideVfs(memory), directory, 3000);
        assert.ok(sameState(stateOfStore(again), expected), directory);
        assert.deepEqual((await again.verify()).damage, []);
        await again.close();
      }
    },
    { create, kinds: KINDS },
  );
  for (const [kind, count] of failed) assert.ok(count > 0, kind);
  t.diagnostic([...failed].map(([kind, count]) => `${kind} ${count}`).join(', '));
});
