import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../../src/base/prng.ts';
import { ChoicePath } from '../../../../src/lab/explore/choice-path.ts';
import type { ChoiceSubject } from '../../../../src/lab/explore/crash-space.ts';
import { StateSampler } from '../../../../src/lab/explore/state-sampler.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { splitTrace } from '../../../../src/lab/model/split-trace.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

test('every combination is walked once, also where a choice changes what is asked next', () => {
  const path = new ChoicePath();
  const seen: string[] = [];
  do {
    path.begin();
    const first = path.choose(2);
    const second = first === 0 ? path.choose(3) : 9;
    seen.push(`${first}${second}${path.choose(2)}`);
  } while (path.next());
  assert.deepEqual(seen, ['000', '001', '010', '011', '020', '021', '190', '191']);
});

test('a run that asks for nothing has one combination', () => {
  const path = new ChoicePath();
  path.begin();
  assert.equal(path.next(), false);
});

/** Runs of the sampler over creations in two directories; each run as the creations that it lost. */
function draw(seed: number, runs: number): string[] {
  const builder = new TraceBuilder({ files: { 'd/': '' } });
  for (const name of ['a', 'b', 'c', 'd/a', 'd/b', 'd/c']) builder.create(name);
  const { changes } = splitTrace(builder.build(), modelByName('posix'));
  const subjects = changes.map((change): ChoiceSubject => ({ kind: 'change', change }));
  const sampler = new StateSampler(new Prng(seed));
  const drawn: string[] = [];
  for (let run = 0; run < runs; run++) {
    sampler.begin();
    drawn.push(subjects.map((subject) => sampler.choose(2, subject)).join(''));
  }
  return drawn;
}

test('the same seed draws the same states, another seed others', () => {
  assert.deepEqual(draw(7, 64), draw(7, 64));
  assert.notDeepEqual(draw(7, 64), draw(8, 64));
});

test('every kind of loss is drawn: one thing, a directory, everything, everything but one', () => {
  const drawn = new Set(draw(1, 256));
  for (const loss of ['100000', '000111', '111111', '111011']) {
    assert.ok(drawn.has(loss), `${loss} is among ${[...drawn].join(' ')}`);
  }
});
