/** The judge of promises: that it objects to each kind of broken promise, and to nothing else. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { demandsOf, judgeLog, judgeState } from '../../support/promise-oracle.ts';

const ISSUED = ['issue a', 'issue b', 'issue c', 'issue d'];

function judge(marks: readonly string[], labels: string, first = 0): string {
  return judgeLog(demandsOf(marks), { first, labels: [...labels] }).join('; ');
}

describe('the judge of a log', () => {
  it('takes every prefix when nothing was promised', () => {
    for (const labels of ['', 'a', 'ab', 'abcd']) assert.equal(judge(ISSUED, labels), '');
  });

  it('wants all that is durable (P1)', () => {
    assert.match(judge([...ISSUED, 'durable b'], 'a'), /^P1: 'b' is gone/);
    assert.equal(judge([...ISSUED, 'durable b'], 'ab'), '');
  });

  it('refuses a hole, another order, and what was not issued (P2)', () => {
    for (const labels of ['ac', 'ba', 'abcde', 'aa']) {
      assert.match(judge(ISSUED, labels), /^P2: commit/, labels);
    }
    assert.match(judge(ISSUED, 'bc', 1), /^P2: the first is commit 1, and only 0 may be gone/);
  });

  it('refuses what was refused', () => {
    const marks = [...ISSUED, 'refused b', 'issue e'];
    assert.match(judge(marks, 'abcd'), /^P2/);
    assert.equal(judge(marks, 'acde'), '');
  });

  it('lets what had not settled be missing where calls may fail, and nothing else', () => {
    const marks = ['faults', ...ISSUED, 'durable a', 'kept c'];
    assert.equal(judge(marks, 'acd'), '');
    assert.equal(judge(marks, 'abcd'), '');
    assert.equal(judge(marks, 'a'), '');
    assert.match(judge(marks, 'abd'), /^P2/);
    assert.match(judge(marks, 'b'), /^P2/);
  });

  it('lets the front go while it is being removed, and wants it gone afterwards (P5)', () => {
    const removing = [...ISSUED, 'durable d', 'removing 2'];
    assert.equal(judge(removing, 'abcd'), '');
    assert.equal(judge(removing, 'bcd', 1), '');
    assert.match(judge(removing, 'd', 3), /^P2: the first is commit 3/);
    assert.match(judge([...removing, 'removed 2'], 'bcd', 1), /^P5: commit 1 is back/);
    assert.equal(judge([...removing, 'removed 2'], 'cd', 2), '');
    assert.match(judge([...removing, 'removed 2'], '', 2), /^P1/);
  });

  it('wants what recovery served, and nothing of what it dropped (P5, P6)', () => {
    const marks = [...ISSUED, 'durable a', 'opened 0 a b', 'issue e'];
    assert.match(judge(marks, 'a'), /^P1: 'b' is gone/);
    assert.match(judge(marks, 'abc'), /^P2/);
    assert.equal(judge(marks, 'ab'), '');
    assert.equal(judge(marks, 'abe'), '');
  });

  it('says when a test marks what it does not know', () => {
    assert.throws(() => demandsOf(['done']), /no mark of a promise/);
    assert.throws(() => demandsOf(['durable a']), /never issued/);
  });
});

describe('the judge of a store', () => {
  const state = (commits: readonly string[]): string => [...commits].toSorted().join('');

  it('takes what some number of commits makes, from the durable ones on', () => {
    const demands = demandsOf([...ISSUED, 'durable b']);
    const shown = (text: string): string =>
      judgeState(demands, (commits) => state(commits) === text).join();
    assert.equal(shown('ab'), '');
    assert.equal(shown('abcd'), '');
    assert.match(shown('a'), /^P1: 'b' is gone/);
    assert.match(shown('abd'), /^P2/);
  });
});
