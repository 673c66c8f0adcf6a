/**
 * Restoring a backup, under the laboratory: after a power cut anywhere there is no store, and nobody can take what is
 * there for one, or there is all of it. Then every sync of it is taken away, one at a time.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { EngineKind } from '../../src/engine/engine-kind.ts';
import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { DISK_ENGINES } from '../../src/level/engine-registry.ts';
import { restoreStore } from '../../src/level/restore-store.ts';
import { refuseForeign } from '../../src/level/store-places.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { textBatch, textEntries } from '../support/lsm-stores.ts';
import { mutationRun, survivorsOf } from '../support/mutation-run.ts';

const ENTRIES = { a: '1', b: 'two'.repeat(40), k: '' };

function dispatchOf(vfs: Vfs): SyncDispatch {
  return new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
}

/** A disk with a backup, and nothing else. */
async function restoring(kind: EngineKind): Promise<CrashTest> {
  const vfs = new MemoryVfs();
  const dispatch = dispatchOf(vfs);
  const engine = await kind.open('/live', { dispatch });
  await engine.write(textBatch(ENTRIES));
  await engine.backup('/backup');
  await engine.close();
  await kind.destroy('/live', { dispatch });
  return {
    tree: vfs.toTree(),
    workload: async (disk, { mark }) => {
      await restoreStore('/backup', '/stores/one', {
        dispatch: dispatchOf(new LockAsideVfs(disk)),
      });
      mark('restored');
    },
    check: (disk, { marks }) => judge(kind, new LockAsideVfs(disk), marks.length > 0),
  };
}

async function judge(kind: EngineKind, vfs: Vfs, restored: boolean): Promise<void> {
  const surroundings = { dispatch: dispatchOf(vfs) };
  if (await kind.holds('/stores/one', surroundings)) {
    const opened = await kind.open('/stores/one', { ...surroundings, createIfMissing: false });
    assert.deepEqual(await textEntries(opened), Object.entries(ENTRIES));
    await opened.close();
    return;
  }
  assert.equal(restored, false, 'the store that was restored is not there');
  const names = await vfs.readDirectory('/stores/one').catch(() => []);
  if (names.length === 0) return;
  // Something is there that is no store: it must not be taken for the place of a new one.
  const opening = refuseForeign(kind, '/stores/one', surroundings);
  await assert.rejects(opening, { code: 'HOLDFAST_FOREIGN', message: /restoring/ });
}

/**
 * What needs no order: a chain of directories that nobody else looks for while it is made, and files that count only
 * when the key file has its name.
 */
const UNORDERED = [
  'postponed: fsync in copyFile, #copy',
  'postponed: fsync of / in sync, changeNames',
  'postponed: fsync of /stores in sync, changeNames',
];

/** Of files that are empty in a backup: the log of an LSM store. */
const NOT_NEEDED: Readonly<Record<string, readonly string[]>> = {
  lsm: ['dropped: fsync in copyFile, #copy'],
};

for (const kind of DISK_ENGINES) {
  test(`a restored ${kind.name} store is whole or not there after every power cut`, async () => {
    await assertCrashSafe({ ...(await restoring(kind)), models: ['posix'], budget: 12 });
  });

  // What Bitcask has to sync is a part of what the other two have.
  if (kind.name === 'bitcask') continue;
  test(`every sync of restoring a ${kind.name} store is needed`, async (t: TestContext) => {
    const limits = { models: ['posix'], budget: 40, nested: 0 };
    const mutants = await mutationRun({ ...(await restoring(kind)), ...limits });
    const caught = mutants.filter(({ caughtBy }) => caughtBy !== null);
    t.diagnostic(`${caught.length} of ${mutants.length} mutants caught`);
    if (process.env['HOLDFAST_SHOW'] === '1') t.diagnostic(JSON.stringify(mutants, null, 1));
    const expected = [...UNORDERED, ...(NOT_NEEDED[kind.name] ?? [])];
    assert.deepEqual(survivorsOf(mutants), expected.toSorted());
  });
}
