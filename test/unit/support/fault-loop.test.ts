import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { writeFully } from '../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { FAULT_KINDS, faultLoop } from '../../support/fault-loop.ts';
import { getFile, utf8 } from '../../support/vfs-helpers.ts';

async function save(vfs: Vfs, content: string): Promise<void> {
  const file = await vfs.open('/f', { write: true, create: true });
  try {
    await writeFully(file, utf8(content), 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

describe('faultLoop', () => {
  it('fails each call that a kind can hit exactly once', async () => {
    const failed = await faultLoop(async ({ vfs }) => {
      let acknowledged = true;
      try {
        await save(vfs, 'text');
      } catch {
        // An error is a legal answer; what was acknowledged must be there.
        acknowledged = false;
      }
      if (!acknowledged) return;
      assert.equal(await getFile(MemoryVfs.fromTree(vfs.crash()), '/f'), 'text');
    });
    assert.deepEqual(Object.fromEntries(failed), {
      // open, write, sync, close
      EIO: 4,
      // open, write, sync
      ENOSPC: 3,
      EDQUOT: 3,
      EMFILE: 1,
      EINTR: 1,
      'short-write': 1,
      'failed-sync': 1,
    });
    assert.deepEqual([...failed.keys()], FAULT_KINDS);
  });

  it('finds a program that syncs again after a failed sync, and names the call', async () => {
    const loop = faultLoop(async ({ vfs }) => {
      try {
        await save(vfs, 'text');
      } catch {
        // The mistake that is to be found: trying again until it "works".
        const file = await vfs.open('/f', { write: true, create: true });
        await file.sync();
        await file.close();
      }
      if ((await getFile(vfs, '/f')) !== 'text') return;
      assert.equal(await getFile(MemoryVfs.fromTree(vfs.crash()), '/f'), 'text');
    });
    await assert.rejects(loop, { message: 'wrong after EIO at call 3: file.sync /f' });
  });

  it('ends a scenario that never stops calling', async () => {
    const endless = faultLoop(
      ({ vfs }) => {
        for (let call = 0; call < 20; call++) vfs.lstatSync('/');
      },
      { kinds: ['EACCES'], callsMax: 10 },
    );
    await assert.rejects(endless, { message: /^wrong after EACCES at call 1: lstatSync/ });
    const swallowing = faultLoop(
      ({ vfs }) => {
        for (let call = 0; call < 20; call++) vfs.readDirectory('/').catch(() => undefined);
      },
      { kinds: ['EACCES'], callsMax: 10 },
    );
    await assert.rejects(swallowing, /more than 10 calls/);
  });
});
