/** The part of the vfs contract that is about names: directories, links, renames. */

import assert from 'node:assert/strict';

import { getFile, namesIn, putFile, rejectsWith } from '../support/vfs-helpers.ts';
import type { ContractCase } from './vfs-contract.ts';

const directories: readonly ContractCase[] = [
  [
    'mkdir makes one directory with its mode, and refuses names that exist',
    async ({ fs, root, subject }) => {
      await fs.mkdir(root('d'));
      await fs.mkdir(root('e/'), 0o700);
      assert.equal((await fs.stat(root('d'))).mode, 0o777 & ~subject.umask);
      assert.equal((await fs.stat(root('e'))).mode, 0o700 & ~subject.umask);
      await putFile(fs, root('f'), 'x');
      await fs.symlink('nowhere', root('l'));
      for (const name of ['d', 'f', 'l', 'd/.', 'd/..']) {
        await rejectsWith(fs.mkdir(root(name)), 'EEXIST');
      }
      await rejectsWith(fs.mkdir(root('x/y')), 'ENOENT');
      await rejectsWith(fs.mkdir(root('f/y')), 'ENOTDIR');
    },
  ],
  [
    'readDirectory gives every name with its kind',
    async ({ fs, root }) => {
      await fs.mkdir(root('d'));
      await putFile(fs, root('f'), 'x');
      await putFile(fs, root('d/inside'), 'x');
      await fs.symlink('nowhere', root('l'));
      await putFile(fs, root('ä'), 'x');
      const entries = await fs.readDirectory(root());
      entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      assert.deepEqual(entries, [
        { name: 'd', kind: 'directory' },
        { name: 'f', kind: 'file' },
        { name: 'l', kind: 'symlink' },
        { name: 'ä', kind: 'file' },
      ]);
      await rejectsWith(fs.readDirectory(root('x')), 'ENOENT');
      await rejectsWith(fs.readDirectory(root('f')), 'ENOTDIR');
    },
  ],
  [
    'a directory opens for syncing, and only a directory',
    async ({ fs, root }) => {
      await fs.mkdir(root('d'));
      await putFile(fs, root('f'), 'x');
      await fs.symlink('d', root('l'));
      const directory = await fs.openDirectory(root('d'));
      assert.equal(directory.path, root('d'));
      assert.equal(await directory.sync(), undefined);
      await directory.close();
      await rejectsWith(directory.sync(), 'EBADF');
      await rejectsWith(directory.close(), 'EBADF');
      await (await fs.openDirectory(root('l'))).close();
      await rejectsWith(fs.openDirectory(root('f')), 'ENOTDIR');
      await rejectsWith(fs.openDirectory(root('x')), 'ENOENT');
    },
  ],
  [
    'rmdir removes an empty directory and nothing else',
    async ({ fs, root }) => {
      await fs.mkdir(root('d'));
      await putFile(fs, root('d/f'), 'x');
      await fs.symlink('d', root('l'));
      await rejectsWith(fs.rmdir(root('d')), 'ENOTEMPTY');
      await rejectsWith(fs.rmdir(root('d/f')), 'ENOTDIR');
      await rejectsWith(fs.rmdir(root('l')), 'ENOTDIR');
      await rejectsWith(fs.rmdir(root('x')), 'ENOENT');
      await rejectsWith(fs.rmdir(root('d/.')), 'EINVAL');
      await fs.unlink(root('d/f'));
      await fs.rmdir(root('d/'));
      assert.deepEqual(await namesIn(fs, root()), ['l']);
    },
  ],
  [
    'unlink removes a name, of a link its own, and no directory',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'x');
      await fs.mkdir(root('d'));
      await fs.symlink('f', root('l'));
      await fs.unlink(root('l'));
      assert.deepEqual(await namesIn(fs, root()), ['d', 'f']);
      await rejectsWith(fs.unlink(root('d')), 'EISDIR', 'EPERM');
      await rejectsWith(fs.unlink(root('f/')), 'ENOTDIR');
      await rejectsWith(fs.unlink(root('x')), 'ENOENT');
      await fs.unlink(root('f'));
      await rejectsWith(fs.unlink(root('f')), 'ENOENT');
    },
  ],
  [
    'paths have dots, repeated slashes and long names as the system allows',
    async ({ fs, root }) => {
      await fs.mkdir(root('d'));
      await putFile(fs, root('d/.././/d//f'), 'x');
      assert.equal(await getFile(fs, root('d/f')), 'x');
      await rejectsWith(fs.stat(root('x/../d')), 'ENOENT');
      await rejectsWith(fs.stat(root('d/f/..')), 'ENOTDIR');
      await putFile(fs, root('n'.repeat(255)), 'x');
      await rejectsWith(putFile(fs, root('n'.repeat(256)), 'x'), 'ENAMETOOLONG');
      await rejectsWith(putFile(fs, root('ä'.repeat(128)), 'x'), 'ENAMETOOLONG');
      await rejectsWith(fs.stat(root('n/'.repeat(2100))), 'ENAMETOOLONG');
    },
  ],
  [
    'errors of paths name the call and the paths',
    async ({ fs, root }) => {
      await assert.rejects(fs.open(root('x'), { read: true }), {
        code: 'ENOENT',
        syscall: 'open',
        path: root('x'),
      });
      await assert.rejects(fs.rename(root('x'), root('y')), {
        code: 'ENOENT',
        syscall: 'rename',
        path: root('x'),
        dest: root('y'),
      });
    },
  ],
];

const links: readonly ContractCase[] = [
  [
    'a symbolic link is followed, except by lstat, readLink and what changes names',
    async ({ fs, root }) => {
      await fs.mkdir(root('d'));
      await putFile(fs, root('d/f'), 'text');
      await fs.symlink('d/f', root('l'));
      await fs.symlink('../d', root('d/up'));
      assert.equal(await getFile(fs, root('l')), 'text');
      assert.equal(await getFile(fs, root('d/up/up/f')), 'text');
      assert.equal((await fs.stat(root('l'))).kind, 'file');
      assert.equal((await fs.lstat(root('l'))).kind, 'symlink');
      assert.equal((await fs.lstat(root('l'))).size, 3);
      assert.equal((await fs.lstat(root('d/up/'))).kind, 'directory');
      assert.equal(await fs.readLink(root('l')), 'd/f');
      await rejectsWith(fs.readLink(root('d/f')), 'EINVAL');
      await rejectsWith(fs.readLink(root('x')), 'ENOENT');
      await rejectsWith(fs.symlink('f', root('l')), 'EEXIST');
      await rejectsWith(fs.symlink('f', root('x/l')), 'ENOENT');
    },
  ],
  [
    'an absolute link leads from the top, and ".." from where the link led',
    async ({ fs, root }) => {
      await fs.mkdir(root('a'));
      await fs.mkdir(root('a/b'));
      await putFile(fs, root('a/f'), 'text');
      await fs.symlink(root('a/b'), root('l'));
      assert.equal(await getFile(fs, root('l/../f')), 'text');
    },
  ],
  [
    'links that lead nowhere are ENOENT, in a circle ELOOP',
    async ({ fs, root }) => {
      await fs.symlink('nowhere', root('l'));
      await fs.symlink('b', root('a'));
      await fs.symlink('a', root('b'));
      await rejectsWith(fs.stat(root('l')), 'ENOENT');
      await rejectsWith(fs.open(root('a'), { read: true }), 'ELOOP');
      await rejectsWith(fs.stat(root('a/x')), 'ELOOP');
      assert.equal((await fs.lstat(root('a'))).kind, 'symlink');
      await rejectsWith(fs.realpath(root('a')), 'ELOOP');
    },
  ],
  [
    'realpath is the absolute path without links',
    async ({ fs, root }) => {
      await fs.mkdir(root('d'));
      await putFile(fs, root('d/f'), 'x');
      await fs.symlink('d', root('l'));
      await fs.symlink('l/f', root('m'));
      assert.equal(await fs.realpath(root('m')), root('d/f'));
      assert.equal(await fs.realpath(root('l/../l/.')), root('d'));
      await rejectsWith(fs.realpath(root('x')), 'ENOENT');
    },
  ],
  [
    'a hard link is one more name of the same file',
    async ({ fs, root }) => {
      await putFile(fs, root('a'), 'text');
      await fs.link(root('a'), root('b'));
      const [a, b] = [await fs.stat(root('a')), await fs.stat(root('b'))];
      assert.deepEqual([a.inode, a.device, a.linkCount], [b.inode, b.device, 2]);
      await fs.unlink(root('a'));
      assert.equal((await fs.stat(root('b'))).linkCount, 1);
      assert.equal(await getFile(fs, root('b')), 'text');
      await fs.mkdir(root('d'));
      await rejectsWith(fs.link(root('b'), root('d')), 'EEXIST');
      await rejectsWith(fs.link(root('x'), root('y')), 'ENOENT');
      await rejectsWith(fs.link(root('b'), root('x/y')), 'ENOENT');
      await rejectsWith(fs.link(root('d'), root('e')), 'EPERM');
    },
  ],
];

const renames: readonly ContractCase[] = [
  [
    'rename over a file takes its place, and open handles keep the old one',
    async ({ fs, root }) => {
      await putFile(fs, root('a'), 'new');
      await putFile(fs, root('b'), 'old');
      await fs.link(root('b'), root('c'));
      const old = await fs.open(root('b'), { read: true });
      const moved = (await fs.stat(root('a'))).inode;
      await fs.rename(root('a'), root('b'));
      assert.deepEqual(await namesIn(fs, root()), ['b', 'c']);
      assert.equal(await getFile(fs, root('b')), 'new');
      assert.equal((await fs.stat(root('b'))).inode, moved);
      assert.equal(await getFile(fs, root('c')), 'old');
      assert.equal((await old.stat()).linkCount, 1);
      const buffer = new Uint8Array(9);
      assert.equal(await old.read(buffer, 0, 9, 0), 3);
      assert.equal(new TextDecoder().decode(buffer.subarray(0, 3)), 'old');
      await old.close();
    },
  ],
  [
    'rename to itself, or to another name of the same file, changes nothing',
    async ({ fs, root }) => {
      await putFile(fs, root('a'), 'x');
      await fs.link(root('a'), root('b'));
      await fs.rename(root('a'), root('a'));
      await fs.rename(root('a'), root('b'));
      assert.deepEqual(await namesIn(fs, root()), ['a', 'b']);
      assert.equal((await fs.stat(root('a'))).linkCount, 2);
    },
  ],
  [
    'rename moves a directory with all that is in it, over an empty one too',
    async ({ fs, root }) => {
      for (const name of ['a', 'empty', 'full', 'x']) await fs.mkdir(root(name));
      await putFile(fs, root('a/f'), 'text');
      await putFile(fs, root('full/g'), 'x');
      await rejectsWith(fs.rename(root('a'), root('full')), 'ENOTEMPTY', 'EEXIST');
      await fs.rename(root('a'), root('empty'));
      await fs.rename(root('empty'), root('x/moved'));
      assert.equal(await getFile(fs, root('x/moved/f')), 'text');
      assert.equal(await getFile(fs, root('x/moved/../moved/f')), 'text');
      assert.deepEqual(await namesIn(fs, root()), ['full', 'x']);
      assert.equal(await fs.realpath(root('x/moved/f')), root('x/moved/f'));
      assert.equal(await fs.realpath(root('x/moved/../..')), root());
    },
  ],
  [
    'rename refuses what has no meaning and changes nothing',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'x');
      await fs.mkdir(root('d'));
      await fs.mkdir(root('d/e'));
      await rejectsWith(fs.rename(root('x'), root('y')), 'ENOENT');
      await rejectsWith(fs.rename(root('f'), root('x/y')), 'ENOENT');
      await rejectsWith(fs.rename(root('f'), root('d')), 'EISDIR');
      await rejectsWith(fs.rename(root('d'), root('f')), 'ENOTDIR');
      await rejectsWith(fs.rename(root('f'), root('new/')), 'ENOTDIR');
      await rejectsWith(fs.rename(root('d'), root('d/e/x')), 'EINVAL');
      await rejectsWith(fs.rename(root('d/e'), root('d')), 'ENOTEMPTY', 'EEXIST');
      await rejectsWith(fs.rename(root('d/.'), root('x')), 'EBUSY', 'EINVAL');
      assert.deepEqual(await namesIn(fs, root()), ['d', 'f']);
      assert.deepEqual(await namesIn(fs, root('d')), ['e']);
    },
  ],
  [
    'rename moves a link itself and replaces a link itself',
    async ({ fs, root }) => {
      await putFile(fs, root('f'), 'text');
      await fs.symlink('f', root('l'));
      await fs.rename(root('l'), root('m'));
      assert.equal(await fs.readLink(root('m')), 'f');
      await putFile(fs, root('g'), 'other');
      await fs.rename(root('g'), root('m'));
      assert.equal((await fs.lstat(root('m'))).kind, 'file');
      assert.equal(await getFile(fs, root('f')), 'text');
    },
  ],
];

/** Cases about names. */
export const nameCases: readonly ContractCase[] = [...directories, ...links, ...renames];
