/**
 * Backup, compaction and repair of the LSM engine under faults: every call failing in turn, and a
 * disk that is full while tables are merged. Writing and flushing are in `lsm-engine.test.ts`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RepairReport } from '../../src/engine/engine-reports.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { FaultVfs } from '../../src/vfs/fault-vfs.ts';
import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { faultLoop } from '../support/fault-loop.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { openOn, textBatch, textEntries } from '../support/lsm-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';

const KINDS = ['EIO', 'ENOSPC', 'EMFILE', 'failed-sync'] as const;

/** A closed store of three tables and a log. */
async function closedStore(): Promise<{ tree: FileTreeDirectory; entries: [string, string][] }> {
  const vfs = new MemoryVfs();
  const engine = await openOn(new LockAsideVfs(vfs));
  for (let number = 0; number < 3; number++) {
    await engine.write(textBatch({ [`k${number}`]: 'v'.repeat(1100), last: `${number}` }), 'none');
  }
  await engine.compact();
  await engine.write(textBatch({ k1: undefined, k9: 'new' }), 'sync');
  const entries = await textEntries(engine);
  await engine.close();
  return { tree: vfs.toTree(), entries };
}

async function entriesAt(vfs: Vfs, directory: string): Promise<[string, string][]> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs));
  const engine = await lsmKind.open(directory, { dispatch, createIfMissing: false });
  try {
    return await textEntries(engine);
  } finally {
    await engine.close();
  }
}

/** The code of an error, which it must have. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: string };
  assert.ok(typeof code === 'string', `an error without a code: ${String((error as Error).stack)}`);
  return code;
}

test('a backup of which a call fails is told, and never taken for one', async () => {
  const { tree, entries } = await closedStore();
  let inner = new MemoryVfs();
  const failed = await faultLoop(
    async ({ vfs }) => {
      const engine = await openOn(new LockAsideVfs(vfs), { clock: new ManualClock() });
      const told = await engine.backup('/copy').then(
        () => null,
        (error: unknown) => codeOf(error),
      );
      await engine.close().catch(codeOf);
      assert.deepEqual(await entriesAt(inner, '/store'), entries);
      const copied = await entriesAt(inner, '/copy').catch((error: unknown) => codeOf(error));
      if (told === null) assert.deepEqual(copied, entries);
      else if (typeof copied !== 'string') assert.deepEqual(copied, entries, told);
    },
    {
      kinds: KINDS,
      // What opening does is the other loop's.
      fault: { path: /copy/ },
      create: () => (inner = MemoryVfs.fromTree(tree)),
    },
  );
  for (const count of failed.values()) assert.ok(count > 0, `${count} calls`);
});

test('a repair of which a call fails is done by the next one', async () => {
  const { tree } = await closedStore();
  const damaged = MemoryVfs.fromTree(tree);
  const table = damaged.readDirectorySync('/store').find(({ name }) => name.endsWith('.ldb'))!;
  const file = damaged.openSync(`/store/${table.name}`, { write: true });
  file.writeSync(Uint8Array.of(0xff, 0xff, 0xff), 0, 3, 3);
  file.closeSync();
  const start = damaged.toTree();
  const repair = (vfs: Vfs): Promise<RepairReport> =>
    lsmKind.repair('/store', { dispatch: new SyncDispatch(new LockAsideVfs(vfs)) });
  const whole = MemoryVfs.fromTree(start);
  await repair(whole);
  const saved = await entriesAt(whole, '/store');
  assert.ok(saved.length > 0);
  let inner = new MemoryVfs();
  const failed = await faultLoop(
    async ({ vfs, fault }) => {
      const told = await repair(vfs).catch((error: unknown) => codeOf(error));
      if (typeof told === 'string') await repair(inner);
      // A device that cannot give bytes has lost them: the report says so, and the store has less.
      else if (told.damage.some(({ message }) => message.includes('EIO'))) {
        assert.equal(fault.kind, 'EIO');
        return;
      }
      assert.deepEqual(await entriesAt(inner, '/store'), saved);
    },
    { kinds: KINDS, create: () => (inner = MemoryVfs.fromTree(start)) },
  );
  for (const count of failed.values()) assert.ok(count > 0, `${count} calls`);
});

test('a disk that is full while tables are merged loses nothing, and merging goes on with room', async () => {
  const { tree, entries } = await closedStore();
  const inner = MemoryVfs.fromTree(tree);
  const tables = (): number =>
    inner.readDirectorySync('/store').filter(({ name }) => name.endsWith('.ldb')).length;
  // The flush of what the log held is done, the tables of the merge have no room.
  const vfs = new FaultVfs(inner, { kind: 'ENOSPC', nth: 4, times: 3, path: /\.ldb$/ });
  const engine = await openOn(new LockAsideVfs(vfs), { clock: new ManualClock() });
  const before = tables();
  let refused = 0;
  for (let attempt = 0; attempt < 5; attempt++) {
    await engine.compact().catch((error: unknown) => {
      assert.equal(codeOf(error), 'ENOSPC');
      refused++;
      // What was begun is gone: a full disk is not filled further.
      assert.equal(tables(), before);
    });
  }
  assert.equal(vfs.injected.length, 3);
  assert.ok(refused > 0 && refused <= 3, `${refused} refused`);
  await engine.write(textBatch({ z: 'more' }), 'sync');
  const expected = [...entries, ['z', 'more']];
  assert.deepEqual(await textEntries(engine), expected);
  await engine.close();
  assert.deepEqual(await entriesAt(inner, '/store'), expected);
});
