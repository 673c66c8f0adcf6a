// node --experimental-vm-modules node_modules/jest/bin/jest.js --testMatch '**/*.jest.test.mjs'

import { test } from '@jest/globals';
import { assertCrashSafe } from 'holdfast/lab';
import { crashTest } from './crash-test.mjs';

test('the journal keeps what it promised', async () => {
  await assertCrashSafe(crashTest);
});
