import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, paletteFor, printable, ProgressLine } from '../../src/cli/output.ts';
import { testContext } from '../support/test-context.ts';

test('columns line up, paint is not counted, and no line ends in a space', () => {
  const table = formatTable(
    [
      ['name', 'states', ''],
      ['\u001b[31mext4\u001b[39m', '7', 'ok'],
      ['btrfs', '1024'],
    ],
    ['left', 'right'],
  );
  assert.equal(table, 'name   states\n\u001b[31mext4\u001b[39m        7  ok\nbtrfs    1024\n');
});

test('a terminal gets colours', () => {
  const context = testContext({ isTTY: true });
  assert.equal(paletteFor(context, context.stdout).red('x'), '\u001b[31mx\u001b[39m');
});

for (const options of [
  { isTTY: false },
  { isTTY: true, env: { NO_COLOR: '1' } },
  { isTTY: true, env: { TERM: 'dumb' } },
]) {
  test(`no colours with ${JSON.stringify(options)}`, () => {
    const context = testContext(options);
    assert.equal(paletteFor(context, context.stdout).red('x'), 'x');
  });
}

test('an empty NO_COLOR counts as none', () => {
  const context = testContext({ isTTY: true, env: { NO_COLOR: '' } });
  assert.notEqual(paletteFor(context, context.stdout).bold('x'), 'x');
});

test('control characters are spelled out and other text is left alone', () => {
  assert.equal(printable('a\n\u001b]0;é\u0085\u2028日'), 'a\\x0a\\x1b]0;é\\x85\\u2028日');
});

test('progress is silent unless the output is a terminal', () => {
  const context = testContext();
  const progress = new ProgressLine(context.stderr, 0);
  progress.update('half way');
  progress.clear();
  assert.equal(context.err, '');
});

test('progress is drawn over itself, cut to the width, and taken away', () => {
  const context = testContext({ isTTY: true, columns: 8 });
  const progress = new ProgressLine(context.stderr, 0);
  progress.update('123456789');
  progress.clear();
  progress.clear();
  assert.equal(context.err, '\r\u001b[2K1234567\r\u001b[2K');
});

test('drawings closer than the interval are left out', () => {
  const context = testContext({ isTTY: true });
  const progress = new ProgressLine(context.stderr, 3_600_000);
  progress.update('one');
  progress.update('two');
  assert.equal(context.err, '\r\u001b[2Kone');
});
