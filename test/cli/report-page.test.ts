import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { schemaProblems } from '../support/json-schema.ts';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const page = fileURLToPath(new URL('../../../docs/formats/report.md', import.meta.url));
const schema: unknown = JSON.parse(readFileSync(page.replace('.md', '.schema.json'), 'utf8'));
let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-report-page-'));
});

after(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** The report on a program that saves a file in this way. */
function report(name: string, save: string): { exitCode: number | null; report: object } {
  const root = join(directory, name);
  mkdirSync(root);
  writeFileSync(join(root, 'file'), 'old');
  const program = join(directory, `${name}.mjs`);
  writeFileSync(
    program,
    `import * as fs from 'node:fs';\nprocess.chdir(${JSON.stringify(root)});\n${save}\n`,
  );
  const words = ['check', '--json', '--model', 'ext4', '--root', root, '--', 'node', program];
  const { status, stdout } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
  return { exitCode: status, report: JSON.parse(stdout) as object };
}

/** Every key of every object in `value`. */
function allKeys(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(allKeys);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => [key, ...allKeys(one)]);
}

test('the page on the JSON report names every field of a report with findings', () => {
  const made = report('unsafe', `fs.writeFileSync('new', 'new'); fs.renameSync('new', 'file');`);
  assert.equal(made.exitCode, 1);
  const text = readFileSync(page, 'utf8');
  const keys = new Set(allKeys(made.report));
  assert.ok(keys.has('findings') && keys.has('missingSync'));
  assert.deepEqual(schemaProblems(schema, made.report), []);
  for (const key of keys) assert.ok(text.includes(`\`${key}\``), `${key} is not described`);
});

test('a report that found nothing says passed, and the exit code is 0', () => {
  const made = report(
    'safe',
    `const fd = fs.openSync('new', 'w'); fs.writeSync(fd, 'new'); fs.fsyncSync(fd); fs.renameSync('new', 'file');
    fs.fsyncSync(fs.openSync('.', 'r'));`,
  );
  assert.equal(made.exitCode, 0);
  assert.deepEqual(schemaProblems(schema, made.report), []);
  assert.deepEqual(
    { ...made.report, models: [], command: [] },
    {
      format: 'holdfast-report',
      version: 1,
      command: [],
      verdict: 'passed',
      checker: 'old-or-new',
      unmodelled: [],
      doubts: [],
      models: [],
      certificate: { seed: 1, verdictsRemembered: null, nestedDepth: 0, faults: 0 },
      redundantSyncs: null,
      findings: [],
      confirmed: null,
    },
  );
});

test('a report is refused by the schema when a field is missing, new or of another type', () => {
  const { report: made } = report('again', `fs.writeFileSync('file', 'new');`);
  const wrong = [
    { ...made, verdict: 'maybe' },
    { ...made, seeds: 1 },
    { ...made, models: [{}] },
    Object.fromEntries(Object.entries(made).filter(([key]) => key !== 'certificate')),
  ];
  for (const one of wrong) assert.notDeepEqual(schemaProblems(schema, one), []);
});
