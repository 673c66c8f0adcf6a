import assert from 'node:assert/strict';
import { test } from 'node:test';

import { treeDigest } from '../../../../src/lab/replay/tree-digest.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../../../src/vfs/file-tree.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function directory(entries: Record<string, FileTreeNode>, mode = 0o755): FileTreeDirectory {
  return { kind: 'directory', mode, entries: new Map(Object.entries(entries)) };
}

function file(text: string, mode = 0o644): FileTreeNode {
  return { kind: 'file', mode, content: bytes(text) };
}

test('equal trees have equal digests, whatever the order of their entries and their inode numbers', () => {
  const one = directory({ a: file('x'), b: directory({ c: file('y') }) });
  const entries: [string, FileTreeNode][] = [
    ['b', directory({ c: { kind: 'file', mode: 0o644, content: bytes('y'), inode: 7 } })],
    ['a', file('x')],
  ];
  const other: FileTreeDirectory = { ...one, entries: new Map(entries), inode: 1 };
  assert.equal(treeDigest(one), treeDigest(other));
});

test('every difference that a reader can see changes the digest', () => {
  const trees = [
    directory({}),
    directory({}, 0o700),
    directory({ a: file('') }),
    directory({ a: directory({}) }),
    directory({ a: file('x') }),
    directory({ a: file('x', 0o600) }),
    directory({ b: file('x') }),
    directory({ a: file('x'), b: file('') }),
    directory({ a: file(''), b: file('x') }),
    directory({ a: { kind: 'symlink', target: 'x' } }),
    directory({ a: { kind: 'symlink', target: 'y' } }),
    directory({ a: directory({ b: file('') }) }),
    directory({ a: directory({}), b: file('') }),
  ];
  const digests = new Set(trees.map(treeDigest));
  assert.equal(digests.size, trees.length);
});

test('the digest is stable across versions of the program', () => {
  const tree = directory({ a: file('x'), link: { kind: 'symlink', target: 'a' } });
  assert.equal(
    treeDigest(tree),
    '0c3ebeb3fd14cd29c53fa928a323808240f961290e72ab2a34e63427c151705c',
  );
});
