/** `holdfast audit`: text, JSON, silencing, exit codes. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { CommandContext, TextOutput } from '../../src/cli/command.ts';
import { commandTable } from '../../src/cli/command-table.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { AUDIT_RULES } from '../../src/lab/audit/audit-rule.ts';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const docs = new URL('../../../docs/', import.meta.url);
let directory = '';

const UNSAFE = `import fs from 'node:fs';
fs.writeFileSync('root/a.json.new', 'new');
fs.renameSync('root/a.json.new', 'root/a.json');
fs.fsyncSync(fs.openSync('root', 'r'));
console.log('saved');
`;

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-audit-'));
  mkdirSync(join(directory, 'root'));
  writeFileSync(join(directory, 'root/a.json'), 'old');
  writeFileSync(join(directory, 'unsafe.mjs'), UNSAFE);
  const { status, stderr } = holdfast('record --root root -o trace -- node unsafe.mjs');
  assert.equal(status, 0, stderr);
});

after(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As a process: what records a program. */
function holdfast(words: string): Ended {
  return spawnSync(process.execPath, [main, ...words.split(' ')], {
    cwd: directory,
    encoding: 'utf8',
  });
}

/** In this process: what only reads. */
async function audit(words: string): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written): TextOutput => ({
    isTTY: false,
    write: (text) => {
      written[name] += text;
    },
  });
  const context: CommandContext = {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: {},
    cwd: directory,
    onInterrupt: () => () => undefined,
  };
  const status = await runCli(
    ['audit', ...words.split(' ')].filter(Boolean),
    context,
    commandTable,
    '1',
  );
  return { status, ...written };
}

/** Writes a file for one test. */
async function withFile<Result>(
  name: string,
  text: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const path = join(directory, name);
  writeFileSync(path, text);
  try {
    return await run();
  } finally {
    rmSync(path);
  }
}

void test('a finding has its rule, line, models and path, and the syncs are counted', async () => {
  const { status, stdout } = await audit('trace');
  assert.equal(status, 1, stdout);
  assert.match(
    stdout,
    /^1\. error {2}rename-before-sync {2}unsafe\.mjs:3\n {3}the bytes of a\.json /m,
  );
  assert.match(
    stdout,
    /^ {3}shown by write of 3 bytes to a\.json\.new at byte 0 at unsafe\.mjs:2$/m,
  );
  assert.match(stdout, /^ {3}on {7}ext4, xfs, btrfs, apfs-fullfsync, posix$/m);
  assert.match(stdout, /^syncs: 0 of file data, 0 of files, 1 of directories$/m);
  assert.match(stdout, /^found: 1 error; /m);
});

void test('a program is recorded and audited in one go', async () => {
  writeFileSync(join(directory, 'root/a.json'), 'old');
  const { status, stdout } = holdfast('audit --root root --model ext4-journal -- node unsafe.mjs');
  // Where data and names travel in order the sync of the directory is enough.
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^nothing found on ext4-journal$/m);
});

void test('JSON is what its page says', async () => {
  const { status, stdout } = await audit('--json trace');
  assert.equal(status, 1);
  const report = JSON.parse(stdout) as {
    format: string;
    findings: { rule: string; at: { place: { line: number } }; other: { what: string } | null }[];
  };
  assert.equal(report.format, 'holdfast-audit');
  assert.deepEqual(
    report.findings.map(({ rule, at }) => `${rule} ${at.place.line}`),
    ['rename-before-sync 3'],
  );
  const page = readFileSync(new URL('formats/audit.md', docs), 'utf8');
  const fields = [report, report.findings[0] ?? {}].flatMap((one) => Object.keys(one));
  for (const field of fields) assert.ok(page.includes(`\`${field}\``), field);
});

void test('a comment with the name of the rule silences a finding, another name does not', async () => {
  const lines = UNSAFE.split('\n');
  const at = (index: number, text: string): string => lines.toSpliced(index, 1, text).join('\n');
  const comment = '// holdfast-audit-ignore rename-before-sync: only a demonstration';
  const rename = lines[2] ?? '';
  const cases: [string, number][] = [
    [at(2, `${rename} ${comment}`), 0],
    [at(1, comment), 0],
    [at(2, `${rename} // holdfast-audit-ignore name-not-durable, files-not-ordered`), 1],
  ];
  for (const [source, status] of cases) {
    const result = await withFile('unsafe.mjs', source, () => audit('trace'));
    assert.equal(result.status, status, result.stdout);
    if (status === 0) assert.match(result.stdout, /^1 silenced$/m);
  }
  writeFileSync(join(directory, 'unsafe.mjs'), at(2, `${rename} // holdfast-audit-ignore typo`));
  const { status, stderr } = await audit('trace');
  writeFileSync(join(directory, 'unsafe.mjs'), UNSAFE);
  assert.equal(status, 2);
  assert.match(stderr, /unsafe\.mjs:3 names no rule: "typo"; the rules are acknowledged-before-/);
});

void test('a configuration silences by rule, path and source file', async () => {
  const config = (entry: object): string => JSON.stringify({ ignore: [entry] });
  const cases: [object, number][] = [
    [{ rule: '*' }, 0],
    [{ rule: 'rename-before-sync', path: '*.json', source: '**/*.mjs' }, 0],
    [{ rule: 'rename-before-sync', path: 'a.?son' }, 0],
    [{ rule: 'name-not-durable' }, 1],
    [{ rule: '*', path: 'json' }, 1],
    [{ rule: '*', source: 'lib/**' }, 1],
  ];
  for (const [entry, status] of cases) {
    const run = (): Promise<Ended> => audit('trace');
    const result = await withFile('holdfast-audit.json', config(entry), run);
    assert.equal(result.status, status, `${JSON.stringify(entry)}\n${result.stdout}`);
  }
});

void test('wrong use and a wrong configuration are told in one line', async () => {
  const cases: [string, string, RegExp][] = [
    ['', '', /audit takes either a TRACE, or --root DIR/],
    ['trace -- node x', '', /audit takes either a TRACE, or --root DIR/],
    ['--root root trace', '', /--root goes with a program/],
    ['--json --sarif trace', '', /exclude each other/],
    ['--config missing trace', '', /missing cannot be read: ENOENT/],
    ['trace', '{', /holdfast-audit\.json is not JSON/],
    ['trace', '{"ignored":[]}', /has "ignored", which is none of ignore/],
    ['trace', '{"ignore":{}}', /"ignore" is not a list/],
    ['trace', '{"ignore":[{"rule":"x"}]}', /entry 1 of "ignore" names no rule: "x"/],
    ['trace', '{"ignore":[{"rule":"*","path":1}]}', /entry 1 of "ignore": "path" is not a/],
  ];
  for (const [words, config, message] of cases) {
    const run = (): Promise<Ended> => audit(words);
    const result = await (config === '' ? run() : withFile('holdfast-audit.json', config, run));
    assert.equal(result.status, 2, words);
    assert.match(result.stderr, message);
    assert.equal(result.stderr.trim().split('\n').length, 1);
  }
});

void test('each rule is listed and has a page', async () => {
  const { status, stdout } = await audit('--rules');
  assert.equal(status, 0);
  const index = readFileSync(new URL('audit/index.md', docs), 'utf8');
  for (const { name, summary } of AUDIT_RULES) {
    assert.match(stdout, new RegExp(`^${name} +\\w+ +${summary}$`, 'm'));
    assert.ok(index.includes(`[${name}](${name}.md)`) && index.includes(summary), name);
    const page = readFileSync(new URL(`audit/${name}.md`, docs), 'utf8');
    for (const part of [`# ${name}\n`, summary, '// bad\n', '// good\n']) {
      assert.ok(page.includes(part), `${name}: ${part}`);
    }
  }
});
