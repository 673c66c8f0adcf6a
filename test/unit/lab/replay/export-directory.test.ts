import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ExportedDirectory, exportDirectory } from '../../../../src/lab/replay/export-directory.ts';
import { importDirectory } from '../../../../src/lab/replay/import-directory.ts';
import { treeDigest } from '../../../../src/lab/replay/tree-digest.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../../../src/vfs/file-tree.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

function directory(entries: Record<string, FileTreeNode>, mode = 0o700): FileTreeDirectory {
  return { kind: 'directory', mode, entries: new Map(Object.entries(entries)) };
}

function file(text: string, mode = 0o644, inode?: number): FileTreeNode {
  const content = new TextEncoder().encode(text);
  return inode === undefined
    ? { kind: 'file', mode, content }
    : { kind: 'file', mode, content, inode };
}

function assertHolds(path: string, tree: FileTreeDirectory): void {
  const { tree: found, skipped } = importDirectory(path);
  assert.deepEqual(skipped, []);
  assert.equal(treeDigest(found), treeDigest(tree));
}

const sample = directory({
  'a.json': file('{"a":1}', 0o600),
  empty: file(''),
  run: file('#!/bin/sh\n', 0o755),
  'name with\nnewline': file('odd'),
  ' ü ': file('utf-8'),
  closed: directory({ inside: file('x', 0o000) }, 0o000),
  link: { kind: 'symlink', target: '../../outside' },
  sub: directory({ deeper: directory({ leaf: file('leaf') }, 0o755) }, 0o555),
});

test('a tree that is written and read back is the same tree, modes included', (context) => {
  const path = join(temporaryDirectory(context), 'state');
  const state = new ExportedDirectory(path);
  context.after(() => state.remove());
  state.write(sample);
  // A mode without permissions stops anyone but root from reading it back.
  if (process.getuid?.() === 0) assertHolds(path, sample);
  assert.equal(lstatSync(join(path, 'closed')).mode & 0o777, 0);
  assert.equal(lstatSync(path).mode & 0o777, 0o700);
  state.remove();
  assert.equal(existsSync(path), false);
});

test('names with one inode number become hard links of one file', (context) => {
  const path = join(temporaryDirectory(context), 'state');
  exportDirectory(
    directory({
      a: file('x', 0o644, 5),
      b: directory({ c: file('x', 0o644, 5) }),
      d: file('x', 0o644, 6),
    }),
    path,
  );
  assert.equal(lstatSync(join(path, 'a')).ino, lstatSync(join(path, 'b/c')).ino);
  assert.notEqual(lstatSync(join(path, 'a')).ino, lstatSync(join(path, 'd')).ino);
  const { tree } = importDirectory(path);
  const [a, d] = [tree.entries.get('a'), tree.entries.get('d')];
  assert.equal(a?.inode, 1);
  assert.equal(d?.inode, undefined);
});

test('set-user-id bits of a recorded file are left out, the other bits are kept', (context) => {
  const path = join(temporaryDirectory(context), 'state');
  exportDirectory(directory({ a: file('x', 0o6755), d: directory({}, 0o3777) }), path);
  assert.equal(lstatSync(join(path, 'a')).mode & 0o7777, 0o755);
  assert.equal(lstatSync(join(path, 'd')).mode & 0o7777, 0o1777);
});

test('names that leave the directory are refused before anything is written', (context) => {
  const path = join(temporaryDirectory(context), 'state');
  for (const name of ['..', '.', '', 'a/b', '../a', '/etc/passwd', 'a\0b']) {
    for (const node of [file('x'), directory({}), { kind: 'symlink', target: 'x' } as const]) {
      const tree = directory({ first: file('x'), sub: directory({ [name]: node }) });
      assert.throws(
        () => exportDirectory(tree, path),
        { code: 'HOLDFAST_USAGE', message: /refused/ },
        JSON.stringify(name),
      );
      assert.equal(existsSync(path), false);
    }
  }
});

test('nothing is ever written through a link, recorded or left by a checker', (context) => {
  const outside = temporaryDirectory(context);
  const path = join(temporaryDirectory(context), 'state');
  const state = new ExportedDirectory(path);
  writeFileSync(join(outside, 'victim'), 'safe');
  state.write(directory({ sub: { kind: 'symlink', target: outside } }));
  state.write(directory({ sub: directory({ victim: file('overwritten') }) }));
  assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'safe');
  // A checker that puts links where files and directories were.
  rmSync(join(path, 'sub'), { recursive: true });
  symlinkSync(outside, join(path, 'sub'));
  state.write(directory({ sub: directory({ victim: file('again') }) }));
  assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'safe');
  assert.equal(readFileSync(join(path, 'sub/victim'), 'utf8'), 'again');
  rmSync(path, { recursive: true });
  symlinkSync(outside, path);
  state.write(directory({ victim: file('third') }));
  assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'safe');
  assertHolds(path, directory({ victim: file('third') }));
});

test('an existing path is never written into', (context) => {
  const path = temporaryDirectory(context);
  assert.throws(() => exportDirectory(sample, path), { code: 'HOLDFAST_USAGE' });
});

test('what the next tree shares with the last is left in place, the rest is changed', (context) => {
  const path = join(temporaryDirectory(context), 'state');
  const state = new ExportedDirectory(path);
  const kept = file('kept');
  state.write(directory({ kept, changed: file('1'), gone: file('x'), turned: file('x') }));
  const before = lstatSync(join(path, 'kept'), { bigint: true });
  const next = directory({ kept, changed: file('2'), turned: directory({ a: file('new') }) });
  state.write(next);
  assertHolds(path, next);
  const after = lstatSync(join(path, 'kept'), { bigint: true });
  assert.equal(after.ino, before.ino);
  assert.equal(after.ctimeNs, before.ctimeNs);
});

test('whatever a checker did to the directory is undone by the next export', (context) => {
  const path = join(temporaryDirectory(context), 'state');
  const state = new ExportedDirectory(path);
  const tree = directory({
    a: file('aaaa'),
    b: file('bbbb'),
    sub: directory({ c: file('cccc') }, 0o755),
    link: { kind: 'symlink', target: 'a' },
  });
  const at = (name: string): string => join(path, name);
  const deeds: Record<string, () => void> = {
    nothing: () => undefined,
    'same size': () => writeFileSync(at('a'), 'AAAA'),
    append: () => appendFileSync(at('sub/c'), 'more'),
    remove: () => rmSync(at('b')),
    'new file': () => writeFileSync(at('sub/new'), ''),
    'new directory': () => mkdirSync(at('new')),
    'copied over with its times': () => {
      copyFileSync(at('a'), at('b'));
      const { atime, mtime } = lstatSync(at('a'));
      utimesSync(at('b'), atime, mtime);
    },
    'renamed over': () => renameSync(at('a'), at('b')),
    mode: () => chmodSync(at('a'), 0o600),
    'mode of a directory': () => chmodSync(at('sub'), 0o000),
    'mode of the root': () => chmodSync(path, 0o000),
    'another link': () => {
      rmSync(at('link'));
      symlinkSync('b', at('link'));
    },
    'all gone': () => rmSync(path, { recursive: true }),
    'a file instead': () => {
      rmSync(path, { recursive: true });
      writeFileSync(path, 'x');
    },
  };
  const other = directory({ ...Object.fromEntries(tree.entries), extra: file('e') });
  for (const [deed, act] of Object.entries(deeds)) {
    state.write(tree);
    act();
    state.write(other);
    assert.equal(treeDigest(importDirectory(path).tree), treeDigest(other), deed);
  }
});

test('a write that fails leaves the directory to be written anew', (context) => {
  const path = join(temporaryDirectory(context), 'state');
  const state = new ExportedDirectory(path);
  state.write(directory({ a: file('1') }));
  const long = 'n'.repeat(300);
  assert.throws(() => state.write(directory({ a: file('2'), [long]: file('x') })), {
    code: 'ENAMETOOLONG',
  });
  const tree = directory({ b: file('3') });
  state.write(tree);
  assertHolds(path, tree);
});
