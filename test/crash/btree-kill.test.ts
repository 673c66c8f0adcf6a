/**
 * A process with a B+tree is killed again and again under load: the next one finds all that had
 * resolved, under every policy, and a state that was. HOLDFAST_RUNS=200 for a long loop.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { btreeKind } from '../../src/btree/btree-kind.ts';
import { numberedState } from '../support/numbered-commits.ts';
import { textEntries } from '../support/lsm-stores.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PROGRAM = fileURLToPath(new URL('btree-program.js', import.meta.url));
const ROUNDS = Number(process.env['HOLDFAST_RUNS'] ?? 2);

/** What one process said before it was killed, when it had said so many lines. */
async function lived(directory: string, seed: number, linesMax: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, directory, String(seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [text, errors, lines] = ['', '', 0];
  const refusals: Promise<void>[] = [];
  child.stderr.setEncoding('utf8').on('data', (more: string) => (errors += more));
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    lines += more.split('\n').length - 1;
    // It has the store: nobody else gets it.
    const message = new RegExp(`process ${child.pid}\\b`);
    const refusal = { code: 'HOLDFAST_LOCKED', message };
    if (refusals.length === 0) refusals.push(assert.rejects(btreeKind.open(directory), refusal));
    if (lines >= linesMax) void Promise.allSettled(refusals).then(() => child.kill('SIGKILL'));
  });
  await once(child, 'close');
  assert.equal(child.signalCode, 'SIGKILL', errors);
  await Promise.all(refusals);
  return text.split('\n').slice(0, -1);
}

test('a process with a B+tree that is killed under load loses nothing that had resolved', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  let kept = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const said = await lived(directory, round, 100 + ((round * 137) % 400));
    const opened = Number(/^opened (\d+)$/.exec(said[0] ?? '')?.[1]);
    assert.ok(opened >= kept, `round ${round} found ${opened} commits, and ${kept} had resolved`);
    const numbers = said.slice(1).map((line) => Number(line.slice('kept '.length)));
    kept = Math.max(kept, opened, ...numbers);
  }
  const engine = await btreeKind.open(directory);
  const last = Number(engine.getSync(Buffer.from('last')));
  assert.ok(last >= kept, `${last} of ${kept}`);
  assert.deepEqual(await textEntries(engine), numberedState(last));
  const { damage } = await engine.verify();
  assert.deepEqual(damage, []);
  await engine.close();
  t.diagnostic(`${kept} commits resolved`);
});
