/** `Engine.clear` for any engine: reads the keys of a range and deletes them, batch by batch. */

import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { Engine } from './engine.ts';
import type { EntrySink } from './entry-iterator.ts';
import type { ClearOptions } from './key-range.ts';
import { WriteBatch } from './write-batch.ts';

/** Bounds of one batch. */
const BATCH_ENTRIES = 1000;
const BATCH_KEY_BYTES = 1 << 20;

/**
 * Deletes what a range has now (or in `options.snapshot`). All batches but the last are written
 * under `'none'`: commit order makes them durable with the last one, which has the policy asked for.
 */
export async function clearRange(
  engine: Pick<Engine, 'iterator' | 'write'>,
  options: ClearOptions,
  policy: SyncPolicy | undefined,
): Promise<void> {
  const iterator = engine.iterator({ ...options, values: false, fillCache: false });
  try {
    let batch = new WriteBatch();
    const sink: EntrySink = {
      entry: (keys, start, end) => batch.delete(keys.subarray(start, end)),
    };
    while ((await iterator.read(sink, BATCH_ENTRIES, BATCH_KEY_BYTES)) > 0) {
      const full = batch;
      batch = new WriteBatch();
      await engine.write(full, 'none');
    }
    // An empty batch waits for all before it, as the policy says.
    await engine.write(batch, policy);
  } finally {
    iterator.close();
  }
}
