/** The recipe for GitHub as far as it can be tried here: its commands run as they are written, in its order. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { temporaryDirectory } from '../support/temporary-directory.ts';

const examples = fileURLToPath(new URL('../../../examples/ci/', import.meta.url));
const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, string>>;
}

function steps(): readonly Step[] {
  const text = readFileSync(join(examples, 'github-actions.yml'), 'utf8');
  const workflow = parse(text) as {
    readonly jobs: { readonly holdfast: { readonly steps: Step[] } };
  };
  return workflow.jobs.holdfast.steps;
}

interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs the commands of the recipe as the runner does, those after a failure only where they ask for it. */
function run(t: TestContext, program: string): { readonly outcomes: Outcome[]; directory: string } {
  const directory = temporaryDirectory(t);
  const workflows = join(directory, '.github', 'workflows');
  mkdirSync(workflows, { recursive: true });
  copyFileSync(join(examples, 'annotate.mjs'), join(workflows, 'annotate.mjs'));
  writeFileSync(join(directory, 'save-settings.mjs'), program);
  // What `npm ci` would have put there.
  mkdirSync(join(directory, 'node_modules', '.bin'), { recursive: true });
  writeFileSync(
    join(directory, 'node_modules', '.bin', 'holdfast'),
    `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`,
    { mode: 0o755 },
  );
  const tools = join(directory, 'tools');
  mkdirSync(tools);
  symlinkSync(process.execPath, join(tools, 'node'));
  const path = [tools, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const outcomes: Outcome[] = [];
  for (const { run: script, if: condition } of steps()) {
    if (script === undefined || script === 'npm ci') continue;
    if (outcomes.some(({ exitCode }) => exitCode !== 0) && condition !== 'always()') continue;
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    });
    // What npx itself has to say comes on standard error.
    outcomes.push({ exitCode: status, output: status === 0 ? stdout : stdout + stderr });
  }
  return { outcomes, directory };
}

test('a program that loses data fails the step, and its line is annotated', (t) => {
  const program = readFileSync(join(examples, 'save-settings.mjs'), 'utf8');
  const { outcomes, directory } = run(t, program);
  const [check, annotate] = outcomes;
  assert.equal(check?.exitCode, 1, check?.output);
  assert.equal(annotate?.exitCode, 0, annotate?.output);
  const lines = annotate.output.trimEnd().split('\n');
  const line = program.split('\n').findIndex((text) => text.startsWith('writeFileSync')) + 1;
  assert.deepEqual(
    lines.map((text) => text.split('::')[1]),
    [`error file=save-settings.mjs,line=${line},title=Holdfast%3A missing-sync`],
  );
  assert.match(annotate.output, /Missing fdatasync of the file settings.json.new after this call/);
  assert.match(readFileSync(join(directory, 'holdfast.html'), 'utf8'), /^<!doctype html>/);
});

test('a program that loses nothing passes the step, and annotates nothing', (t) => {
  const { outcomes } = run(
    t,
    `import fs from 'node:fs';
    const file = fs.openSync('state/settings.json.new', 'w');
    fs.writeSync(file, '{"theme":"dark"}');
    fs.fsyncSync(file);
    fs.renameSync('state/settings.json.new', 'state/settings.json');
    fs.fsyncSync(fs.openSync('state', 'r'));
    console.log('saved');\n`,
  );
  assert.deepEqual(outcomes, [
    { exitCode: 0, output: '' },
    { exitCode: 0, output: '' },
  ]);
});

test('what the other steps upload is what the commands write', () => {
  const uploads = steps().filter(({ uses }) => uses?.includes('upload') === true);
  const files = uploads.flatMap((step) => Object.values(step.with ?? {}).join('\n'));
  assert.match(files.join('\n'), /holdfast\.html/);
  assert.match(files.join('\n'), /holdfast\.sarif/);
  assert.ok(uploads.every((step) => step.if === 'always()'));
});

test('messages and names cannot end an annotation or begin another one', (t) => {
  const directory = temporaryDirectory(t);
  const location = {
    physicalLocation: {
      artifactLocation: { uri: 'a%0Ab,line=1::x%25.mjs', uriBaseId: 'SRCROOT' },
      region: { startLine: 3 },
    },
  };
  const result = {
    ruleId: 'r',
    level: 'note',
    message: { text: 'one\n::error::two 100%' },
    locations: [location],
  };
  writeFileSync(join(directory, 'x.sarif'), JSON.stringify({ runs: [{ results: [result] }] }));
  const words = [join(examples, 'annotate.mjs'), 'x.sarif'];
  const { stdout } = spawnSync(process.execPath, words, { cwd: directory, encoding: 'utf8' });
  const title = 'title=Holdfast%3A r';
  assert.equal(
    stdout,
    `::notice file=a%0Ab%2Cline=1%3A%3Ax%25.mjs,line=3,${title}::one%0A::error::two 100%25\n`,
  );
});
