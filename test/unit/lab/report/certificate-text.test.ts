/** The certificate in the text report, and what both reports say of a checker that cannot be trusted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Checker } from '../../../../src/lab/check/checker.ts';
import { runLab, type LabResult } from '../../../../src/lab/lab-run.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { jsonReport } from '../../../../src/lab/report/json-report.ts';
import { textReport } from '../../../../src/lab/report/text-report.ts';

const plain = (text: string): string => text;
const style = {
  table: () => 'TABLE',
  bold: plain,
  red: plain,
  green: plain,
  yellow: plain,
  printable: plain,
};

function textOf(result: LabResult): string[] {
  return textReport(result, { style, cwd: '/' }).trimEnd().split('\n');
}

function creates(count: number): TraceBuilder {
  const builder = new TraceBuilder();
  for (let step = 0; step < count; step++) builder.create(`f${step}`);
  return builder;
}

const passes: Checker = { name: 'passes', check: () => ({ ok: true }) };
const models = [modelByName('posix'), modelByName('prefix')];

test('the text says of each model what was walked, checked, reused and skipped, and the seed unsampled', async () => {
  const result = await runLab(creates(3).build(), { models, checker: passes, seed: 7 });
  assert.deepEqual(textOf(result), [
    'TABLE',
    'posix: 1 of 3 crash points and 8 states walked, 8 disks checked, 0 verdicts reused, ' +
      'skipped 2 crash points and 6 states (nothing new there)',
    'prefix: 1 of 3 crash points and 4 states walked, 0 disks checked, 4 verdicts reused, ' +
      'skipped 2 crash points and 5 states (nothing new there)',
    'seed 7, nothing sampled; crashes inside recovery: depth 0; runs with a fault: 0',
    '',
    'passed: 12 disks under 2 models, none fails',
  ]);
});

test('where the budget ended, the text says what was skipped for that, and how samples were drawn', async () => {
  const builder = new TraceBuilder();
  for (let step = 0; step < 15; step++)
    builder.create(`f${step}`).append(`f${step}`, 'x').fsync('f0');
  const options = { models: [modelByName('posix')], checker: passes, disksMax: 200, seed: 3 };
  const lines = textOf(await runLab(builder.build(), options));
  assert.match(
    lines[1] ?? '',
    /^posix: 1 of 45 crash points and \d+ states walked, 200 disks checked, 0 verdicts reused, skipped 29 crash points \(nothing new there\), 15 crash points and \d\.\d\de\d+ states \(the budget ended\)$/,
  );
  assert.match(lines[2] ?? '', /^posix: \d+ states drawn with seed 3 .*; share seen there \d/);
  assert.equal(lines[3], 'seed 3; crashes inside recovery: depth 0; runs with a fault: 0');
  assert.equal(lines.at(-1), 'incomplete: nothing failed, but not every disk could be looked at');
});

test('what a command had read before is counted in the text as in the JSON', async () => {
  const checker: Checker = { ...passes, remembered: 1 };
  const result = await runLab(creates(1).build(), { models, checker });
  assert.ok(
    textOf(result).includes('1 disk needed no run: the command had read the same on another one'),
  );
});

test('a checker that decides by something else is named so in text and JSON, apart from what is not modelled', async () => {
  const doubt = 'chance decides by something else than the disk: it ended in two ways on one disk';
  const checker: Checker = { ...passes, name: 'chance', doubts: [doubt] };
  const result = await runLab(creates(1).build(), { models, checker });
  assert.deepEqual(textOf(result).slice(-2), [
    `not to be trusted: ${doubt}`,
    'incomplete: nothing failed, but the checker cannot be trusted',
  ]);
  const json = jsonReport(result, []) as {
    doubts: string[];
    unmodelled: string[];
    verdict: string;
  };
  assert.deepEqual([json.doubts, json.unmodelled, json.verdict], [[doubt], [doubt], 'incomplete']);
  const other = creates(1).unmodelled('a mapping').build();
  const both = await runLab(other, { models, checker });
  assert.ok(textOf(both).includes('not modelled: a mapping'));
});

test('a checker that refuses a disk where less is lost and passes where more is has no doubts against it', async () => {
  const checker: Checker = {
    name: 'both or neither',
    check: ({ root: { entries } }) =>
      entries.has('f0') === entries.has('f1') ? { ok: true } : { ok: false, message: 'half' },
  };
  const result = await runLab(creates(2).build(), { models: [modelByName('posix')], checker });
  assert.equal(result.verdict, 'found');
  assert.equal(result.runs[0]?.exploration.violationCount, 2);
  assert.deepEqual([result.doubts, result.unmodelled], [[], []]);
});
