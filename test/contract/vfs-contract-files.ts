/** The part of the vfs contract that is about open files and their bytes. */

import assert from 'node:assert/strict';

import { systemError } from '../../src/vfs/errno.ts';
import type { OpenOptions, VfsFile } from '../../src/vfs/vfs.ts';
import { getFile, putFile, rejectsWith, utf8 } from '../support/vfs-helpers.ts';
import type { ContractCase } from './vfs-contract.ts';

const READ: OpenOptions = { read: true };
const UPDATE: OpenOptions = { read: true, write: true };

const write = (file: VfsFile, text: string, position: number): Promise<number> =>
  file.write(utf8(text), 0, utf8(text).length, position);

async function read(file: VfsFile, position: number, length: number): Promise<string> {
  const buffer = new Uint8Array(length);
  return new TextDecoder().decode(buffer.subarray(0, await file.read(buffer, 0, length, position)));
}

const opening: readonly ContractCase[] = [
  [
    'opening a missing name without create is ENOENT, below a file ENOTDIR',
    async ({ fs, root }) => {
      await rejectsWith(fs.open(root('f'), UPDATE), 'ENOENT');
      await rejectsWith(fs.open(root('d/f'), { write: true, create: true }), 'ENOENT');
      await putFile(fs, root('f'), 'x');
      await rejectsWith(fs.open(root('f/x'), { write: true, create: true }), 'ENOTDIR');
      await rejectsWith(fs.open(root('f/'), READ), 'ENOTDIR');
      await rejectsWith(fs.open('', READ), 'ENOENT');
    },
  ],
  [
    'create makes an empty file once and keeps what is there',
    async ({ fs, root }) => {
      const file = await fs.open(root('f'), { write: true, create: true });
      assert.equal(file.path, root('f'));
      assert.equal((await file.stat()).size, 0);
      await write(file, 'text', 0);
      await file.close();
      await (await fs.open(root('f'), { write: true, create: true })).close();
      assert.equal(await getFile(fs, root('f')), 'text');
    },
  ],
  [
    'exclusive refuses every name that exists, also that of a dangling link',
    async ({ fs, root }) => {
      const options = { write: true, create: true, exclusive: true };
      await (await fs.open(root('f'), options)).close();
      await fs.symlink('nowhere', root('l'));
      await fs.mkdir(root('d'));
      for (const name of ['f', 'l', 'd']) await rejectsWith(fs.open(root(name), options), 'EEXIST');
    },
  ],
  [
    'create through a dangling link makes the target',
    async ({ fs, root }) => {
      await fs.symlink('target', root('l'));
      await putFile(fs, root('l'), 'text');
      assert.equal(await getFile(fs, root('target')), 'text');
    },
  ],
  [
    'a directory cannot be opened for writing, and reading it is EISDIR',
    async ({ fs, root }) => {
      await fs.mkdir(root('d'));
      await rejectsWith(fs.open(root('d'), { write: true }), 'EISDIR');
      await rejectsWith(fs.open(root('d'), { write: true, create: true }), 'EISDIR');
      await rejectsWith(fs.open(root('new/'), { write: true, create: true }), 'EISDIR');
      const directory = await fs.open(root('d'), READ);
      await rejectsWith(directory.read(new Uint8Array(1), 0, 1, 0), 'EISDIR');
      assert.equal((await directory.stat()).kind, 'directory');
      await directory.close();
    },
  ],
  [
    'noFollow refuses a link with ELOOP and does not mind other names',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'text');
      await fs.symlink('f', root('l'));
      await rejectsWith(fs.open(root('l'), { ...READ, noFollow: true }), 'ELOOP');
      await rejectsWith(
        fs.open(root('l'), { write: true, create: true, truncate: true, noFollow: true }),
        'ELOOP',
      );
      await (await fs.open(root('f'), { ...READ, noFollow: true })).close();
      assert.equal(await getFile(fs, root('l')), 'text');
    },
  ],
  [
    'truncate empties the file at once',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'text');
      const file = await fs.open(root('f'), { write: true, truncate: true });
      assert.equal((await fs.stat(root('f'))).size, 0);
      await file.close();
    },
  ],
  [
    'options that mean nothing are a TypeError and change nothing',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'text');
      const senseless: OpenOptions[] = [
        {},
        { create: true },
        { write: true, exclusive: true },
        { read: true, truncate: true },
      ];
      for (const options of senseless) await assert.rejects(fs.open(root('f'), options), TypeError);
      assert.equal(await getFile(fs, root('f')), 'text');
      await assert.rejects(fs.open(root('f\0g'), READ), TypeError);
    },
  ],
  [
    'a new file gets its mode, less the umask',
    async ({ fs, root, subject }) => {
      await putFile(fs, root('a'), 'x');
      await putFile(fs, root('b'), 'x', { mode: 0o640 });
      await putFile(fs, root('b'), 'x', { mode: 0o777 });
      assert.equal((await fs.stat(root('a'))).mode, 0o666 & ~subject.umask);
      assert.equal((await fs.stat(root('b'))).mode, 0o640 & ~subject.umask);
    },
  ],
];

const transfers: readonly ContractCase[] = [
  [
    'a read gives what is there, at the offset asked, and 0 at the end',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'abcdef');
      const file = await fs.open(root('f'), READ);
      const buffer = utf8('........');
      assert.equal(await file.read(buffer, 2, 3, 1), 3);
      assert.equal(new TextDecoder().decode(buffer), '..bcd...');
      assert.equal(await file.read(buffer, 0, 8, 4), 2);
      assert.equal(new TextDecoder().decode(buffer), 'efbcd...');
      assert.equal(await file.read(buffer, 0, 8, 6), 0);
      assert.equal(await file.read(buffer, 0, 8, 1_000_000), 0);
      assert.equal(await file.read(buffer, 0, 0, 0), 0);
      await file.close();
    },
  ],
  [
    'a write changes its range and nothing else, and a gap reads as zeros',
    async ({ fs, root }) => {
      const file = await fs.open(root('f'), { ...UPDATE, create: true });
      assert.equal(await write(file, 'abc', 0), 3);
      assert.equal(await file.write(utf8('0123456789'), 4, 2, 1), 2);
      assert.equal(await read(file, 0, 9), 'a45');
      assert.equal(await write(file, 'z', 5), 1);
      assert.equal(await read(file, 0, 9), 'a45\0\0z');
      assert.equal(await write(file, '', 99), 0);
      assert.equal((await file.stat()).size, 6);
      await file.close();
    },
  ],
  [
    'a range outside the buffer and a wrong position are a TypeError',
    async ({ fs, root }) => {
      const file = await fs.open(root('f'), { ...UPDATE, create: true });
      await write(file, 'abc', 0);
      const buffer = new Uint8Array(4);
      for (const [offset, length, position] of [
        [0, 5, 0],
        [4, 1, 0],
        [-1, 1, 0],
        [0, 1.5, 0],
        [0, 1, -1],
        [0, 1, Number.NaN],
      ] as const) {
        await assert.rejects(file.read(buffer, offset, length, position), TypeError);
        await assert.rejects(file.write(buffer, offset, length, position), TypeError);
      }
      await assert.rejects(file.truncate(-1), TypeError);
      await assert.rejects(file.truncate(0.5), TypeError);
      assert.equal(await read(file, 0, 9), 'abc');
      await file.close();
    },
  ],
  [
    'append writes at the end as it is then, whatever the position',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'abc');
      const one = await fs.open(root('f'), { append: true });
      const two = await fs.open(root('f'), { append: true, read: true });
      await write(one, '1', 0);
      await write(two, '2', 99);
      await write(one, '3', 1);
      assert.equal(await read(two, 0, 9), 'abc123');
      await one.truncate(1);
      await write(two, '4', 5);
      assert.equal(await getFile(fs, root('f')), 'a4');
      await one.close();
      await two.close();
    },
  ],
  [
    'a handle does only what it was opened for',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'abc');
      const reader = await fs.open(root('f'), READ);
      const writer = await fs.open(root('f'), { write: true });
      await rejectsWith(write(reader, 'x', 0), 'EBADF');
      await rejectsWith(reader.truncate(0), 'EINVAL', 'EBADF');
      await rejectsWith(read(writer, 0, 1), 'EBADF');
      await reader.close();
      await writer.close();
      assert.equal(await getFile(fs, root('f')), 'abc');
    },
  ],
  [
    'a write is seen through every handle and name of the file',
    async ({ fs, root }) => {
      await putFile(fs, root('a'), 'abc');
      await fs.link(root('a'), root('b'));
      const reader = await fs.open(root('b'), READ);
      const writer = await fs.open(root('a'), { write: true });
      await write(writer, 'X', 1);
      assert.equal(await read(reader, 0, 9), 'aXc');
      await reader.close();
      await writer.close();
    },
  ],
  [
    'truncate cuts, and grows with zeros, also where other bytes had been',
    async ({ fs, root }) => {
      const file = await fs.open(root('f'), { ...UPDATE, create: true });
      await write(file, 'abcdef', 0);
      await file.truncate(2);
      assert.equal((await file.stat()).size, 2);
      await file.truncate(4);
      assert.equal(await read(file, 0, 9), 'ab\0\0');
      await file.truncate(0);
      await write(file, 'z', 3);
      assert.equal(await getFile(fs, root('f')), '\0\0\0z');
      await file.close();
    },
  ],
  [
    'a disk that gets full makes a write short, then ENOSPC, and loses nothing',
    async ({ scope, subject, form }) => {
      assert.ok(subject.createLimited !== undefined, 'give createLimited, or skip with a reason');
      const { vfs, root } = subject.createLimited(scope, 5);
      const fs = form(vfs);
      const file = await fs.open(`${root}/f`, { ...UPDATE, create: true });
      assert.equal(await write(file, 'abc', 0), 3);
      assert.equal(await write(file, 'defg', 3), 2);
      await rejectsWith(write(file, 'fg', 5), 'ENOSPC');
      assert.equal(await read(file, 0, 9), 'abcde');
      assert.equal(await write(file, 'ABCDE', 0), 5);
      await file.close();
    },
  ],
];

const life: readonly ContractCase[] = [
  [
    'syncs succeed on every kind of handle, and durable opens write as others do',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'abc');
      for (const options of [READ, UPDATE, { append: true }]) {
        const file = await fs.open(root('f'), options);
        assert.equal(await file.sync(), undefined);
        assert.equal(await file.datasync(), undefined);
        await file.close();
      }
      for (const sync of ['data', 'all'] as const) {
        const file = await fs.open(root('f'), { ...UPDATE, sync });
        assert.equal(await write(file, 'X', 0), 1);
        assert.equal(await read(file, 0, 9), 'Xbc');
        await file.close();
      }
    },
  ],
  [
    'stat tells kind, size, mode, owner, links and identity',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'abc', { mode: 0o600 });
      const file = await fs.open(root('f'), READ);
      const stat = await file.stat();
      assert.deepEqual(stat, await fs.stat(root('f')));
      assert.equal(stat.kind, 'file');
      assert.equal(stat.size, 3);
      assert.equal(stat.mode, 0o600);
      assert.equal(stat.linkCount, 1);
      assert.equal(typeof stat.inode, 'bigint');
      assert.equal(typeof stat.device, 'bigint');
      assert.ok(Number.isInteger(stat.uid) && Number.isInteger(stat.gid));
      assert.ok(Number.isFinite(stat.modifiedMs));
      const directory = await fs.stat(root());
      assert.equal(directory.kind, 'directory');
      assert.equal(directory.device, stat.device);
      assert.notEqual(directory.inode, stat.inode);
      await file.close();
    },
  ],
  [
    'chmod by path and by handle sets the permission bits, and chown to oneself succeeds',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'abc');
      await fs.symlink('f', root('l'));
      await fs.chmod(root('l'), 0o604);
      assert.equal((await fs.stat(root('f'))).mode, 0o604);
      const file = await fs.open(root('f'), READ);
      await file.chmod(0o640);
      const { mode, uid, gid } = await file.stat();
      assert.equal(mode, 0o640);
      await file.chown(uid, gid);
      assert.deepEqual([(await file.stat()).uid, (await file.stat()).gid], [uid, gid]);
      await file.close();
      await rejectsWith(fs.chmod(root('missing'), 0o600), 'ENOENT');
    },
  ],
  [
    'a file without a name lives as long as its handle, and its name is free',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'old');
      const file = await fs.open(root('f'), UPDATE);
      await fs.unlink(root('f'));
      assert.equal((await file.stat()).linkCount, 0);
      await rejectsWith(fs.stat(root('f')), 'ENOENT');
      await putFile(fs, root('f'), 'new');
      await write(file, 'er', 3);
      assert.equal(await read(file, 0, 9), 'older');
      assert.equal(await getFile(fs, root('f')), 'new');
      await file.sync();
      await file.close();
    },
  ],
  [
    'after close every call is EBADF',
    async ({ fs, root }) => {
      const file = await fs.open(root('f'), { ...UPDATE, create: true });
      await file.close();
      const other = await fs.open(root('g'), { ...UPDATE, create: true });
      const calls: (() => Promise<unknown>)[] = [
        () => read(file, 0, 1),
        () => write(file, 'x', 0),
        () => file.truncate(0),
        () => file.sync(),
        () => file.datasync(),
        () => file.stat(),
        () => file.chmod(0o600),
        () => file.chown(0, 0),
        () => file.close(),
      ];
      for (const call of calls) await rejectsWith(call(), 'EBADF');
      assert.equal((await other.stat()).size, 0);
      await other.close();
    },
  ],
  [
    'errors of handles name the call and the file',
    async ({ fs, root }) => {
      const file = await fs.open(root('f'), { write: true, create: true });
      const expected = systemError('EBADF', 'read', root('f'));
      await assert.rejects(read(file, 0, 1), {
        code: 'EBADF',
        syscall: 'read',
        path: root('f'),
        errno: process.platform === 'linux' ? expected.errno : /./,
      });
      await file.close();
    },
  ],
];

/** Cases about open files. */
export const fileCases: readonly ContractCase[] = [...opening, ...transfers, ...life];
