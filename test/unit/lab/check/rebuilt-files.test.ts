/** Files that a program rebuilds: which they are, and in which forms a checker sees them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Checker } from '../../../../src/lab/check/checker.ts';
import { RebuiltChecker, RebuiltFiles } from '../../../../src/lab/check/rebuilt-files.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';
import { fileTree } from '../../../support/file-tree-builder.ts';

/** What a checker saw of each disk: the index's bytes in hex, or that it is absent. */
function watching(failsOn: string): { readonly checker: Checker; readonly seen: string[] } {
  const seen: string[] = [];
  const show = ({ entries }: FileTreeDirectory): string => {
    const node = entries.get('db-shm');
    return node?.kind === 'file' ? Buffer.from(node.content).toString('hex') : 'absent';
  };
  const checker: Checker = {
    name: 'watching',
    check({ root }) {
      seen.push(show(root));
      return show(root) === failsOn ? { ok: false, message: 'it is wrong' } : { ok: true };
    },
  };
  return { checker, seen };
}

test('a pattern without a slash is for the name in any directory, one with is for the path', () => {
  const anywhere = new RebuiltFiles(['*-shm', 'a?c']);
  for (const path of ['db-shm', 'deep/er/db-shm', 'abc', 'x/a+c'])
    assert.ok(anywhere.has(path), path);
  for (const path of ['db-shm2', 'db', 'ac', 'abcd']) assert.ok(!anywhere.has(path), path);
  const below = new RebuiltFiles(['cache/**/*.idx', 'tmp/*']);
  for (const path of ['cache/a.idx', 'cache/b/c/a.idx', 'tmp/x']) assert.ok(below.has(path), path);
  for (const path of ['a.idx', 'cache/aXidx', 'tmp/x/y']) assert.ok(!below.has(path), path);
  assert.throws(() => new RebuiltFiles(['']), { code: 'HOLDFAST_USAGE' });
});

test('only a shared mapping of such a file is explained by it', () => {
  const files = new RebuiltFiles(['*-shm']);
  assert.ok(files.explains('a shared writable mapping: db-shm'));
  assert.ok(!files.explains('a shared writable mapping: db'));
  assert.ok(!files.explains('io_uring: db-shm'));
});

test('each disk is judged with the files absent, as zeros and as garbage', async () => {
  const { checker, seen } = watching('none');
  const rebuilt = new RebuiltChecker(checker, new RebuiltFiles(['*-shm']));
  const root = fileTree({ db: 'data', 'db-shm': 'abcd' });
  assert.deepEqual(await rebuilt.check({ root, marks: [] }), { ok: true });
  assert.deepEqual(seen.slice(0, 2), ['absent', '00000000']);
  assert.equal(seen.length, 3);
  assert.ok(seen[2] !== seen[1] && seen[2]?.length === 8);
});

test('the form that fails is named, and a disk without such files is judged once as it is', async () => {
  const { checker, seen } = watching('00000000');
  const rebuilt = new RebuiltChecker(checker, new RebuiltFiles(['*-shm']));
  const verdict = await rebuilt.check({ root: fileTree({ 'db-shm': 'abcd' }), marks: [] });
  assert.deepEqual(verdict, { ok: false, message: 'it is wrong (rebuilt files full of zeros)' });
  seen.length = 0;
  assert.deepEqual(await rebuilt.check({ root: fileTree({ db: 'x' }), marks: [] }), { ok: true });
  assert.deepEqual(seen, ['absent']);
});
