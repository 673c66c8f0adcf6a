/**
 * Making a backup, under the laboratory: whether a power cut or a kill ends it, there is no store in its directory, and
 * nobody can take what is there for the place of a new one, or there is all of it.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { EngineKind } from '../../src/engine/engine-kind.ts';
import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { DISK_ENGINES } from '../../src/level/engine-registry.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { textBatch, textEntries } from '../support/lsm-stores.ts';

const ENTRIES = { a: '1', b: 'two'.repeat(40), k: '' };

function dispatchOf(vfs: Vfs): SyncDispatch {
  return new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
}

/** A disk with a store, and nothing else. */
async function backingUp(kind: EngineKind): Promise<CrashTest> {
  const vfs = new MemoryVfs();
  const before = await kind.open('/live', { dispatch: dispatchOf(vfs) });
  await before.write(textBatch(ENTRIES));
  await before.close();
  vfs.mkdirSync('/copies');
  return {
    tree: vfs.toTree(),
    workload: async (disk, { mark }) => {
      const engine = await kind.open('/live', { dispatch: dispatchOf(new LockAsideVfs(disk)) });
      await engine.backup('/copies/one');
      mark('made');
      await engine.close();
    },
    check: (disk, { marks }) => judge(kind, new LockAsideVfs(disk), marks.length > 0),
  };
}

async function judge(kind: EngineKind, vfs: Vfs, isMade: boolean): Promise<void> {
  const dispatch = dispatchOf(vfs);
  // A file that nobody has given its name yet is nobody's: with no other one, nothing has been begun.
  const all = await vfs.readDirectory('/copies/one').catch(() => []);
  const names = all.filter(({ name }) => !name.startsWith('.holdfast-'));
  if (names.length > 0 && (await kind.holds('/copies/one', { dispatch }))) {
    const opened = await kind.open('/copies/one', { dispatch, createIfMissing: false });
    assert.deepEqual(await textEntries(opened), Object.entries(ENTRIES));
    await opened.close();
    return;
  }
  assert.equal(isMade, false, 'the backup that was made is not there');
  if (names.length === 0) return;
  const engine = kind.name as 'bitcask' | 'btree';
  const opening = new HoldfastLevel('/copies/one', { engine, dispatch }).open();
  await assert.rejects(opening, { code: 'LEVEL_DATABASE_NOT_OPEN' });
}

// An LSM store refuses tables without the file that names them; its backups are in its stories.
for (const kind of DISK_ENGINES.filter(({ name }) => name !== 'lsm')) {
  test(`a backup of a ${kind.name} store is whole or no store after every power cut`, async () => {
    await assertCrashSafe({ ...(await backingUp(kind)), models: ['posix'], budget: 1000 });
  });
}
