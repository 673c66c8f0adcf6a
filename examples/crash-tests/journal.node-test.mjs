// node --test examples/crash-tests/journal.node-test.mjs

import { test } from 'node:test';
import { assertCrashSafe } from 'holdfast/lab';
import { crashTest } from './crash-test.mjs';

test('the journal keeps what it promised', async () => {
  await assertCrashSafe(crashTest);
});
