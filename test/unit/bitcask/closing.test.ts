/** Long work on a store that is being closed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { ProgressOptions } from '../../../src/engine/engine-reports.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

const WORK: [name: string, run: (store: Engine, options: ProgressOptions) => Promise<unknown>][] = [
  ['backup', (store, options) => store.backup('/copy', options)],
  ['verify', (store, options) => store.verify(options)],
];

for (const [name, run] of WORK) {
  test(`close ends a ${name} under way before it closes the files that it reads`, async () => {
    const dispatch = new SyncDispatch(new MemoryVfs());
    const store = await bitcaskKind.open('/store', { dispatch, maxFileSize: 4096, merge: false });
    for (let i = 0; i < 40; i++) {
      await store.write(WriteBatch.put(Buffer.from(`k${i}`), Buffer.alloc(1000)), 'none');
    }
    let closing: Promise<void> | undefined;
    const onProgress = (): void => {
      // The first of many files is being read.
      closing ??= store.close();
    };
    await assert.rejects(run(store, { onProgress }), { code: 'HOLDFAST_CLOSED' });
    assert.notEqual(closing, undefined);
    await closing;
    const again = await bitcaskKind.open('/store', { dispatch });
    assert.equal((await again.verify()).entries, 40);
    await again.close();
  });
}
