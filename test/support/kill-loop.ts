/**
 * A process with a store is killed again and again under load: the next one finds all that had resolved, under every
 * policy, and a state that was. The programs make numbered commits and say which were kept.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { EngineKind } from '../../src/engine/engine-kind.ts';
import { textEntries } from './lsm-stores.ts';
import { numberedState } from './numbered-commits.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A program, compiled, that takes a directory and a seed, and the engine that it uses. */
export interface KilledProgram {
  readonly kind: EngineKind;
  readonly program: string;
}

/** What one process said before it was killed, when it had said so many lines. */
async function lived(
  { kind, program }: KilledProgram,
  directory: string,
  seed: number,
  linesMax: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [program, directory, String(seed)], {
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
    if (refusals.length === 0) refusals.push(assert.rejects(kind.open(directory), refusal));
    if (lines >= linesMax) void Promise.allSettled(refusals).then(() => child.kill('SIGKILL'));
  });
  await once(child, 'close');
  assert.equal(child.signalCode, 'SIGKILL', errors);
  await Promise.all(refusals);
  return text.split('\n').slice(0, -1);
}

/** So many processes, one after the other. `HOLDFAST_RUNS=200` is a long loop. */
export async function killLoop(
  t: TestContext,
  program: KilledProgram,
  usualRounds: number,
): Promise<void> {
  const rounds = Number(process.env['HOLDFAST_RUNS'] ?? usualRounds);
  const directory = join(temporaryDirectory(t), 'store');
  let kept = 0;
  for (let round = 1; round <= rounds; round++) {
    const said = await lived(program, directory, round, 100 + ((round * 137) % 400));
    const opened = Number(/^opened (\d+)$/.exec(said[0] ?? '')?.[1]);
    assert.ok(opened >= kept, `round ${round} found ${opened} commits, and ${kept} had resolved`);
    const numbers = said.slice(1).map((line) => Number(line.slice('kept '.length)));
    kept = Math.max(kept, opened, ...numbers);
  }
  const engine = await program.kind.open(directory);
  const last = Number(engine.getSync(Buffer.from('last')));
  assert.ok(last >= kept, `${last} of ${kept}`);
  assert.deepEqual(await textEntries(engine), numberedState(last));
  const { damage } = await engine.verify();
  assert.deepEqual(damage, []);
  await engine.close();
  t.diagnostic(`${kept} commits resolved`);
}
