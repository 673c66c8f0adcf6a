import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Checker } from '../../../../src/lab/check/checker.ts';
import { ProcessChecker } from '../../../../src/lab/check/process-checker.ts';
import { runLab } from '../../../../src/lab/lab-run.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { explore } from '../../../../src/lab/suite/explore-crash-test.ts';

function creates(count: number): TraceBuilder {
  const builder = new TraceBuilder();
  for (let step = 0; step < count; step++) builder.create(`f${step}`);
  return builder;
}

const models = [modelByName('posix')];

test('a command that ends in two ways on one disk makes the result incomplete, by name', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-doubts-'));
  const flag = join(directory, 'flag');
  writeFileSync(flag, '');
  // Fails each second time.
  const command = `if test -e ${flag}; then rm ${flag}; else touch ${flag}; exit 1; fi`;
  const checker = new ProcessChecker({ command, remember: false, concurrency: 1 });
  try {
    const { unmodelled, verdict } = await runLab(creates(2).build(), { models, checker });
    assert.deepEqual(unmodelled, [
      `${command} decides by something else than the disk: it ended in two ways on one disk`,
    ]);
    assert.notEqual(verdict, 'passed');
  } finally {
    await checker.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a lazy checker that looks at other things when it is repeated is found out', async () => {
  let run = 0;
  const checker: Checker = {
    name: 'fickle',
    reads: 'lazy',
    check: ({ root }) => {
      run++;
      root.entries.has(`f${run % 3}`);
      root.entries.has('f3');
      return { ok: true };
    },
  };
  const { unmodelled, verdict } = await runLab(creates(4).build(), { models, checker });
  assert.deepEqual(unmodelled, [
    'fickle does not look at the same when it gets the same answers again',
  ]);
  assert.equal(verdict, 'incomplete');
});

test('a check of a suite that wavers is named, and the result is not passed', async () => {
  let run = 0;
  const result = await explore({
    models: ['posix'],
    nested: 0,
    workload: (vfs) => {
      for (let step = 0; step < 4; step++) {
        vfs.openSync(`/f${step}`, { write: true, create: true }).closeSync();
      }
    },
    check: () => {
      run++;
      if (run % 2 === 1 && run > 4) throw new Error('an odd run');
    },
  });
  assert.notEqual(result.verdict, 'passed');
  assert.match(result.certificate.unmodelled.join(), /passed and refused the same disk/);
});
