import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { importDirectory } from '../../../../src/lab/replay/import-directory.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

test('files, directories and links are read as they are, and links are not followed', (context) => {
  const path = temporaryDirectory(context);
  mkdirSync(join(path, 'sub'), { mode: 0o750 });
  writeFileSync(join(path, 'sub/a'), 'text', { mode: 0o640 });
  linkSync(join(path, 'sub/a'), join(path, 'b'));
  symlinkSync('/etc', join(path, 'link'));
  const { tree, skipped } = importDirectory(path);
  assert.deepEqual(skipped, []);
  assert.deepEqual([...tree.entries.keys()], ['b', 'link', 'sub']);
  assert.deepEqual(tree.entries.get('link'), { kind: 'symlink', target: '/etc' });
  const sub = tree.entries.get('sub');
  assert.ok(sub?.kind === 'directory' && sub.mode === 0o750);
  const a = sub.entries.get('a');
  assert.ok(a?.kind === 'file' && a.mode === 0o640);
  assert.equal(new TextDecoder().decode(a.content), 'text');
  const b = tree.entries.get('b');
  assert.ok(a.inode !== undefined && b?.inode === a.inode);
});

test('what is neither file, directory nor link is left out by name', (context) => {
  if (process.platform === 'win32')
    return context.skip('Windows has no named pipes in directories');
  const path = temporaryDirectory(context);
  mkdirSync(join(path, 'sub'));
  execFileSync('mkfifo', [join(path, 'sub/pipe')]);
  const { tree, skipped } = importDirectory(path);
  assert.deepEqual(skipped, ['sub/pipe']);
  assert.deepEqual([...tree.entries.keys()], ['sub']);
});

test('a path that cannot be read is an error that names it', (context) => {
  const path = temporaryDirectory(context);
  writeFileSync(join(path, 'file'), '');
  symlinkSync('.', join(path, 'link'));
  const cases = {
    missing: /missing/,
    file: /file is not a directory/,
    link: /link is not a directory/,
  };
  for (const [name, message] of Object.entries(cases)) {
    assert.throws(() => importDirectory(join(path, name)), { code: 'HOLDFAST_USAGE', message });
  }
});
