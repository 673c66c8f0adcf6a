/** What each call of a log asks of the disk, counted: syncs that nothing needs would show here and in no crash. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { MeteredVfs } from '../../../src/vfs/metered-vfs.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const RECORD = new Uint8Array(100).fill(1);
const NONE = { writes: 0, bytes: 0, files: 0, names: 0, removed: 0 };

function machine() {
  const vfs = new MeteredVfs(new MemoryVfs());
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  /** What `run` has asked for: writes, syncs of bytes, of whole files, of names; names removed. */
  const work = async (run: () => Promise<unknown>): Promise<typeof NONE> => {
    vfs.reset();
    await run();
    return {
      writes: vfs.count('file.write'),
      bytes: vfs.count('file.datasync'),
      files: vfs.count('file.sync'),
      names: vfs.count('directory.sync'),
      removed: vfs.count('unlink'),
    };
  };
  const open = (): Promise<WriteAheadLog> =>
    WriteAheadLog.open('/log', { dispatch, clock: new ManualClock() });
  return { work, open };
}

test('the work of a log’s life, from the first open to the last close', async () => {
  const { work, open } = machine();
  const logs: WriteAheadLog[] = [];
  const log = (): WriteAheadLog => logs.at(-1)!;
  const opening = (): Promise<unknown> => open().then((opened) => logs.push(opened));
  const together = (): Promise<unknown> =>
    Promise.all(Array.from({ length: 64 }, () => log().append(RECORD)));
  const seen: Record<string, typeof NONE> = {
    made: await work(opening),
    'one append': await work(() => log().append(RECORD)),
    '64 appends': await work(together),
    'sync of what is durable': await work(() => log().sync()),
    rotation: await work(() => log().rotate()),
    'rotation of nothing': await work(() => log().rotate()),
    checkpoint: await work(() => log().checkpoint(1)),
    'truncation of one': await work(() => log().truncate(65)),
    'truncation of nothing': await work(() => log().truncate(65)),
    close: await work(() => log().close()),
    'opened again': await work(opening),
  };
  await log().close();
  assert.deepEqual(seen, {
    // The lock, the segment by way of its temporary file, the pointer; its directory's own name.
    made: { writes: 3, bytes: 1, files: 1, names: 3, removed: 0 },
    'one append': { ...NONE, writes: 1 },
    '64 appends': { ...NONE, writes: 1 },
    'sync of what is durable': NONE,
    // The name of the new file, and the pointer: its bytes and its name.
    rotation: { writes: 1, bytes: 0, files: 1, names: 2, removed: 0 },
    'rotation of nothing': { ...NONE, writes: 1 },
    checkpoint: { ...NONE, writes: 1 },
    // The pointer, and the directory once for all that are removed.
    'truncation of one': { writes: 1, bytes: 0, files: 1, names: 2, removed: 1 },
    'truncation of nothing': NONE,
    // The watermark; and the lock goes.
    close: { ...NONE, writes: 1, removed: 1 },
    // As the first time, and the pointer says already what it has to.
    'opened again': { writes: 3, bytes: 1, files: 0, names: 2, removed: 0 },
  });
});
