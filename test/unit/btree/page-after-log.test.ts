/**
 * A page is written in place only when the log is durable up to the page's last change, under every policy. No crash
 * shows the order where a checkpoint keeps it, so it is counted: at each write of pages, the log as a power cut would
 * leave it, if nothing but what was synced had arrived, must have the last change of each of them.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import type { BtreeOptions } from '../../../src/btree/btree-options.ts';
import { pagePosition } from '../../../src/btree/page-format.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { runNow } from '../../../src/durable/two-forms.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { Transfer, VfsCall } from '../../../src/vfs/vfs-call.ts';
import { inspectWal } from '../../../src/wal/wal-inspection.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { batchOfLabel } from '../../support/engine-commit.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const LOG = '/store/log';
const PAGE_BYTES = 4096;

/** Compares every write of pages with what is durable of the log. */
class OrderVfs extends ForwardingVfs {
  /** Pages written, and those of them that the durable log did not know yet. */
  pages = 0;
  readonly early: string[] = [];
  /** Handles whose writes are synced by themselves. */
  readonly #syncing = new Set<unknown>();
  /** Bytes of each inode of the log as of its last sync, by inode number. */
  readonly #durable = new Map<bigint, Uint8Array>();

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    // Every call takes its time, so that commits come between the steps of a checkpoint.
    await nextTurn();
    this.#before(call);
    const result = await run(call);
    this.#after(call, result);
    return result;
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    this.#before(call);
    const result = run(call);
    this.#after(call, result);
    return result;
  }

  #before({ name, path, transfer }: VfsCall): void {
    if (name !== 'file.write' || !path.endsWith('/tree.pages') || transfer === undefined) return;
    const durable = this.#durableSequence();
    for (const position of positionsIn(transfer)) {
      this.pages++;
      if (position > durable) this.early.push(`a change of ${position}, durable is ${durable}`);
    }
  }

  #after({ name, path, handle, options }: VfsCall, result: unknown): void {
    if (!path.startsWith(LOG)) return;
    if (name === 'open' && options?.sync !== undefined) this.#syncing.add(result);
    const isSync = name === 'file.datasync' || name === 'file.sync';
    if (!isSync && !(name === 'file.write' && this.#syncing.has(handle))) return;
    this.#durable.set(this.inner.statSync(path).inode, readWholeFileSync(this.inner, path).slice());
  }

  /** What recovery would find. Names count as they are: here it is about bytes. */
  #durableSequence(): number {
    const disk = new MemoryVfs();
    disk.mkdirSync('/store');
    disk.mkdirSync(LOG);
    for (const { name } of this.inner.readDirectorySync(LOG)) {
      const bytes = this.#durable.get(this.inner.statSync(`${LOG}/${name}`).inode);
      const file = disk.openSync(`${LOG}/${name}`, { write: true, create: true });
      if (bytes !== undefined && bytes.length > 0) file.writeSync(bytes, 0, bytes.length, 0);
      file.closeSync();
    }
    return runNow(inspectWal(disk, LOG)).lastSequence;
  }
}

function positionsIn({ buffer, offset, length }: Transfer): number[] {
  const positions: number[] = [];
  for (let at = offset; at < offset + length; at += PAGE_BYTES) {
    positions.push(pagePosition(buffer.subarray(at, at + PAGE_BYTES)));
  }
  return positions;
}

async function opened(vfs: Vfs, options: BtreeOptions): Promise<Engine> {
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  return btreeKind.open('/store', { clock: new ManualClock(), ...options, dispatch });
}

for (const policy of ['none', 'batch', 'sync'] as const) {
  test(`pages are written behind the sync of the log, under '${policy}'`, async () => {
    const vfs = new OrderVfs(new MemoryVfs());
    const engine = await opened(vfs, { checkpoint: { logBytes: 1 } });
    const all: Promise<void>[] = [];
    for (let round = 0; round < 40; round++) {
      const batch = batchOfLabel(`${round}:k*60=${100 + round},a=${round}`);
      all.push(Promise.resolve(engine.write(batch, policy)));
      for (let turn = 0; turn <= round % 13; turn++) await nextTurn();
    }
    await Promise.all(all);
    await engine.close();
    assert.deepEqual(vfs.early, []);
    assert.ok(vfs.pages > 20, `${vfs.pages} pages`);
  });
}

test('pages that a thread writes that never waits come behind the sync of the log', async () => {
  const vfs = new OrderVfs(new MemoryVfs());
  const engine = await opened(vfs, { cacheSize: 1 });
  engine.writeSync(batchOfLabel('0:a=10,k*9=100'), 'none');
  engine.writeSync(batchOfLabel('1:p=1000000'), 'none');
  const before = vfs.pages;
  engine.writeSync(batchOfLabel('2:k*5-'), 'none');
  assert.ok(vfs.pages > before + 100, `${vfs.pages} pages`);
  await engine.close();
  assert.deepEqual(vfs.early, []);
});

test('pages that redo writes come behind the sync of the log that a killed process has left', async () => {
  const vfs = new OrderVfs(new MemoryVfs());
  const killable = new KillableVfs(new LockAsideVfs(vfs));
  const engine = await opened(killable, {});
  engine.writeSync(batchOfLabel('0:p=600000'), 'none');
  killable.kill();
  const before = vfs.pages;
  const again = await opened(new LockAsideVfs(vfs), { cacheSize: 1 });
  assert.ok(vfs.pages > before + 100, `${vfs.pages} pages`);
  assert.deepEqual(vfs.early, []);
  await again.close();
});
