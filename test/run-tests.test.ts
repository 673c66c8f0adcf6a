/** The test runner is a test's only judge, so it is tried here on a small tree with tests of every kind. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../scripts/run-tests.mjs', import.meta.url));
const bodies: Readonly<Record<string, string>> = {
  good: `test('good', () => {});`,
  bad: `test('bad', () => { throw new Error('no'); });`,
  skipped: `test('skipped', { skip: 'needs a disk' }, () => {}); test('other', () => {});`,
  unexplained: `test('skipped', { skip: true }, () => {}); test('other', () => {});`,
  later: `test('later', { todo: 'soon' }, () => {}); test('other', () => {});`,
  empty: `process.exit(0);`,
  killed: `process.kill(process.pid, 'SIGKILL');`,
  unbuilt: '',
};
let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-run-tests-'));
  for (const folder of ['scripts', 'test', 'build/test']) {
    mkdirSync(join(directory, folder), { recursive: true });
  }
  copyFileSync(script, join(directory, 'scripts/run-tests.mjs'));
  for (const [name, body] of Object.entries(bodies)) {
    writeFileSync(join(directory, `test/${name}.test.ts`), '');
    if (body === '') continue;
    const text = `import { test } from 'node:test';\n${body}\n`;
    writeFileSync(join(directory, `build/test/${name}.test.js`), text);
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
});

after(() => {
  rmSync(directory, { recursive: true, force: true });
});

function run(filter: string, requireAll = false): { status: number | null; output: string } {
  // A runner below a runner would run nothing: Node tells by this variable.
  const { ...env } = process.env;
  delete env['NODE_TEST_CONTEXT'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(directory, 'scripts/run-tests.mjs'), filter],
    { env: { ...env, HOLDFAST_REQUIRE_ALL: requireAll ? '1' : '' }, encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

suite('run-tests', () => {
  test('passes when every test passes', () => {
    const { status, output } = run('test/good');
    assert.equal(status, 0, output);
    assert.match(output, /pass 1/);
  });

  test('lists what was skipped with the reason, and passes', () => {
    const { status, output } = run('test/skipped');
    assert.equal(status, 0, output);
    assert.match(output, /Skipped \(1\):\n {2}test\/skipped\.test\.js: skipped \(needs a disk\)/);
  });

  for (const [filter, says] of [
    ['bad', /1 failed on Node v/],
    ['killed', /1 failed on Node v/],
    ['empty', /nothing passed: a run without a test proves nothing/],
    ['unexplained', /1 skipped without a reason/],
    ['unbuilt', /build\/test\/unbuilt\.test\.js is not built/],
    ['no-such-test', /no test file matches: no-such-test/],
  ] as const) {
    test(`fails on '${filter}' and says why`, () => {
      const { status, output } = run(filter);
      assert.equal(status, 1, output);
      assert.match(output, says);
    });
  }

  for (const filter of ['skipped', 'later']) {
    test(`fails on '${filter}' where every test is required`, () => {
      const { status, output } = run(`test/${filter}`, true);
      assert.equal(status, 1, output);
      assert.match(output, /1 skipped, but HOLDFAST_REQUIRE_ALL=1 asks for every test/);
    });
  }
});
