import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CheckerRunner } from '../../../../src/lab/check/checker-runner.ts';
import type { Checker, CrashedDisk, Verdict } from '../../../../src/lab/check/checker.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';

const anyDisk: CrashedDisk = { root: treeOf({}), marks: [] };
const passed: Verdict = { ok: true };

/** A checker whose answers the test gives. */
class Puppet implements Checker {
  readonly name = 'puppet';
  readonly concurrency = 2;
  readonly answers: ((verdict: Verdict | Error) => void)[] = [];

  check(): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      this.answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
    });
  }
}

test('a checker that answers at once is heard at once', () => {
  const heard: number[] = [];
  const runner = new CheckerRunner<number>({ name: 'x', check: () => passed }, (tag) => {
    heard.push(tag);
  });
  assert.equal(runner.submit(anyDisk, 1), undefined);
  assert.deepEqual(heard, [1]);
});

test('as many checks run at once as the checker can use, and no more', async () => {
  const puppet = new Puppet();
  const heard: number[] = [];
  const runner = new CheckerRunner<number>(puppet, (tag) => heard.push(tag));
  assert.equal(runner.submit(anyDisk, 1), undefined);
  const room = runner.submit(anyDisk, 2);
  assert.ok(room instanceof Promise);
  puppet.answers[1]?.(passed);
  await room;
  assert.deepEqual(heard, [2]);
  const second = runner.submit(anyDisk, 3);
  puppet.answers[2]?.(passed);
  puppet.answers[0]?.(passed);
  await second;
  await runner.drain();
  assert.deepEqual(
    heard.toSorted((a, b) => a - b),
    [1, 2, 3],
  );
});

test('a check that throws, or a listener that does, stops the run', async () => {
  const puppet = new Puppet();
  const runner = new CheckerRunner<number>(puppet, () => undefined);
  void runner.submit(anyDisk, 1);
  puppet.answers[0]?.(new Error('no room'));
  await assert.rejects(runner.drain(), /no room/);
  assert.throws(() => runner.submit(anyDisk, 2), /no room/);
  const other = new CheckerRunner<number>(puppet, () => {
    throw new Error('listener');
  });
  void other.submit(anyDisk, 1);
  puppet.answers.at(-1)?.(passed);
  await assert.rejects(other.drain(), /listener/);
});
