import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { lastLineOf } from '../../../../src/lab/check/last-line.ts';

function reported(script: string): string {
  const { stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  return lastLineOf(stderr);
}

test('the last line that is not blank is meant', () => {
  assert.equal(lastLineOf('one\ntwo\r\n \n\n'), 'two');
  assert.equal(lastLineOf('only'), 'only');
  assert.equal(lastLineOf('\n \n'), '');
  assert.equal(lastLineOf(''), '');
});

test('of an uncaught error of Node the line that names the error is meant', () => {
  assert.match(reported('JSON.parse("{")'), /^SyntaxError: /);
  assert.equal(reported('throw new TypeError("bad shape")'), 'TypeError: bad shape');
  assert.match(reported('require("fs").readFileSync("/nothing")'), /^Error: ENOENT: .*\/nothing/);
  assert.match(reported('Promise.reject(new RangeError("late"))'), /^RangeError: late$/);
  assert.match(
    reported('require("assert").strictEqual(1, 2)'),
    /^AssertionError \[ERR_ASSERTION\]: Expected values to be strictly equal: 1 !== 2$/,
  );
  assert.equal(reported('console.error("said so"); process.exit(1)'), 'said so');
});

test("Node's version alone is no reason to fail", () => {
  assert.equal(lastLineOf('Node.js v20.20.2'), 'Node.js v20.20.2');
  assert.equal(lastLineOf('thrown: 3\n\nNode.js v20.20.2\n'), 'thrown: 3');
});
