import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OldOrNewOracle } from '../../../../src/lab/check/old-or-new-oracle.ts';
import { runLab } from '../../../../src/lab/lab-run.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { adviceFor } from '../../../../src/lab/report/text-report.ts';

async function adviceOn(model: string, builder: TraceBuilder): Promise<string[]> {
  const trace = builder.print('saved').build();
  const options = { models: [modelByName(model)], checker: new OldOrNewOracle(trace) };
  const result = await runLab(trace, options);
  const findings = result.runs.flatMap((run) => run.findings.filter(({ sync }) => sync === null));
  return [...new Set(findings.map((finding) => adviceFor(finding, result)))];
}

test('a program that renames already is not told to rename where that is half done', async () => {
  const files = { 'a.json': 'old content' };
  const inPlace = (): TraceBuilder => new TraceBuilder({ files }).writeFile('a.json', 'new');
  assert.deepEqual(await adviceOn('ext4', inPlace()), ['write a new file, sync it and rename it']);
  const renamed = new TraceBuilder({ files })
    .create('new')
    .write('new', 0, 'new content')
    .fsync('new')
    .rename('new', 'a.json')
    .fsync('.');
  const [advice = ''] = await adviceOn('ext2', renamed);
  assert.match(advice, /^under ext2 a rename can be half done/);
});
