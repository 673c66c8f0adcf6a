/** How a store closes whose disk has failed: everything is given back, and the failure is told. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { HoldfastLevel } from '../../../src/index.ts';
import { DISK_ENGINES } from '../../../src/level/engine-registry.ts';
import type { EngineName } from '../../../src/level/engine-registry.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';

const OPENS: readonly string[] = ['open', 'openDirectory'];
const CLOSES: readonly string[] = ['file.close', 'directory.close'];

/** Knows what is open. */
class OpenPaths extends ForwardingVfs {
  readonly paths: string[] = [];

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const result = await run(call);
    this.#note(call);
    return result;
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    const result = run(call);
    this.#note(call);
    return result;
  }

  #note({ name, path }: VfsCall): void {
    if (OPENS.includes(name)) this.paths.push(path);
    else if (CLOSES.includes(name)) this.paths.splice(this.paths.indexOf(path), 1);
  }
}

for (const { name } of DISK_ENGINES) {
  const engine = name as EngineName;
  describe(`a store of the engine ${name} whose disk has failed`, () => {
    for (const sync of ['sync', 'none'] as const) {
      it(`closes and says so, under the policy ${sync}`, async () => {
        const memory = new MemoryVfs();
        const opened = new OpenPaths(memory);
        const vfs = new FaultVfs(opened);
        const open = async (): Promise<HoldfastLevel> => {
          const dispatch = new SyncDispatch(vfs);
          const db = new HoldfastLevel('/store', { engine, sync, dispatch });
          await db.open();
          return db;
        };
        const first = await open();
        await first.put('kept', '1', { sync: true });
        const events: string[] = [];
        first.on('closed', () => events.push('closed'));
        vfs.inject({ kind: 'failed-sync', times: Infinity });
        vfs.inject({ kind: 'EIO', calls: ['file.write'], times: Infinity });
        const put = first.put('doubtful', '2');
        if (sync === 'sync') await assert.rejects(put);
        else await put.catch(() => 'written at once, or later');
        await assert.rejects(first.close(), { code: 'HOLDFAST_POISONED' });
        assert.equal(first.status, 'closed');
        assert.deepEqual(events, ['closed']);
        assert.deepEqual(opened.paths, [], 'what was open is closed');
        // It has been told.
        await first.close();
        vfs.clear();
        const second = await open();
        assert.equal(await second.get('kept'), '1');
        await second.close();
        // The same object too can be opened again.
        await first.open();
        assert.equal(await first.get('kept'), '1');
        await first.close();
        assert.deepEqual(opened.paths, []);
      });
    }
  });
}
