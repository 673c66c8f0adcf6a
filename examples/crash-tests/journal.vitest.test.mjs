// npx vitest run examples/crash-tests

import { test } from 'vitest';
import { assertCrashSafe } from 'holdfast/lab';
import { crashTest } from './crash-test.mjs';

test('the journal keeps what it promised', async () => {
  await assertCrashSafe(crashTest);
});
