/** `--html FILE`: where the page goes, and what becomes of a place that it cannot go to. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { temporaryDirectory } from '../support/temporary-directory.ts';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

test('the page is written beside what is printed, and a place it cannot have is named', (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'root'));
  const program = `require('node:fs').writeFileSync('root/made', 'new')`;
  const run = (command: string, file: string): ReturnType<typeof spawnSync> => {
    const words = [main, command, '--root', 'root', '--html', file, '--', 'node', '-e', program];
    return spawnSync(process.execPath, words, { cwd: directory, encoding: 'utf8' });
  };
  writeFileSync(join(directory, 'page.html'), 'what was there');
  const { status, stdout } = run('audit', 'page.html');
  assert.equal(status, 1);
  assert.match(String(stdout), /name-not-durable/);
  const text = readFileSync(join(directory, 'page.html'), 'utf8');
  assert.match(text, /^<!doctype html>[^]*name-not-durable[^]*<\/html>\s*$/);
  assert.deepEqual(readdirSync(directory).toSorted(), ['page.html', 'root']);
  const nowhere = run('audit', 'nowhere/page.html');
  assert.equal(nowhere.status, 2);
  assert.match(
    String(nowhere.stderr),
    /^holdfast audit: .*page\.html cannot be written: .*ENOENT.*\n$/,
  );
});
