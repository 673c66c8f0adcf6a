import assert from 'node:assert/strict';
import { test } from 'node:test';

import { repairText } from '../../../../src/lab/report/text-report.ts';

test('a proof says which syncs were added, and what came of it', () => {
  const proof = (added: number, distinct: number, complete = true): string =>
    repairText({ added, distinct, complete });
  assert.equal(proof(1, 1), 'with this sync added, the one disk that is left passes');
  assert.equal(
    proof(2, 7),
    'with this sync and the other one of these findings added, none of 7 disks fails',
  );
  assert.equal(
    proof(3, 7, false),
    'with this sync and the 2 others of these findings added, some of 7 disks still fail or could not be looked at',
  );
});
