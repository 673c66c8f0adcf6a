/** The SARIF of an audit and of a check, held against the types and the validator of others. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import type { Log, Result } from 'sarif';

import { auditSarif } from '../../src/lab/audit/audit-report.ts';
import { OldOrNewOracle } from '../../src/lab/check/old-or-new-oracle.ts';
import { runLab } from '../../src/lab/lab-run.ts';
import { sarifReport } from '../../src/lab/report/sarif-report.ts';
import { auditTrace } from '../../src/lab/audit/audit-trace.ts';
import { DEFAULT_MODELS, modelByName } from '../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../src/lab/record/trace-builder.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CWD = join('/', 'work', 'a project');

/** An error, a warning and a note, one with a second place, one without a line, names that need care. */
function log(): Log {
  const trace = new TraceBuilder({ files: { 'a.json': 'old', 'log ü': 'x' } })
    .from(join(CWD, 'src', 'save ü.ts'), 12)
    .writeFile('new', 'new content')
    .from(join(CWD, 'src', 'save ü.ts'), 14)
    .rename('new', 'a.json')
    .fsync('.')
    .from('/usr/lib/elsewhere.js', 3)
    .create('name with "quotes" & <tags>')
    .from('/bin/program', 0)
    .link('log ü', 'link ü')
    .append('log ü', 'y')
    .fdatasync('log ü')
    .from('relative.mjs', 5)
    .fdatasync('log ü')
    .build();
  const result = auditTrace(
    trace,
    DEFAULT_MODELS.map((name) => modelByName(name)),
  );
  const { findings } = result;
  return auditSarif({ result, findings, silenced: 0, command: [], cwd: CWD }, '1.2.3');
}

/** Two causes: a sync that is missing, and an update that no sync repairs. */
async function checkLog(): Promise<Log> {
  const trace = new TraceBuilder({ files: { 'a.json': 'old', 'b ü.json': 'old' } })
    .from(join(CWD, 'src', 'save ü.ts'), 12)
    .writeFile('new', 'new content')
    .from(join(CWD, 'src', 'save ü.ts'), 14)
    .rename('new', 'a.json')
    .fsync('.')
    .from('/usr/lib/elsewhere.js', 3)
    .writeFile('b ü.json', 'new')
    .fsync('b ü.json')
    .mark('saved')
    .build();
  const models = [modelByName('ext4'), modelByName('xfs')];
  const result = await runLab(trace, { models, checker: new OldOrNewOracle(trace) });
  return sarifReport(result, CWD, '1.2.3');
}

test('a check tells each cause as a result, at the line that the sync must follow', async () => {
  const results = (await checkLog()).runs[0]?.results ?? [];
  assert.deepEqual(
    results.map(({ ruleId, locations }) => [
      ruleId,
      locations?.[0]?.physicalLocation?.region?.startLine,
    ]),
    [
      ['missing-sync', 12],
      ['not-atomic', 3],
    ],
  );
  assert.match(results[0]?.message.text ?? '', /Missing fdatasync of the file .* \(on ext4, xfs\)/);
});

function levels(results: readonly Result[]): string[] {
  return [...new Set(results.map(({ level }) => level ?? ''))].toSorted();
}

test('findings have rule, level, place and the place that shows them', () => {
  const { runs, version } = log();
  const [run, ...more] = runs;
  assert.equal(version, '2.1.0');
  assert.deepEqual(more, []);
  const results = run?.results ?? [];
  assert.deepEqual(levels(results), ['error', 'note', 'warning']);
  const rules = run?.tool.driver.rules ?? [];
  for (const { ruleId, ruleIndex } of results) assert.equal(rules[ruleIndex ?? -1]?.id, ruleId);
  const rename = results.find(({ ruleId }) => ruleId === 'rename-before-sync');
  assert.deepEqual(rename?.locations?.[0]?.physicalLocation, {
    artifactLocation: { uri: 'src/save%20%C3%BC.ts', uriBaseId: 'SRCROOT' },
    region: { startLine: 14, startColumn: 1 },
  });
  assert.equal(rename.relatedLocations?.[0]?.physicalLocation?.region?.startLine, 12);
  const uris = results.map(
    ({ locations }) => locations?.[0]?.physicalLocation?.artifactLocation?.uri,
  );
  assert.ok(uris.includes('file:///usr/lib/elsewhere.js'), uris.join());
  assert.ok(uris.includes('link%20%C3%BC'), uris.join());
});

/** The validator's program, or why it cannot run here. */
function validator(): { readonly program: string } | { readonly missing: string } {
  const name = `@microsoft/sarif-multitool-linux/package.json`;
  try {
    const program = join(dirname(createRequire(import.meta.url).resolve(name)), 'Sarif.Multitool');
    // Its installation makes it a program, where npm lets it.
    chmodSync(program, 0o755);
    accessSync(program, constants.X_OK);
    return process.arch === 'x64' ? { program } : { missing: 'the validator is for x64' };
  } catch {
    // npm installs it on Linux only, and may leave out what is optional.
    return { missing: 'needs @microsoft/sarif-multitool-linux' };
  }
}

const found = validator();

test(
  'a validator of others finds no error in it, and finds one that is put there',
  { skip: 'missing' in found && found.missing },
  async (t) => {
    const directory = temporaryDirectory(t);
    const right = log();
    const [run] = right.runs;
    const [first] = run?.results ?? [];
    assert.ok(run !== undefined && first !== undefined);
    const broken = { ...first, ruleIndex: 99 };
    const wrong: Log = { ...right, runs: [{ ...run, results: [broken] }] };
    writeFileSync(join(directory, 'right.sarif'), JSON.stringify(right));
    writeFileSync(join(directory, 'check.sarif'), JSON.stringify(await checkLog()));
    writeFileSync(join(directory, 'wrong.sarif'), JSON.stringify(wrong));
    const args = [
      'validate',
      'right.sarif',
      'check.sarif',
      'wrong.sarif',
      '--output',
      'out',
      '--log',
      'ForceOverwrite',
    ];
    const { status, stdout, stderr } = spawnSync('program' in found ? found.program : '', args, {
      cwd: directory,
      encoding: 'utf8',
      env: {
        ...process.env,
        DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1',
        DOTNET_BUNDLE_EXTRACT_BASE_DIR: directory,
      },
    });
    assert.notEqual(status, null, `${stdout}${stderr}`);
    const told = JSON.parse(readFileSync(join(directory, 'out'), 'utf8')) as Log;
    const errors = (told.runs[0]?.results ?? []).filter(({ level }) => level === 'error');
    const about = (result: Result): string =>
      result.locations?.[0]?.physicalLocation?.artifactLocation?.uri ??
      String(
        told.runs[0]?.artifacts?.[
          result.locations?.[0]?.physicalLocation?.artifactLocation?.index ?? -1
        ]?.location?.uri,
      );
    assert.ok(
      errors.some((result) => about(result).includes('wrong.sarif')),
      JSON.stringify(told),
    );
    const ours = errors.filter((result) => !about(result).includes('wrong.sarif'));
    assert.deepEqual(
      ours.map(({ ruleId, message }) => `${ruleId} ${JSON.stringify(message)}`),
      [],
    );
  },
);
