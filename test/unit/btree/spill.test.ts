/** Old versions of pages in the file beside: checked as any page, and kept within memory's bound whatever failed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';

const SPILL = '/store/old-pages.tmp';
const COUNT = 3000;

function opened(vfs: Vfs): Promise<Engine> {
  return Promise.resolve(
    btreeKind.open('/store', { dispatch: new SyncDispatch(vfs), cacheSize: 1 }),
  );
}

function keyOf(index: number): Buffer {
  return Buffer.from(String(index).padStart(5, '0'));
}

/** Four entries a page. */
function all(byte: number): WriteBatch {
  const batch = new WriteBatch();
  for (let index = 0; index < COUNT; index++) batch.put(keyOf(index), Buffer.alloc(900, byte));
  return batch;
}

test('a page of a snapshot that is damaged in the file beside is never taken for what was there', async () => {
  const memory = new MemoryVfs();
  const engine = await opened(memory);
  await engine.write(all(1), 'none');
  const snapshot = engine.snapshot();
  await engine.write(all(2), 'none');
  await engine.write(WriteBatch.put(keyOf(0), Buffer.alloc(900, 3)), 'none');
  const file = memory.openSync(SPILL, { write: true });
  const { size } = file.statSync();
  assert.ok(size > 100 * 4096, `${size} bytes`);
  // A byte of a value in every page.
  for (let at = 4096 - 100; at < size; at += 4096) file.writeSync(Buffer.from([9]), 0, 1, at);
  file.closeSync();
  let damaged = 0;
  for (let index = 0; index < COUNT; index++) {
    const read = async (): Promise<Buffer | undefined> => {
      const options = { snapshot };
      return index % 2 === 0
        ? engine.getSync(keyOf(index), options)
        : engine.get(keyOf(index), options);
    };
    try {
      assert.deepEqual(await read(), Buffer.alloc(900, 1));
    } catch (error) {
      const { code, path } = error as { readonly code?: string; readonly path?: string };
      assert.deepEqual({ code, path }, { code: 'HOLDFAST_CORRUPTION', path: SPILL });
      damaged++;
    }
  }
  assert.ok(damaged > COUNT / 2, `${damaged} reads`);
  snapshot.release();
  await engine.close();
});

test('old versions that found no room in the file beside go there when there is room', async () => {
  const fault = new FaultVfs(new MemoryVfs());
  const engine = await opened(fault);
  await engine.write(all(1), 'none');
  const snapshot = engine.snapshot();
  const bytes = (): number => Number(engine.stats().details['oldVersionBytes']);
  await engine.write(all(2), 'none');
  const more = WriteBatch.put(keyOf(0), Buffer.alloc(900, 3));
  fault.inject({ kind: 'ENOSPC', path: /old-pages/, calls: ['file.write'], times: Infinity });
  for (let attempt = 0; attempt < 400; attempt++) {
    const write = async (): Promise<void> => {
      if (attempt % 2 === 0) engine.writeSync(more, 'none');
      else await engine.write(more, 'none');
    };
    await assert.rejects(write, { code: 'ENOSPC' });
  }
  fault.clear();
  await engine.write(more, 'none');
  assert.ok(bytes() <= 256 * 1024, `${bytes()} bytes`);
  for (let index = 0; index < COUNT; index += 50) {
    assert.equal(engine.getSync(keyOf(index), { snapshot })?.[0], 1);
  }
  snapshot.release();
  await engine.close();
});
