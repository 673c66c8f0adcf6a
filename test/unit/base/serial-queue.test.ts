import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SerialQueue } from '../../../src/base/serial-queue.ts';

describe('SerialQueue', () => {
  it('runs jobs one at a time, in the order in which they came', async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    const job = (name: string, turns: number) => async (): Promise<string> => {
      log.push(`${name} begins`);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      log.push(`${name} ends`);
      return name;
    };
    const results = [queue.run(job('a', 9)), queue.run(job('b', 1)), queue.run(job('c', 0))];
    assert.equal(queue.pending, 3);
    assert.deepEqual(await Promise.all(results), ['a', 'b', 'c']);
    const expected = ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]);
    assert.deepEqual(log, expected);
    await queue.idle();
    assert.equal(queue.pending, 0);
  });

  it('gives a failure to its caller and goes on with the next job', async () => {
    const queue = new SerialQueue();
    const failed = queue.run(() => {
      throw new Error('broken');
    });
    const next = queue.run(() => 7);
    await assert.rejects(failed, /broken/);
    assert.equal(await next, 7);
    await queue.idle();
  });

  it('is idle when all jobs before have settled, and does not wait for later ones', async () => {
    const queue = new SerialQueue();
    let ended = false;
    const first = queue.run(async () => {
      await Promise.resolve();
      ended = true;
    });
    const idle = queue.idle();
    let release = (): void => undefined;
    const later = queue.run(() => new Promise<void>((resolve) => (release = resolve)));
    await idle;
    assert.equal(ended, true);
    assert.equal(queue.pending, 1);
    release();
    await Promise.all([first, later]);
  });
});
