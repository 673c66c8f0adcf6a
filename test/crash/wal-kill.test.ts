/** A process with a log is killed again and again: the next one finds all that had resolved, under every policy. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { nodeVfs } from '../../src/vfs/node-vfs.ts';
import { LogStory } from '../support/log-story.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PROGRAM = fileURLToPath(new URL('wal-program.js', import.meta.url));
const ROUNDS = Number(process.env['HOLDFAST_RUNS'] ?? 6);

/** Lines that one process said before it was killed, when it had said so many. */
async function lived(args: readonly string[], linesMax: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, errors, lines] = ['', '', 0];
  child.stderr.setEncoding('utf8').on('data', (more: string) => (errors += more));
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    lines += more.split('\n').length - 1;
    if (lines >= linesMax) child.kill('SIGKILL');
  });
  await once(child, 'close');
  assert.equal(child.signalCode, 'SIGKILL', errors);
  return text.split('\n').slice(0, -1);
}

test('a process that is killed under load loses nothing that had resolved', async (t) => {
  const top = temporaryDirectory(t);
  const [directory, marksPath] = [join(top, 'log'), join(top, 'marks')];
  const marks: string[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    writeFileSync(marksPath, marks.join('\n'));
    marks.push(...(await lived([directory, marksPath, String(round)], 20 + round * 37)));
  }
  assert.ok(marks.filter((mark) => mark.startsWith('opened')).length >= ROUNDS);
  const story = new LogStory(nodeVfs, () => undefined, { directory, powered: true }, marks);
  await story.open();
  await story.close();
  t.diagnostic(`${marks.filter((mark) => mark.startsWith('kept')).length} records resolved`);
});
