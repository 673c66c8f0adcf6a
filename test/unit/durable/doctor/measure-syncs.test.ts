import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { afterEach, beforeEach } from 'node:test';
import { systemClock, type Clock } from '../../../../src/base/clock.ts';
import { measureSyncs } from '../../../../src/durable/doctor/measure-syncs.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-measure-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** A clock by which every look takes a millisecond. */
function countingClock(): Clock {
  let ms = 0;
  return { ...systemClock, monotonicMs: () => (ms += 1) };
}

test('every method is measured at least once, however short the time', async () => {
  const shares: number[] = [];
  const measurement = await measureSyncs(directory, {
    budgetMs: 0,
    clock: countingClock(),
    onProgress: (share) => void shares.push(share),
  });
  assert.equal(measurement.rounds, 1);
  for (const method of measurement.methods) {
    assert.equal(method.count, 1, method.id);
    assert.equal(method.medianUs, 1000, 'one step of the clock');
  }
  assert.equal(shares.length, 1);
});

test('rounds go on until the time is used up, and progress never passes the whole', async () => {
  const shares: number[] = [];
  const measurement = await measureSyncs(directory, {
    budgetMs: 100,
    clock: countingClock(),
    onProgress: (share) => void shares.push(share),
  });
  assert.ok(measurement.rounds > 1);
  assert.ok(shares.every((share, index) => share <= 1 && share >= (shares[index - 1] ?? 0)));
  assert.equal(shares.at(-1), 1);
});

test('nothing is left in the directory after a run', async () => {
  await measureSyncs(directory, { budgetMs: 20, clock: countingClock() });
  assert.deepEqual(readdirSync(directory), []);
});

test('nothing is left in the directory after a failure in the middle', async () => {
  let looks = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => {
      looks += 1;
      if (looks === 7) throw new Error('the clock broke');
      return looks;
    },
  };
  await assert.rejects(measureSyncs(directory, { budgetMs: 1e9, clock }), /the clock broke/);
  assert.deepEqual(readdirSync(directory), []);
});

test('an aborted run rejects after its round and leaves nothing', async () => {
  const abort = new AbortController();
  let rounds = 0;
  const run = measureSyncs(directory, {
    budgetMs: 1e9,
    clock: countingClock(),
    signal: abort.signal,
    onProgress: () => {
      rounds += 1;
      abort.abort();
    },
  });
  await assert.rejects(run, { name: 'AbortError' });
  assert.equal(rounds, 1);
  assert.deepEqual(readdirSync(directory), []);
});

test('a directory that is not there rejects with the code of the system', async () => {
  await assert.rejects(measureSyncs(join(directory, 'none')), { code: 'ENOENT' });
});
