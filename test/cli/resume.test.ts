/** A run of `holdfast explore` that is interrupted or runs out of budget, and the one that goes on with it. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { TraceBuilder } from '../../src/lab/record/trace-builder.ts';
import { writeTraceFile } from '../../src/lab/record/trace-writer.ts';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-resume-'));
  for (const [name, count] of [
    ['small', 5],
    ['large', 40],
  ] as const) {
    const builder = new TraceBuilder();
    for (let step = 0; step < count; step++) builder.create(`f${step}`);
    writeTraceFile(join(directory, name), builder.build());
  }
});

after(() => {
  rmSync(directory, { recursive: true, force: true });
});

function explore(words: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, 'explore', ...words.split(' ')], {
    cwd: directory,
    encoding: 'utf8',
  });
}

test('runs with a small budget that go on with each other end like one run', () => {
  const words = 'small --model posix --json';
  const { models } = JSON.parse(explore(words).stdout) as { models: object[] };
  let last = explore(`${words} --budget 12 --resume kept`);
  assert.equal(last.status, 3);
  for (let run = 2; last.status === 3 && run < 10; run++) {
    last = explore(`${words} --budget 12 --resume kept`);
  }
  assert.equal(last.status, 0, last.stderr);
  const resumed = JSON.parse(last.stdout) as { models: Record<string, unknown>[] };
  const [whole] = models as Record<string, unknown>[];
  for (const field of ['statesAllowed', 'disksDistinct', 'complete', 'crashPointsWalked']) {
    assert.equal(resumed.models[0]?.[field], whole?.[field], field);
  }
  assert.equal(resumed.models[0]?.['runs'], 3);
});

test('an interrupted run says what it covered, and the next one goes on from there', async () => {
  const begun = join(directory, 'begun');
  const words = ['explore', 'large', '--model', 'posix', '--resume', 'state', '--json'];
  // The first two runs are on the undamaged disks, before anything is explored.
  const check = `echo run >> ${begun}.runs; test $(wc -l < ${begun}.runs) -lt 4 || touch ${begun}`;
  const child = spawn(process.execPath, [main, ...words, '--check', check], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, told] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const waiting = setInterval(() => {
    if (existsSync(begun)) child.kill('SIGINT');
    if (existsSync(begun)) clearInterval(waiting);
  }, 50);
  const [status] = await new Promise<[number | null]>((resolve) => {
    child.on('close', (code) => resolve([code]));
  });
  assert.equal(status, 130, told);
  assert.match(told, /to go on: holdfast explore large --resume state/);
  const first = JSON.parse(out) as { verdict: string; models: Record<string, number>[] };
  assert.equal(first.verdict, 'incomplete');
  assert.ok(existsSync(join(directory, 'state')));
  const again = [...words, '--check', check, '--budget', '10'];
  const next = spawnSync(process.execPath, [main, ...again], { cwd: directory, encoding: 'utf8' });
  const second = JSON.parse(next.stdout) as { models: Record<string, number>[] };
  assert.equal(second.models[0]?.['disksDistinct'], (first.models[0]?.['disksDistinct'] ?? 0) + 10);
  assert.equal(second.models[0]?.['runs'], 2);
});

test('what cannot be gone on with is refused before anything is explored', () => {
  explore('small --model posix --resume other');
  for (const [words, says] of [
    ['large --resume other', /other is of another trace/],
    ['small --resume other --seed 2', /other was explored with seed 1/],
    ['small --resume small', /small does not say how far an exploration came/],
    ['small --resume ', /--resume is empty/],
    ['small --model ', /--model is empty/],
    ['small --jobs 0', /--jobs takes a whole number from 1/],
  ] as const) {
    const { status, stderr } = explore(words);
    assert.match(stderr, says, words);
    assert.equal(status, 2, words);
  }
});
