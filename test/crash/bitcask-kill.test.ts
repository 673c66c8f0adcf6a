/**
 * A process with a Bitcask store is killed again and again, while it writes, rotates and merges: the next one finds
 * all that had resolved, under every policy. `HOLDFAST_RUNS` says how often (6).
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { temporaryDirectory } from '../support/temporary-directory.ts';

const PROGRAM = fileURLToPath(new URL('bitcask-program.js', import.meta.url));
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

test('a process with a store that is killed under load loses nothing that had resolved', async (t) => {
  const top = temporaryDirectory(t);
  const [directory, marksPath] = [join(top, 'store'), join(top, 'marks')];
  let marks: string[] = [];
  let kept = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    writeFileSync(marksPath, marks.join('\n'));
    const said = await lived([directory, marksPath, String(round)], 10 + (round % 7) * 41);
    const opened = said.findIndex((mark) => mark.startsWith('opened '));
    assert.equal(opened, 0, 'the store was opened and judged');
    // What it found stands for everything before.
    marks = [...labelsOf(said[0]!).map((label) => `issue ${label}`), ...said];
    kept += said.filter((mark) => mark.startsWith('durable ')).length;
  }
  assert.ok(kept >= ROUNDS * 4, `${kept} commits`);
  t.diagnostic(`${kept} commits resolved`);
});

function labelsOf(opened: string): string[] {
  return opened.split(' ').slice(2);
}
