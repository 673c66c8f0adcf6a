/** Fault loops over the lock and the pointer file: call 1 fails, then call 2, until none does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileChangeError } from '../../src/base/errors.ts';
import { DirectoryLock } from '../../src/durable/lock-file.ts';
import {
  readPointerSync,
  replacePointer,
  replacePointerSync,
} from '../../src/durable/pointer-file.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import type { FaultKind } from '../../src/vfs/fault.ts';
import { FaultVfs } from '../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';

const KINDS: readonly FaultKind[] = ['EIO', 'ENOSPC', 'EMFILE', 'ENOMEM', 'EINTR', 'short-write'];

/** Runs `work` with the nth call failing, for every n, until nothing fails. */
async function loop(
  kind: FaultKind,
  work: (vfs: FaultVfs, memory: MemoryVfs) => Promise<void>,
): Promise<void> {
  for (let nth = 1; ; nth++) {
    const memory = new MemoryVfs();
    memory.mkdirSync('/db');
    const vfs = new FaultVfs(memory);
    vfs.inject({ kind, nth });
    await work(vfs, memory);
    if (vfs.injected.length === 0) return;
  }
}

for (const kind of KINDS) {
  for (const form of ['asynchronous', 'synchronous'] as const) {
    test(`lock, ${form}: ${kind} at any call leaves nothing that blocks`, async () => {
      await loop(kind, async (vfs, memory) => {
        try {
          const lock =
            form === 'asynchronous'
              ? await DirectoryLock.acquire('/db', { vfs })
              : DirectoryLock.acquireSync('/db', { vfs });
          await assert.rejects(DirectoryLock.acquire('/db', { vfs: memory }), {
            code: 'HOLDFAST_LOCKED',
          });
          if (form === 'asynchronous') await lock.release();
          else lock.releaseSync();
        } catch (error) {
          // The failure that was injected, and no other.
          assert.equal(errorCode(error), kind);
        }
        const again = await DirectoryLock.acquire('/db', { vfs: memory });
        await again.release();
        assert.deepEqual(memory.readDirectorySync('/db'), []);
      });
    });

    test(`pointer, ${form}: ${kind} at any call leaves the old or the new one`, async () => {
      await loop(kind, async (vfs, memory) => {
        const before = Buffer.from('old');
        const after = Buffer.from('new');
        replacePointerSync(memory, '/db/CURRENT', before);
        let outcome: string = 'new';
        try {
          if (form === 'asynchronous') await replacePointer(vfs, '/db/CURRENT', after);
          else replacePointerSync(vfs, '/db/CURRENT', after);
        } catch (error) {
          assert.ok(error instanceof FileChangeError, String(error));
          outcome = error.outcome;
        }
        const trees = [memory.toTree(), vfs.crash('lost'), vfs.crash('written')];
        for (const [index, tree] of trees.entries()) {
          const payload = readPointerSync(MemoryVfs.fromTree(tree), '/db/CURRENT');
          const found = Buffer.from(payload ?? []).toString();
          if (outcome === 'unknown') assert.match(found, /^(old|new)$/);
          else if (index < 2 || outcome === 'old') assert.equal(found, outcome);
        }
      });
    });
  }
}
