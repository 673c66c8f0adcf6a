import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DiskKeys } from '../../../../src/lab/nested/disk-keys.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';
import { fileTree, treeFile } from '../../../support/file-tree-builder.ts';

const keys = new DiskKeys();

function differ(a: FileTreeDirectory, b: FileTreeDirectory): void {
  assert.notEqual(keys.keyOf(a), keys.keyOf(b));
}

test('equal disks have equal keys, whatever the order of their names and inodes', () => {
  const one = fileTree({ a: treeFile('x', 7), b: 'y', d: { e: '' } });
  const other = fileTree({ d: { e: treeFile('', 90) }, b: 'y', a: 'x' });
  assert.equal(keys.keyOf(one), keys.keyOf(other));
});

test('other names, contents, modes, places and kinds are other disks', () => {
  const disk = fileTree({ a: 'x', d: { e: '' } });
  differ(disk, fileTree({ b: 'x', d: { e: '' } }));
  differ(disk, fileTree({ a: 'y', d: { e: '' } }));
  differ(disk, fileTree({ a: 'x', d: {}, e: '' }));
  differ(disk, fileTree({ a: 'x', d: { e: {} } }));
  differ(disk, fileTree({ a: { kind: 'symlink', target: 'x' }, d: { e: '' } }));
  differ(disk, fileTree({ a: { ...treeFile('x'), mode: 0o600 }, d: { e: '' } }));
  differ(disk, { ...disk, mode: 0o700 });
});

test('two names of one file are told from two files with the same bytes', () => {
  const shared = fileTree({ a: treeFile('x', 3), b: treeFile('x', 3), c: 'x' });
  differ(shared, fileTree({ a: treeFile('x', 3), b: treeFile('x', 4), c: 'x' }));
  differ(shared, fileTree({ a: 'x', b: treeFile('x', 3), c: treeFile('x', 3) }));
});

test('a name cannot pass for the structure around it', () => {
  differ(fileTree({ 'a"f420:0;"b': '' }), fileTree({ a: '', b: '' }));
});
