import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
let directory = '';
let token = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-replay-'));
  mkdirSync(join(directory, 'root'));
  mkdirSync(join(directory, 'other'));
  writeFileSync(join(directory, 'root/file'), 'old content');
  writeFileSync(
    join(directory, 'save.mjs'),
    `import { writeFileSync } from 'node:fs';\nwriteFileSync('root/file', 'new');\nconsole.log('saved');\n`,
  );
  const { stdout } = holdfast('check --json --model ext4 --root root -o trace -- node save.mjs');
  const report = JSON.parse(stdout) as {
    findings: { examples: { replayToken: string | null }[] }[];
  };
  token = report.findings[0]?.examples[0]?.replayToken ?? '';
});

after(() => {
  rmSync(directory, { recursive: true, force: true });
});

function holdfast(words: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...words.split(' ')], {
    cwd: directory,
    encoding: 'utf8',
  });
}

void test('the token of a finding shows the same failure again and keeps its disk', () => {
  assert.match(token, /^hf1\.ext4\./);
  const { status, stdout, stderr } = holdfast(`replay ${token} --trace trace --to kept`);
  assert.equal(status, 1, stderr);
  assert.match(stdout, /fails: file: /);
  assert.equal(readFileSync(join(directory, 'kept/file'), 'utf8').startsWith('new'), false);
});

void test('the line that a report gives for a finding of a command shows its failure again', () => {
  const check = `grep -q saved "$HOLDFAST_ACKS" || exit 0; grep -q 'new' file`;
  const words = ['explore', 'trace', '--model', 'ext4', '--check', check];
  const explored = spawnSync(process.execPath, [main, ...words], {
    cwd: directory,
    encoding: 'utf8',
  });
  assert.equal(explored.status, 1, explored.stderr);
  const [line = ''] = /holdfast replay .+/.exec(explored.stdout) ?? [];
  const script = `holdfast() { '${process.execPath}' '${main}' "$@"; }; ${line}`;
  const again = spawnSync('sh', ['-c', script], { cwd: directory, encoding: 'utf8' });
  assert.equal(again.status, 1, again.stdout + again.stderr);
  assert.match(again.stdout, /^fails: /m);
});

void test('a directory that exists is not written to', () => {
  const { status, stderr } = holdfast(`replay ${token} --trace trace --to root`);
  assert.equal(status, 2);
  assert.match(stderr, /root exists/);
  assert.equal(readFileSync(join(directory, 'root/file'), 'utf8'), 'new');
});

void test('a run that changed nothing below the root is incomplete, not passed', () => {
  const { status, stdout } = holdfast('check --model ext4 --root other -- node save.mjs');
  assert.equal(status, 3, stdout);
  assert.match(stdout, /nothing below the root was changed/);
  assert.doesNotMatch(stdout, /passed/);
});
