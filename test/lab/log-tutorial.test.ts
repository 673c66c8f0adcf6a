/** The programs of `docs/log-tutorial.md`: those of `examples/log`, run as they are, and again where they left off. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { findSnippets } from '../support/documents.ts';
import { temporaryDirectory, type TestScope } from '../support/temporary-directory.ts';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = join(top, 'dist/cli/main.js');

/** Runs words with Node in a directory where the package is installed. */
function runner(scope: TestScope): (...words: string[]) => { status: number | null; text: string } {
  const directory = temporaryDirectory(scope);
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(top, join(directory, 'node_modules/holdfast'));
  return (...words) => {
    const [name = ''] = words;
    if (name.endsWith('.mjs')) copyFileSync(join(top, 'examples/log', name), join(directory, name));
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      cwd: directory,
      encoding: 'utf8',
    });
    return { status, text: stdout + stderr };
  };
}

test('the page shows the programs as they are, each about thirty lines', () => {
  const page = readFileSync(join(top, 'docs/log-tutorial.md'), 'utf8');
  const shown = findSnippets(page).filter(({ language }) => language === 'js');
  const names = ['event-log', 'job-queue', 'state-machine'];
  const programs = names.map((name) => readFileSync(join(top, `examples/log/${name}.mjs`), 'utf8'));
  assert.deepEqual(
    shown.map(({ text }) => text.trim()),
    programs.map((text) => text.trim()),
  );
  for (const text of programs) assert.ok(text.split('\n').length <= 36);
});

test('the event log shows what came, and after a restart what is there', (t) => {
  const run = runner(t);
  // Who follows hears of an event at about the time at which the writer does: in which order is not said.
  const linesOf = (text: string, follower: boolean): string[] =>
    text
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('came') === follower);
  const first = run('event-log.mjs').text;
  assert.deepEqual(linesOf(first, true), ['came: 1', 'came: 2', 'came: 3']);
  assert.deepEqual(linesOf(first, false), ['1 opened', '2 paid', '3 shipped']);
  const again = run('event-log.mjs').text;
  assert.deepEqual(linesOf(again, true), ['came: 4', 'came: 5', 'came: 6']);
  assert.deepEqual(linesOf(again, false).slice(2), [
    '3 shipped',
    '4 opened',
    '5 paid',
    '6 shipped',
  ]);
  assert.match(run(MAIN, 'dump', 'events').text, /bytes sequence 6 bytes .*shipped/);
  assert.deepEqual(run(MAIN, 'verify', 'events').status, 0);
});

test('the job queue goes on where it was, and begins anew when it is empty', (t) => {
  const run = runner(t);
  const texts = [1, 2, 3, 4].map(() => run('job-queue.mjs').text);
  assert.deepEqual(texts, [
    'does a, 3 waited\n',
    'does b, 2 waited\n',
    'does c, 1 waited\n',
    'does a, 3 waited\n',
  ]);
});

test('the state machine adds up over restarts and checkpoints', (t) => {
  const run = runner(t);
  for (let round = 1; round <= 4; round++) {
    const expected = `{"bank":${-35 * round},"ada":${35 * round}}\n`;
    assert.deepEqual(run('state-machine.mjs'), { status: 0, text: expected });
  }
  assert.match(run(MAIN, 'dump', 'accounts').text, /checkpoint sequence/);
});
