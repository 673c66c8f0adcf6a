import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import type { Fault } from '../../../src/vfs/fault.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import type { FileTreeDirectory } from '../../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { MeteredVfs } from '../../../src/vfs/metered-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import { PAGE_BYTES } from '../../../src/vfs/page-cache.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { VfsFile } from '../../../src/vfs/vfs.ts';
import { vfsContract } from '../../contract/vfs-contract.ts';
import { fileTree, sketchOf } from '../../support/file-tree-builder.ts';
import { getFile, hasCode, putFile, rejectsWith, utf8 } from '../../support/vfs-helpers.ts';

vfsContract({
  name: 'FaultVfs without faults',
  create: () => ({ vfs: new FaultVfs(new MemoryVfs()), root: '/' }),
  createLimited: (_, capacityBytes) => ({
    vfs: new FaultVfs(new MemoryVfs({ capacityBytes })),
    root: '',
  }),
  umask: 0o022,
});

const faulty = (...faults: readonly Fault[]): FaultVfs => new FaultVfs(new MemoryVfs(), ...faults);

function write(file: VfsFile, content: string, position: number): number {
  return file.writeSync(utf8(content), 0, utf8(content).length, position);
}

function openNew(vfs: FaultVfs, path: string): VfsFile {
  return vfs.openSync(path, { read: true, write: true, create: true });
}

describe('FaultVfs: which call fails', () => {
  it('fails the nth matching call, once, and lets all others pass', async () => {
    const vfs = faulty({ kind: 'EIO', calls: ['stat'], nth: 2 });
    await putFile(vfs, '/f', 'x');
    vfs.statSync('/f');
    assert.throws(() => vfs.statSync('/f'), {
      code: 'EIO',
      syscall: 'stat',
      path: '/f',
      message: "EIO: i/o error, stat '/f'",
    });
    assert.equal((await vfs.stat('/f')).size, 1);
    assert.deepEqual(
      vfs.injected.map(({ fault, call }) => [fault.kind, call.name, call.path, call.blocking]),
      [['EIO', 'stat', '/f', true]],
    );
  });

  it('counts both forms together unless one is asked for', async () => {
    const both = faulty({ kind: 'EIO', calls: ['lstat'], nth: 2 });
    both.lstatSync('/');
    await rejectsWith(both.lstat('/'), 'EIO');
    const one = faulty({ kind: 'EIO', calls: ['lstat'], blocking: true });
    await one.lstat('/');
    assert.throws(() => one.lstatSync('/'), hasCode('EIO'));
  });

  it('keeps failing as many times as asked, and stops when cleared', async () => {
    const vfs = faulty({ kind: 'EMFILE', nth: 2, times: Infinity });
    await putFile(vfs, '/f', 'x');
    await rejectsWith(getFile(vfs, '/f'), 'EMFILE');
    await rejectsWith(vfs.readDirectory('/'), 'EMFILE');
    await rejectsWith(vfs.openDirectory('/'), 'EMFILE');
    vfs.clear();
    assert.equal(await getFile(vfs, '/f'), 'x');
    assert.equal(vfs.injected.length, 3);
  });

  it('matches by path, of a rename by either of its names', async () => {
    const vfs = faulty({ kind: 'EIO', path: /b$/, calls: ['rename', 'open'], times: 2 });
    await putFile(vfs, '/a', 'x');
    await rejectsWith(vfs.rename('/a', '/b'), 'EIO');
    await rejectsWith(putFile(vfs, '/b', 'x'), 'EIO');
    assert.deepEqual(sketchOf(vfs.crash('written')), { a: 'x' });
  });

  it('lets each fault count by itself, and the first of two strike', () => {
    const vfs = faulty(
      { kind: 'EIO', calls: ['lstat'], nth: 1 },
      { kind: 'EACCES', calls: ['lstat'], nth: 1 },
      { kind: 'ENOMEM', calls: ['lstat'], nth: 2 },
    );
    assert.throws(() => vfs.lstatSync('/'), hasCode('EIO'));
    assert.throws(() => vfs.lstatSync('/'), hasCode('ENOMEM'));
    vfs.lstatSync('/');
  });

  it('strikes by default only where Linux can give the error', async () => {
    for (const kind of ['ENOSPC', 'EDQUOT', 'EMFILE', 'EINTR', 'failed-sync'] as const) {
      const vfs = new FaultVfs(MemoryVfs.fromTree(fileTree({ f: 'x' })), { kind });
      const file = await vfs.open('/f', { read: true }).catch(() => null);
      assert.equal(file === null, kind === 'EMFILE');
      if (file === null) continue;
      await file.read(new Uint8Array(1), 0, 1, 0);
      await vfs.stat('/f');
      await rejectsWith(file.sync(), kind === 'failed-sync' ? 'EIO' : kind);
    }
  });
});

describe('FaultVfs: how a call fails', () => {
  it('makes a write short and says so', async () => {
    const vfs = faulty({ kind: 'short-write' }, { kind: 'short-write', nth: 2, bytes: 1 });
    const file = openNew(vfs, '/f');
    assert.equal(write(file, 'x', 0), 1, 'one byte cannot be short');
    assert.equal(write(file, 'abcdef', 0), 3);
    assert.equal(await file.write(utf8('DEF'), 0, 3, 3), 1);
    assert.equal(await getFile(vfs, '/f'), 'abcD');
  });

  it('fails a write without writing', async () => {
    for (const kind of ['EIO', 'ENOSPC', 'EDQUOT'] as const) {
      const vfs = faulty({ kind, calls: ['file.write'] });
      const file = openNew(vfs, '/f');
      assert.throws(() => write(file, 'abc', 0), hasCode(kind));
      assert.equal(await getFile(vfs, '/f'), '');
    }
  });

  it('closes the file whose close fails', () => {
    const vfs = faulty({ kind: 'EIO', calls: ['file.close'] });
    const file = openNew(vfs, '/f');
    assert.throws(() => file.closeSync(), hasCode('EIO'));
    assert.throws(() => file.closeSync(), hasCode('EBADF'));
  });

  it('works over the real file system, but knows nothing of its disk', () => {
    const vfs = new FaultVfs(nodeVfs, { kind: 'EIO', calls: ['lstat'] });
    assert.throws(() => vfs.lstatSync('/'), hasCode('EIO'));
    assert.equal(vfs.lstatSync('/').kind, 'directory');
    assert.throws(() => vfs.crash(), TypeError);
  });

  it('makes no call below that a meter would count', async () => {
    const meter = new MeteredVfs(new MemoryVfs());
    const vfs = new FaultVfs(meter, { kind: 'failed-sync' });
    await putFile(vfs, '/f', 'x');
    const file = vfs.openSync('/f', { write: true, truncate: true });
    assert.throws(() => file.syncSync(), hasCode('EIO'));
    file.closeSync();
    vfs.crash('written');
    assert.deepEqual(meter.counts(), { open: 2, 'file.write': 1, 'file.close': 2 });
  });
});

function contentOf(tree: FileTreeDirectory, name: string): string {
  return String(sketchOf(tree)[name]);
}

describe('FaultVfs.crash', () => {
  it('takes what did not sync, and keeps what did', () => {
    const vfs = new FaultVfs(MemoryVfs.fromTree(fileTree({ old: 'old', d: { f: 'untouched' } })));
    const file = openNew(vfs, '/new');
    write(file, 'abc', 0);
    file.datasyncSync();
    write(file, 'defghi', 3);
    const old = vfs.openSync('/old', { write: true, truncate: true });
    write(old, 'NEWER', 0);
    assert.deepEqual(sketchOf(vfs.crash()), { d: { f: 'untouched' }, new: 'abc', old: 'old' });
    assert.deepEqual(sketchOf(vfs.crash('written')), {
      d: { f: 'untouched' },
      new: 'abcdefghi',
      old: 'NEWER',
    });
    old.syncSync();
    assert.equal(contentOf(vfs.crash(), 'old'), 'NEWER');
  });

  it('shows what a failed sync lost, though reads and a later sync said otherwise', async () => {
    const vfs = faulty({ kind: 'failed-sync' });
    const file = openNew(vfs, '/f');
    write(file, 'abc', 0);
    await rejectsWith(file.sync(), 'EIO');
    assert.equal(await getFile(vfs, '/f'), 'abc', 'the cache has the new bytes');
    await file.sync();
    await file.datasync();
    const lost = '\0\0\0';
    assert.equal(contentOf(vfs.crash(), 'f'), lost, 'the size came to the disk, the bytes did not');
    assert.equal(contentOf(vfs.crash('written'), 'f'), lost);
  });

  it('keeps the old bytes of a page that was overwritten when the sync failed', async () => {
    const vfs = faulty({ kind: 'failed-sync', nth: 2 });
    const file = openNew(vfs, '/f');
    write(file, 'first', 0);
    file.syncSync();
    write(file, 'SECOND', 0);
    assert.throws(() => file.datasyncSync(), hasCode('EIO'));
    file.datasyncSync();
    assert.equal(await getFile(vfs, '/f'), 'SECOND');
    assert.equal(contentOf(vfs.crash(), 'f'), 'first\0');
  });

  it('rescues lost bytes when their page is written again, and only then', () => {
    const vfs = faulty({ kind: 'failed-sync' });
    const file = openNew(vfs, '/f');
    write(file, 'a'.repeat(PAGE_BYTES) + 'b'.repeat(10), 0);
    assert.throws(() => file.syncSync(), hasCode('EIO'));
    write(file, 'B', PAGE_BYTES + 5);
    file.syncSync();
    assert.equal(contentOf(vfs.crash(), 'f'), '\0'.repeat(PAGE_BYTES) + 'bbbbbBbbbb');
  });

  it('loses pages to a sync without room as well, but not to one that was interrupted', () => {
    for (const [kind, kept] of [
      ['ENOSPC', '\0\0\0'],
      ['EDQUOT', '\0\0\0'],
      ['EINTR', 'abc'],
    ] as const) {
      const vfs = faulty({ kind, calls: ['file.sync'] });
      const file = openNew(vfs, '/f');
      write(file, 'abc', 0);
      assert.throws(() => file.syncSync(), hasCode(kind));
      file.syncSync();
      assert.equal(contentOf(vfs.crash(), 'f'), kept, kind);
    }
  });

  it('has a durable write on the disk when it returned, and not when it failed', async () => {
    const vfs = faulty({ kind: 'EIO', calls: ['file.write'], nth: 3 });
    const file = vfs.openSync('/f', { append: true, create: true, sync: 'data' });
    await file.write(utf8('abc'), 0, 3, 0);
    assert.equal(contentOf(vfs.crash(), 'f'), 'abc');
    const other = vfs.openSync('/g', { write: true, create: true });
    write(other, 'unsynced', 0);
    assert.throws(() => write(file, 'def', 0), hasCode('EIO'));
    assert.equal(await getFile(vfs, '/f'), 'abcdef', 'the cache has them');
    assert.deepEqual(sketchOf(vfs.crash()), { f: 'abc\0\0\0', g: '' });
  });

  it('makes durable only the pages that a durable write touched, also at the end', () => {
    const page = 'x'.repeat(PAGE_BYTES);
    const vfs = new FaultVfs(MemoryVfs.fromTree(fileTree({ f: page + page })));
    const plain = vfs.openSync('/f', { write: true });
    write(plain, 'LOST', 0);
    const durable = vfs.openSync('/f', { append: true, sync: 'all' });
    write(durable, 'end', 0);
    assert.equal(contentOf(vfs.crash(), 'f'), `${page}${page}end`);
  });

  it('rescues a lost page when the file is cut inside it', () => {
    const vfs = faulty({ kind: 'failed-sync' });
    const file = openNew(vfs, '/f');
    write(file, 'abcdef', 0);
    assert.throws(() => file.syncSync(), hasCode('EIO'));
    file.truncateSync(3);
    file.syncSync();
    assert.equal(contentOf(vfs.crash(), 'f'), 'abc');
  });

  it('tells a failed sync once to every description that the file has then', () => {
    const vfs = faulty({ kind: 'failed-sync' });
    const file = openNew(vfs, '/f');
    const other = openNew(vfs, '/f');
    const durable = vfs.openSync('/f', { write: true, sync: 'data' });
    write(file, 'abc', 0);
    assert.throws(() => file.syncSync(), hasCode('EIO'));
    const later = openNew(vfs, '/f');
    for (const one of [file, later]) one.syncSync();
    assert.throws(() => other.datasyncSync(), hasCode('EIO'));
    assert.throws(() => write(durable, 'd', PAGE_BYTES), hasCode('EIO'));
    for (const one of [file, later, other, durable]) one.syncSync();
    assert.equal(vfs.injected.length, 1);
  });

  it('has a sync wait for another that is under way, and tells its failure', async () => {
    const vfs = faulty();
    const [file, other] = [openNew(vfs, '/f'), openNew(vfs, '/f')];
    write(file, 'abc', 0);
    const under = file.sync();
    other.syncSync();
    assert.equal(contentOf(vfs.crash(), 'f'), 'abc');
    write(file, 'ABC', 0);
    other.syncSync();
    await under;
    assert.equal(contentOf(vfs.crash(), 'f'), 'ABC', 'the earlier one does not undo the later');
    vfs.inject({ kind: 'failed-sync', blocking: false });
    write(file, 'xyz', 0);
    const failing = file.sync();
    assert.throws(() => other.syncSync(), hasCode('EIO'));
    await rejectsWith(failing, 'EIO');
    assert.equal(contentOf(vfs.crash(), 'f'), 'ABC');
  });

  it('follows a file through renames, links and handles', () => {
    const vfs = faulty();
    const file = openNew(vfs, '/a');
    write(file, 'abc', 0);
    vfs.renameSync('/a', '/b');
    vfs.linkSync('/b', '/c');
    file.closeSync();
    assert.deepEqual(sketchOf(vfs.crash()), { b: '', c: '' });
    const again = vfs.openSync('/c', { read: true });
    again.syncSync();
    assert.deepEqual(sketchOf(vfs.crash()), { b: 'abc', c: 'abc' });
  });

  it('never shows old bytes where a file was cut and grew again', () => {
    const vfs = new FaultVfs(MemoryVfs.fromTree(fileTree({ f: 'secret' })));
    const file = vfs.openSync('/f', { write: true });
    file.truncateSync(1);
    file.truncateSync(6);
    assert.equal(contentOf(vfs.crash(), 'f'), 'secret');
    file.syncSync();
    assert.equal(contentOf(vfs.crash(), 'f'), 's\0\0\0\0\0');
  });

  it('is the content at the last sync, and with dirty pages written the content now', () => {
    const position = fc.integer({ min: 0, max: 3 * PAGE_BYTES });
    const step = fc.oneof(
      fc.record({ do: fc.constant('write' as const), position, length: position }),
      fc.record({ do: fc.constant('truncate' as const), position, length: position }),
      fc.record({ do: fc.constant('sync' as const), position, length: position }),
      fc.record({ do: fc.constant('interrupted' as const), position, length: position }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 4, maxLength: 12 }), (steps) => {
        const vfs = faulty();
        const file = openNew(vfs, '/f');
        let synced = readWholeFileSync(vfs, '/f');
        for (const [index, next] of steps.entries()) {
          if (next.do === 'write') {
            const bytes = new Uint8Array(next.length).fill(index + 1);
            file.writeSync(bytes, 0, next.length, next.position);
          } else if (next.do === 'truncate') {
            file.truncateSync(next.position);
          } else if (next.do === 'sync') {
            file.syncSync();
            synced = readWholeFileSync(vfs, '/f');
          } else {
            vfs.inject({ kind: 'EINTR' });
            assert.throws(() => file.syncSync(), hasCode('EINTR'));
            vfs.clear();
          }
          const lost = MemoryVfs.fromTree(vfs.crash());
          assert.deepEqual(readWholeFileSync(lost, '/f'), synced);
          const written = MemoryVfs.fromTree(vfs.crash('written'));
          assert.deepEqual(readWholeFileSync(written, '/f'), readWholeFileSync(vfs, '/f'));
        }
      }),
      { numRuns: 60 },
    );
  });
});
