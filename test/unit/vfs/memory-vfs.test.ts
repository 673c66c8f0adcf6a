import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { errorCode } from '../../../src/vfs/errno.ts';
import type { FileTreeDirectory } from '../../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../../src/vfs/transfer.ts';
import type { OpenOptions } from '../../../src/vfs/vfs.ts';
import { fileTree, sketchOf, treeFile } from '../../support/file-tree-builder.ts';

const text = (vfs: MemoryVfs, path: string): string =>
  new TextDecoder().decode(readWholeFileSync(vfs, path));

function put(vfs: MemoryVfs, path: string, content: string, options: OpenOptions = {}): void {
  const file = vfs.openSync(path, { write: true, create: true, truncate: true, ...options });
  writeFullySync(file, new TextEncoder().encode(content), 0);
  file.closeSync();
}

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    errorCode(error) === code;

describe('MemoryVfs.fromTree', () => {
  it('shows the tree, and never changes it', () => {
    const tree = fileTree({ a: 'one', d: { b: 'two', e: { c: 'three' } } });
    const vfs = MemoryVfs.fromTree(tree);
    assert.equal(text(vfs, '/d/e/c'), 'three');
    put(vfs, '/d/b', 'new', { truncate: false });
    put(vfs, '/d/e/c', '3');
    vfs.unlinkSync('/a');
    vfs.renameSync('/d/e', '/e');
    vfs.mkdirSync('/d/x');
    assert.deepEqual(sketchOf(tree), { a: 'one', d: { b: 'two', e: { c: 'three' } } });
    assert.deepEqual(sketchOf(vfs.toTree()), { d: { b: 'new', x: {} }, e: { c: '3' } });
  });

  it('looks only at the entries that a path names', () => {
    const looked: string[] = [];
    class Spy extends Map<string, FileTreeDirectory> {
      override get(name: string): FileTreeDirectory | undefined {
        looked.push(name);
        return super.get(name);
      }
    }
    const tree: FileTreeDirectory = {
      kind: 'directory',
      mode: 0o755,
      entries: new Spy([
        ['a', fileTree({ f: 'one' })],
        ['b', fileTree({ f: 'two' })],
      ]),
    };
    const vfs = MemoryVfs.fromTree(tree);
    assert.equal(text(vfs, '/a/f'), 'one');
    assert.deepEqual(looked, ['a']);
  });

  it('copies a content at the first write and not before', () => {
    const content = new Uint8Array(1000).fill(7);
    const tree = fileTree({ f: content });
    const vfs = MemoryVfs.fromTree(tree);
    const file = vfs.openSync('/f', { read: true, write: true });
    assert.equal(vfs.toTree().entries.get('f'), tree.entries.get('f'));
    file.writeSync(Uint8Array.of(1), 0, 1, 500);
    file.truncateSync(600);
    assert.equal(content[500], 7);
    const after = vfs.toTree().entries.get('f');
    assert.ok(after?.kind === 'file' && after.content[500] === 1 && after.content.length === 600);
  });

  it('takes nodes with one number for one file', () => {
    const tree = fileTree({ a: treeFile('same', 7), d: { b: treeFile('same', 7) }, c: 'same' });
    const vfs = MemoryVfs.fromTree(tree);
    put(vfs, '/a', 'SA', { truncate: false });
    assert.equal(text(vfs, '/d/b'), 'SAme');
    assert.equal(text(vfs, '/c'), 'same');
    assert.equal(vfs.statSync('/d/b').linkCount, 2);
    assert.equal(vfs.statSync('/a').inode, vfs.statSync('/d/b').inode);
    assert.notEqual(vfs.statSync('/a').inode, vfs.statSync('/c').inode);
    vfs.unlinkSync('/a');
    assert.equal(vfs.statSync('/d/b').linkCount, 1);
    assert.equal(text(MemoryVfs.fromTree(vfs.toTree()), '/d/b'), 'SAme');
  });
});

describe('MemoryVfs.toTree', () => {
  it('gives the same objects for what did not change', () => {
    const tree = fileTree({ a: 'one', d: { b: 'two' }, e: { c: 'three' } });
    const vfs = MemoryVfs.fromTree(tree);
    text(vfs, '/d/b');
    assert.equal(vfs.toTree(), tree);
    put(vfs, '/d/b', 'changed');
    const changed = vfs.toTree();
    assert.notEqual(changed, tree);
    assert.equal(changed.entries.get('e'), tree.entries.get('e'));
    assert.equal(vfs.toTree(), changed);
  });

  it('is not touched by later writes, truncations, renames and modes', () => {
    const vfs = new MemoryVfs();
    vfs.mkdirSync('/d');
    put(vfs, '/d/f', 'first');
    const file = vfs.openSync('/d/f', { write: true });
    const before = vfs.toTree();
    file.writeSync(new TextEncoder().encode('X'), 0, 1, 0);
    file.truncateSync(2);
    file.chmodSync(0o600);
    assert.deepEqual(sketchOf(vfs.toTree()), { d: { f: 'Xi' } });
    vfs.renameSync('/d/f', '/g');
    vfs.chmodSync('/d', 0o700);
    assert.deepEqual(sketchOf(before), { d: { f: 'first' } });
    const directory = vfs.toTree().entries.get('d');
    assert.ok(directory?.kind === 'directory' && directory.mode === 0o700);
  });

  it('numbers a file that has two names, so that it stays one file', () => {
    const vfs = new MemoryVfs();
    put(vfs, '/a', 'text');
    vfs.toTree();
    vfs.linkSync('/a', '/b');
    const copy = MemoryVfs.fromTree(vfs.toTree());
    put(copy, '/a', 'T', { truncate: false });
    assert.equal(text(copy, '/b'), 'Text');
  });

  it('keeps zeros where a file was cut and grew again', () => {
    const vfs = new MemoryVfs();
    const file = vfs.openSync('/f', { write: true, read: true, create: true });
    file.writeSync(new TextEncoder().encode('abcdef'), 0, 6, 0);
    file.truncateSync(2);
    file.truncateSync(4);
    file.writeSync(new TextEncoder().encode('z'), 0, 1, 6);
    assert.equal(text(vfs, '/f'), 'ab\0\0\0\0z');
    assert.deepEqual(sketchOf(vfs.toTree()), { f: 'ab\0\0\0\0z' });
  });
});

describe('MemoryVfs.capacityBytes', () => {
  it('makes the write at the edge short and fails the next with ENOSPC', () => {
    const vfs = MemoryVfs.fromTree(fileTree({ old: '12345' }), { capacityBytes: 12 });
    const file = vfs.openSync('/new', { write: true, create: true });
    assert.equal(file.writeSync(new Uint8Array(5), 0, 5, 0), 5);
    assert.equal(file.writeSync(new Uint8Array(5), 0, 5, 5), 2);
    assert.throws(() => file.writeSync(new Uint8Array(1), 0, 1, 7), hasCode('ENOSPC'));
    assert.throws(() => file.truncateSync(8), hasCode('ENOSPC'));
    assert.equal(file.writeSync(new Uint8Array(7), 0, 7, 0), 7, 'overwriting needs no room');
    assert.equal(file.statSync().size, 7);
  });

  it('gives room back with the last name and the last handle', () => {
    const vfs = MemoryVfs.fromTree(fileTree({ old: '12345' }), { capacityBytes: 5 });
    const old = vfs.openSync('/old', { read: true });
    vfs.linkSync('/old', '/other');
    vfs.unlinkSync('/old');
    assert.throws(() => put(vfs, '/new', 'x'), hasCode('ENOSPC'));
    vfs.unlinkSync('/other');
    assert.throws(() => put(vfs, '/new', 'x'), hasCode('ENOSPC'));
    old.closeSync();
    put(vfs, '/new', 'xxxxx');
    vfs.capacityBytes = 6;
    put(vfs, '/more', 'y');
    put(vfs, '/new', 'z');
    put(vfs, '/more', 'yyyyy');
  });
});

function timesOfRun(): number[] {
  const vfs = new MemoryVfs();
  put(vfs, '/a', 'x');
  put(vfs, '/b', 'y');
  return [vfs.statSync('/a').modifiedMs, vfs.statSync('/b').modifiedMs];
}

describe('MemoryVfs', () => {
  it('gives equal runs equal times, and later changes later ones', () => {
    const [first = 0, second = 0] = timesOfRun();
    assert.deepEqual(timesOfRun(), [first, second]);
    assert.ok(first < second);
  });
});
