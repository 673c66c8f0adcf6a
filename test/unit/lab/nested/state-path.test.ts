import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeStatePath, encodeStatePath } from '../../../../src/lab/nested/state-path.ts';

test('a list of states comes back from its text', () => {
  const states = [
    { position: 7, lost: [1, 2], blocks: [], orders: [{ change: 3, order: 1 }] },
    {
      position: 0,
      lost: [],
      blocks: [{ inode: 4, block: 0, outcome: '0123456789abcdef' }],
      orders: [],
    },
  ];
  assert.deepEqual(decodeStatePath(encodeStatePath(states)), states);
});

test('what is no list of states is refused', () => {
  for (const text of ['', '/', '7;;;/', '7;;;/x']) {
    assert.throws(() => decodeStatePath(text), { code: 'HOLDFAST_USAGE' }, text);
  }
});
