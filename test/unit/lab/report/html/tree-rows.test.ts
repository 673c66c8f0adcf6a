import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compareTrees } from '../../../../../src/lab/report/html/tree-rows.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../../../../src/vfs/file-tree.ts';

function directory(entries: Readonly<Record<string, FileTreeNode>>): FileTreeDirectory {
  return { kind: 'directory', mode: 0o755, entries: new Map(Object.entries(entries)) };
}

function file(content: string | Uint8Array): FileTreeNode {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return { kind: 'file', mode: 0o644, content: bytes };
}

test('a path is missing, different, unexpected or the same', () => {
  const expected = directory({
    gone: file('x'),
    log: file('one two'),
    same: file('s'),
    below: directory({ a: file('1') }),
  });
  const crashed = directory({
    back: file('y'),
    log: file('one'),
    same: file('s'),
    below: directory({ a: file('2') }),
  });
  const { rows } = compareTrees(expected, crashed);
  assert.deepEqual(
    rows.map(({ path, difference }) => `${path} ${difference}`),
    [
      'back unexpected',
      'below/a different',
      'gone missing',
      'log different',
      'below same',
      'same same',
    ],
  );
});

test('an excerpt begins shortly before the first byte that differs', () => {
  const [row] = compareTrees(
    directory({ log: file(`${'x'.repeat(5000)}new`) }),
    directory({ log: file(`${'x'.repeat(5000)}old`) }),
  ).rows;
  assert.equal(row?.crashed?.from, 4976);
  assert.equal(row.crashed.excerpt, `${'x'.repeat(24)}old`);
});

test('zeros are counted, and what is no text is shown as numbers', () => {
  const [zeros, bytes] = compareTrees(
    directory({ a: file('abcd'), b: file('abcd') }),
    directory({ a: file(new Uint8Array(4)), b: file(new Uint8Array([1, 2, 3, 250])) }),
  ).rows;
  assert.equal(zeros?.crashed?.excerpt, '4 zero bytes');
  assert.equal(bytes?.crashed?.excerpt, '01 02 03 fa');
});

test('of thousands of paths those that differ are shown, and the others are counted', () => {
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`f${at}`, file('x')]));
  const { rows, moreDifferent, moreSame } = compareTrees(
    directory({ ...many, z: file('1') }),
    directory({ ...many, z: file('2') }),
  );
  assert.equal(rows[0]?.path, 'z');
  assert.equal(moreDifferent, 0);
  assert.equal(rows.length - 1 + moreSame, 2000);
});
