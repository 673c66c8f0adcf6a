import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UsageError } from '../../../../src/base/errors.ts';
import { MarkCounter } from '../../../../src/lab/powercut/rehearsal.ts';
import type { MarkOperation } from '../../../../src/lab/record/operation.ts';

function said(source: MarkOperation['source'], text: string): MarkOperation {
  return { kind: 'mark', source, text, start: 0, end: 1, thread: 0, stack: -1, path: '' };
}

const RECORDED = [
  said('stdout', 'one\n'),
  said('mark', 'exact'),
  said('stdout', 'two\n'),
  said('stdout', 'rest'),
  said('exit', '0'),
];

function counted(...noted: readonly MarkOperation[]): number {
  return new MarkCounter(RECORDED).upTo(noted).length;
}

test('the rig may note several lines at once, and a mark before a line that was written first', () => {
  assert.equal(counted(), 0);
  assert.equal(counted(said('mark', 'exact')), 0);
  assert.equal(counted(said('mark', 'exact'), said('stdout', 'one\n')), 2);
  assert.equal(counted(said('stdout', 'one\ntwo\n')), 1);
  assert.equal(counted(said('stdout', 'one\ntwo\n'), said('mark', 'exact')), 3);
  const all = [said('mark', 'exact'), said('stdout', 'one\ntwo\nrest'), said('exit', '0')];
  assert.equal(counted(...all), RECORDED.length);
});

test('a run that says something else than the recorded one is refused', () => {
  const counter = new MarkCounter(RECORDED);
  counter.requireSame([said('stdout', 'one\ntwo\nrest'), said('mark', 'exact')]);
  for (const noted of [
    [said('stdout', 'one\ntwo\nrest')],
    [said('stdout', 'one\ntwo\nother'), said('mark', 'exact')],
    [said('stdout', 'one\ntwo\nrest'), said('mark', 'exac'), said('mark', 't')],
  ]) {
    assert.throws(() => counter.requireSame(noted), UsageError);
  }
});
