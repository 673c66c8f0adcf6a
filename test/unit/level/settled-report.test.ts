/** Verifying what another process writes: what is reported as damage, and what was only a moment. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { ProgressOptions, VerifyReport } from '../../../src/engine/engine-reports.ts';
import { settledReport } from '../../../src/level/settled-report.ts';
import { verifyStore } from '../../../src/level/store-places.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import { textBatch } from '../../support/lsm-stores.ts';

/** Looks of which each finds what is given for it, at byte 7 of a file of that name. */
function looks(...found: string[][]): {
  readonly look: (options: ProgressOptions) => Promise<VerifyReport>;
  readonly left: string[][];
} {
  const left = [...found];
  const look = ({ onProgress }: ProgressOptions): Promise<VerifyReport> => {
    const names = left.shift() ?? assert.fail('no look more was expected');
    onProgress?.({ phase: 'reading', done: 3, total: 5, unit: 'bytes' });
    onProgress?.({ phase: 'reading', done: 5, total: 5, unit: 'bytes' });
    const damage = names.map((path) => ({ path, offset: 7, message: 'wrong' }));
    const entries = names.length === 0 ? 4 : undefined;
    return Promise.resolve({ sound: names.length === 0, files: 1, bytes: 2, entries, damage });
  };
  return { look, left };
}

for (const { name, found, reported } of [
  { name: 'a sound store is looked at once', found: [[]], reported: [] },
  {
    name: 'damage is looked at twice and reported',
    found: [
      ['a', 'b'],
      ['a', 'b'],
    ],
    reported: ['a', 'b'],
  },
  { name: 'what a second look does not find is no damage', found: [['a'], ['b']], reported: [] },
  {
    name: 'what stays while the rest changes is damage',
    found: [['a', 'x'], ['a', 'y'], ['a'], ['a']],
    reported: ['a'],
  },
  {
    name: 'where something always changes the looks end, and what all of them found is reported',
    found: ['u', 'v', 'w', 'x', 'y', 'z'].map((each) => ['a', each]),
    reported: ['a'],
  },
]) {
  test(name, async () => {
    const { look, left } = looks(...found);
    const done: number[] = [];
    const report = await settledReport(look, { onProgress: (each) => done.push(each.done) });
    assert.deepEqual(
      report.damage.map(({ path }) => path),
      reported,
    );
    assert.equal(report.sound, reported.length === 0);
    assert.deepEqual(left, []);
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
      'progress never goes back',
    );
  });
}

/** Calls `hook` ahead of the first time that a table is opened. */
class BeforeTables extends ForwardingVfs {
  hook: (() => Promise<unknown>) | null = null;

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const { hook } = this;
    if (call.name === 'open' && call.path.endsWith('.ldb')) {
      this.hook = null;
      await hook?.();
    }
    return run(call);
  }
}

test('tables that a compaction removes while they are verified are not damaged', async () => {
  const memory = new MemoryVfs();
  const engine = await lsmKind.open('/store', { dispatch: new SyncDispatch(memory) });
  await engine.write(textBatch({ a: '1' }));
  await engine.compact();
  await engine.write(textBatch({ a: '2' }));
  const vfs = new BeforeTables(memory);
  vfs.hook = () => engine.compact();
  const { sound, damage } = await verifyStore('/store', { dispatch: new SyncDispatch(vfs) });
  assert.equal(vfs.hook, null, 'it was removed in between');
  assert.deepEqual({ sound, damage }, { sound: true, damage: [] });
  await engine.close();
});
