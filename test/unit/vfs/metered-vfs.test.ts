import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { MeteredVfs } from '../../../src/vfs/metered-vfs.ts';
import { hasCode } from '../../support/vfs-helpers.ts';

describe('MeteredVfs', () => {
  it('counts each call once, in both forms, by its name', async () => {
    const vfs = new MeteredVfs(new MemoryVfs());
    const file = await vfs.open('/f', { read: true, write: true, create: true });
    file.writeSync(new Uint8Array(5), 0, 5, 0);
    await file.write(new Uint8Array(7), 0, 7, 5);
    await file.read(new Uint8Array(99), 0, 99, 4);
    await file.datasync();
    file.syncSync();
    await file.close();
    const directory = vfs.openDirectorySync('/');
    await directory.sync();
    directory.closeSync();
    assert.deepEqual(vfs.counts(), {
      open: 1,
      openDirectory: 1,
      'file.write': 2,
      'file.read': 1,
      'file.datasync': 1,
      'file.sync': 1,
      'file.close': 1,
      'directory.sync': 1,
      'directory.close': 1,
    });
    assert.equal(vfs.count('file.write', 'file.read', 'rename'), 3);
    assert.equal(vfs.syncCount, 3);
    assert.equal(vfs.bytesWritten, 12);
    assert.equal(vfs.bytesRead, 8);
    vfs.reset();
    assert.deepEqual(vfs.counts(), {});
    assert.equal(vfs.bytesWritten + vfs.bytesRead, 0);
  });

  it('counts a call that fails, and the bytes of a short write as they moved', async () => {
    const vfs = new MeteredVfs(new MemoryVfs({ capacityBytes: 3 }));
    assert.throws(() => vfs.statSync('/x'), hasCode('ENOENT'));
    await assert.rejects(vfs.rename('/x', '/y'), hasCode('ENOENT'));
    const file = vfs.openSync('/f', { write: true, create: true });
    file.writeSync(new Uint8Array(5), 0, 5, 0);
    assert.throws(() => file.writeSync(new Uint8Array(5), 0, 5, 3), hasCode('ENOSPC'));
    assert.deepEqual(vfs.counts(), { stat: 1, rename: 1, open: 1, 'file.write': 2 });
    assert.equal(vfs.bytesWritten, 3);
  });
});

describe('ForwardingVfs', () => {
  it('unwraps to the vfs below all wrappers', () => {
    const memory = new MemoryVfs();
    const middle = new MeteredVfs(memory);
    const outer = new ForwardingVfs(middle);
    assert.equal(outer.inner, middle);
    assert.equal(outer.unwrap(), memory);
  });
});
