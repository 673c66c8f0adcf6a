/** Files longer than what one call can read (2 GiB): nothing takes them whole. */

import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import { dataFileFormat } from '../../../src/cli/formats/bitcask-format.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import type { FileStat } from '../../../src/vfs/vfs.ts';
import { batchOfLabel, stateOfStore } from '../../support/engine-commit.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const LOG = '/store/0000000001.data';
const LOG_BYTES = 2 ** 31 + 2 ** 20;
const CALL_BYTES_MAX = 2 ** 31 - 1;

/** Shows one file with zeros behind its end, which take no memory. */
class LongTailVfs extends ForwardingVfs {
  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const result = await run(call);
    if (call.path !== LOG) return result;
    if (call.name === 'file.stat') return { ...(result as FileStat), size: LOG_BYTES } as T;
    if (call.name !== 'file.read' || call.transfer === undefined) return result;
    const { buffer, offset, length, position } = call.transfer;
    assert.ok(length <= CALL_BYTES_MAX, 'no call reads so much');
    const count = Math.min(length, LOG_BYTES - position);
    buffer.fill(0, offset + (result as number), offset + count);
    return count as T;
  }
}

/** A store whose process was killed. */
async function left(): Promise<MemoryVfs> {
  const memory = new MemoryVfs();
  const dispatch = new SyncDispatch(new LockAsideVfs(memory));
  const engine = await bitcaskKind.open('/store', { dispatch, preallocateBytes: 0 });
  for (const label of ['1:a=3', '2:b=3']) await engine.write(batchOfLabel(label), 'sync');
  const tree = memory.toTree();
  await engine.close();
  return MemoryVfs.fromTree(tree);
}

for (const repaired of [false, true]) {
  const made = repaired ? 'repaired' : 'verified and opened';
  test(`a store with a log of more than 2 GiB is ${made}`, async () => {
    const memory = await left();
    const dispatch = new SyncDispatch(new LongTailVfs(new LockAsideVfs(memory)));
    if (repaired) {
      const report = await bitcaskKind.repair?.('/store', { dispatch });
      assert.deepEqual([report?.savedEntries, report?.damage], [2, []]);
    } else {
      const report = await bitcaskKind.verify('/store', { dispatch });
      assert.deepEqual([report.sound, report.entries, report.damage], [true, 2, []]);
    }
    const engine = await bitcaskKind.open('/store', { dispatch, preallocateBytes: 0 });
    assert.deepEqual(engine.recovery.dropped, []);
    assert.equal(stateOfStore(engine).size, 2);
    await engine.close();
  });
}

test('a data file of more than 2 GiB is shown', async (t) => {
  const memory = await left();
  const directory = `${temporaryDirectory(t)}/store`;
  const path = `${directory}/0000000001.data`;
  mkdirSync(directory);
  writeFileSync(path, readWholeFileSync(memory, LOG));
  truncateSync(path, LOG_BYTES);
  const dumping = dataFileFormat.dump(path, () => undefined);
  const kinds: string[] = [];
  let step = dumping.next();
  for (; step.done !== true; step = dumping.next()) kinds.push(step.value.kind);
  assert.deepEqual(kinds, ['put', 'put']);
  assert.deepEqual([step.value.damage, step.value.torn], [[], []]);
});
