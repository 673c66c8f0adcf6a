import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sourceHtml } from '../../../../../src/lab/report/html/source-html.ts';
import type { ToldOperation } from '../../../../../src/lab/explain/finding.ts';

function shown(...functions: readonly string[]): string {
  const stack = functions.map((name, index) => {
    return { function: name, file: `/p/${index}.js`, line: 1, column: 1 };
  });
  const told: ToldOperation = { operation: 0, what: 'write of 1 byte to f', stack, site: 0 };
  return String(sourceHtml(told, null, () => ['writeFileSync(f);'], '/p'));
}

test('functions are named, and those without a name are not', () => {
  assert.match(shown('save', 'main'), /in save[^]*1\.js:1<\/bdi> main/);
  assert.doesNotMatch(shown('(anonymous)', '(anonymous)'), / in |anonymous/);
});

test('the columns of the source have headers', () => {
  assert.match(shown('save'), /<th scope="col">line<\/th>\s*<th scope="col">source<\/th>/);
});
