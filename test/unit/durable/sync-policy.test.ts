import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toSyncPolicy } from '../../../src/durable/sync-policy.ts';

test('true is sync, false is none, the words are themselves', () => {
  assert.equal(toSyncPolicy(true), 'sync');
  assert.equal(toSyncPolicy(false), 'none');
  for (const word of ['sync', 'batch', 'none'] as const) assert.equal(toSyncPolicy(word), word);
});

test('without an option the fallback counts, and the fallback of all is sync', () => {
  assert.equal(toSyncPolicy(undefined), 'sync');
  assert.equal(toSyncPolicy(undefined, 'batch'), 'batch');
});

test('a policy that does not exist is refused, naming it', () => {
  assert.throws(() => toSyncPolicy('snyc' as 'sync'), {
    name: 'TypeError',
    message: /not 'snyc'/,
  });
});
