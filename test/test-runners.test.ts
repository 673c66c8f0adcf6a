/** Crash tests under the runners that people use: the examples as they stand, and what a failure looks like. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));
const vitest = join(top, 'node_modules/vitest/vitest.mjs');

interface Run {
  readonly status: number | null;
  readonly output: string;
}

function run(...args: readonly string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: top,
    encoding: 'utf8',
    // A test runner tells its children that they are in one; these are on their own.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NO_COLOR: '1', CI: '1' },
  });
  return { status, output: `${stdout}${stderr}` };
}

test('the example runs under node:test', () => {
  const { status, output } = run('--test', 'examples/crash-tests/journal.node-test.mjs');
  assert.equal(status, 0, output);
  assert.match(output, /pass 1/);
});

test('the example runs under vitest', () => {
  const { status, output } = run(vitest, 'run', '--dir', 'examples/crash-tests', 'vitest.test');
  assert.equal(status, 0, output);
  assert.match(output, /Tests {2}1 passed/);
});

test('a failure under vitest names the line as it stands in the TypeScript source, and one token', () => {
  const { status, output } = run(vitest, 'run', '--dir', 'test/fixtures/vitest');
  assert.equal(status, 1, output);
  const source = readFileSync(join(top, 'test/fixtures/vitest/broken.test.ts'), 'utf8');
  const line = source.split('\n').findIndex((text) => text.includes('the creation')) + 1;
  assert.match(output, /missing fsync of the directory \./);
  assert.match(output, new RegExp(`after +test/fixtures/vitest/broken\\.test\\.ts:${line}\\n`));
  assert.equal(output.match(/HOLDFAST_REPLAY=hf1\./g)?.length, 1);
});
