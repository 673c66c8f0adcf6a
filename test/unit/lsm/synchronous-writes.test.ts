/**
 * A thread that only makes synchronous calls and never lets go: the background can answer it
 * nothing, and memory, logs and descriptors stay bounded all the same.
 */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { EngineStats } from '../../../src/engine/engine-reports.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import { openOn, textBatch, textEntries } from '../../support/lsm-stores.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const BUFFER = 16 << 10;

function write(engine: Engine, first: number, count: number): void {
  for (let number = first; number < first + count; number++) {
    engine.writeSync(textBatch({ [`k${number}`]: 'v'.repeat(1000) }), 'none');
  }
}

async function requireAll(engine: Engine, count: number): Promise<void> {
  const keys = (await textEntries(engine)).map(([key]) => key);
  const expected = Array.from({ length: count }, (_, number) => `k${number}`);
  assert.deepEqual(keys, expected.toSorted());
}

test('a loop of synchronous writes does not fill memory, nor the directory with logs', async (scope) => {
  const directory = join(temporaryDirectory(scope), 'store');
  const options = { writeBufferSize: BUFFER, cacheSize: 0 };
  const engine = await lsmKind.open(directory, options);
  for (let round = 0; round < 20; round++) {
    write(engine, round * 40, 40);
    // Two memtables: one that is full, one that is twice as full, and what their arrays have to spare.
    const { memoryBytes } = engine.stats();
    assert.ok(memoryBytes < 8 * BUFFER, `${memoryBytes} bytes after ${round} rounds`);
    const logs = readdirSync(directory).filter((name) => name.endsWith('.log'));
    assert.ok(logs.length <= 4, logs.join());
  }
  await requireAll(engine, 800);
  await engine.close();
  const again = await lsmKind.open(directory, options);
  await requireAll(again, 800);
  const { damage } = await again.verify();
  assert.deepEqual(damage, []);
  await again.close();
});

test('what the background began and a synchronous writer overtook is done once', async () => {
  const vfs = new MemoryVfs();
  const engine = await openOn(vfs, { writeBufferSize: BUFFER, maxFileSize: BUFFER });
  // The flush begins on the way of the awaited calls, and their end is overtaken.
  const waiting = Array.from({ length: 30 }, async (_, number) =>
    engine.write(textBatch({ [`k${number}`]: 'v'.repeat(1000) }), 'sync'),
  );
  write(engine, 30, 200);
  await Promise.all(waiting);
  await requireAll(engine, 230);
  await engine.compact();
  await requireAll(engine, 230);
  const requireNoMore = ({ files }: EngineStats): void => {
    const names = vfs.readDirectorySync('/store').map(({ name }) => name);
    const stored = names.filter((name) => /^[A-Z0-9]/.test(name));
    assert.ok(stored.length <= files, `${stored.join()} for ${files} files`);
  };
  const figures = engine.stats();
  await engine.close();
  requireNoMore(figures);
  const again = await openOn(vfs, { writeBufferSize: BUFFER });
  await requireAll(again, 230);
  // The manifest and the log of before have gone.
  requireNoMore(again.stats());
  await again.close();
});

/** Runs something in the middle of an asynchronous write of the manifest. */
class AtManifest extends ForwardingVfs {
  run: (() => void) | null = null;

  override intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const done = run(call);
    const mine = this.run;
    if (mine !== null && call.name === 'file.write' && /MANIFEST/.test(call.path)) {
      this.run = null;
      mine();
    }
    return done;
  }
}

test('an edit that is on its way is not made again by the writer who overtakes it', async () => {
  const inner = new MemoryVfs();
  const vfs = new AtManifest(inner);
  const engine = await openOn(vfs, { writeBufferSize: BUFFER, maxFileSize: BUFFER });
  let overtook = 0;
  vfs.run = () => {
    write(engine, 100, 80);
    overtook++;
  };
  for (let number = 0; number < 100; number++) {
    await engine.write(textBatch({ [`k${number}`]: 'v'.repeat(1000) }), 'none');
  }
  assert.equal(overtook, 1);
  const expected = 180;
  await requireAll(engine, expected);
  await engine.compact();
  await requireAll(engine, expected);
  await engine.close();
  const again = await openOn(inner, { writeBufferSize: BUFFER });
  await requireAll(again, expected);
  const { damage } = await again.verify();
  assert.deepEqual(damage, []);
  await again.close();
});

test('a full disk refuses the synchronous writer, and it goes on once there is room', async () => {
  const inner = new MemoryVfs();
  const vfs = new FaultVfs(inner, { kind: 'ENOSPC', nth: 1, times: 2, path: /\.ldb$/ });
  const engine = await lsmKind.open('/store', {
    writeBufferSize: BUFFER,
    dispatch: new SyncDispatch(vfs),
  });
  const kept: string[] = [];
  let refused = 0;
  for (let number = 0; number < 150; number++) {
    try {
      engine.writeSync(textBatch({ [`k${number}`]: 'v'.repeat(1000) }), 'none');
      kept.push(`k${number}`);
    } catch (error) {
      const { code, outcome } = error as { code?: string; outcome?: string };
      assert.deepEqual([code, outcome], ['ENOSPC', 'old']);
      refused++;
    }
  }
  assert.ok(refused > 0 && refused <= 2, `${refused} refused`);
  const shown = (await textEntries(engine)).map(([key]) => key);
  assert.deepEqual(shown, kept.toSorted());
  await engine.close();
  const again = await openOn(inner);
  const later = (await textEntries(again)).map(([key]) => key);
  assert.deepEqual(later, kept.toSorted());
  await again.close();
});

test('a loop of synchronous writes merges its tables itself once nobody else can', async () => {
  const vfs = new MemoryVfs();
  const options = { writeBufferSize: 2048, maxFileSize: 2048 };
  const engine = await openOn(vfs, options);
  const young = (): number => Number(engine.stats().details['level0Tables'] ?? 0);
  let most = 0;
  for (let number = 0; number < 400; number++) {
    engine.writeSync(textBatch({ [`k${(number * 7919) % 400}`]: 'v'.repeat(500) }), 'none');
    most = Math.max(most, young());
  }
  assert.ok(most >= 30 && most <= 36, `${most} tables in level 0`);
  // What the background began in vain ends in vain, and what it was asked for is done.
  await requireAll(engine, 400);
  await engine.compact();
  assert.equal(young(), 0);
  await requireAll(engine, 400);
  await engine.close();
  const again = await openOn(vfs, options);
  await requireAll(again, 400);
  assert.deepEqual((await again.verify()).damage, []);
  const names = vfs.readDirectorySync('/store').map(({ name }) => name);
  const tables = names.filter((name) => name.endsWith('.ldb'));
  assert.equal(tables.length, again.stats().files - 3, 'no table is left over');
  await again.close();
});

test('a synchronous writer that takes the next log refuses nobody who waits for room', async () => {
  // The other writer waits for the next log at some of these moments, and it is taken in just that one.
  for (let moment = 0; moment < 30; moment++) {
    const engine = await openOn(new MemoryVfs(), { clock: new ManualClock() });
    const writes: unknown[] = [];
    const put = (length: number): void => {
      writes.push(engine.write(textBatch({ a: 'x'.repeat(length) }), 'none'));
    };
    const putSync = (length: number): void => {
      engine.writeSync(textBatch({ a: 'x'.repeat(length) }), 'none');
    };
    put(700);
    put(700);
    putSync(700);
    put(3000);
    for (let tick = 0; tick < moment; tick++) await Promise.resolve();
    putSync(9000);
    put(3000);
    await Promise.all(writes);
    assert.equal((await textEntries(engine))[0]?.[1].length, 3000);
    await engine.close();
  }
});
