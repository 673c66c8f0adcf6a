/** The programs of `docs/crash-tests.md`, run as written. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { findSnippets } from '../support/documents.ts';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const page = readFileSync(join(top, 'docs/crash-tests.md'), 'utf8');
const programs = findSnippets(page).filter(({ language }) => language === 'js');

test('the page has programs', () => {
  assert.equal(programs.length, 2);
});

for (const { text, line } of programs) {
  test(`the program at line ${line} does what the page says`, () => {
    const args = ['--input-type=module', '--eval', text];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: top, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}
