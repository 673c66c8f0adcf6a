import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OldOrNewOracle } from '../../../../src/lab/check/old-or-new-oracle.ts';
import type { RedundantSync } from '../../../../src/lab/explain/redundant-syncs.ts';
import { runLab } from '../../../../src/lab/lab-run.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

async function redundantIn(builder: TraceBuilder): Promise<readonly RedundantSync[] | null> {
  const trace = builder.build();
  const models = ['ext4', 'posix'].map(modelByName);
  const checker = new OldOrNewOracle(trace);
  return (await runLab(trace, { models, checker, redundant: true })).redundant;
}

function replacement(): TraceBuilder {
  return new TraceBuilder({ files: { 'a.json': 'old' } }).create('t').write('t', 0, 'new');
}

void test('in a correct replacement every sync is needed, and fdatasync is enough for the file', async () => {
  const redundant = await redundantIn(
    replacement().fsync('t').rename('t', 'a.json').fsync('.').print('saved'),
  );
  assert.deepEqual(
    redundant?.map(({ sync, could, models }) => [sync.stack[0]?.line, could, models]),
    [[3, 'be fdatasync', ['ext4', 'posix']]],
  );
});

void test('a second sync of the same file protects nothing', async () => {
  const redundant = await redundantIn(
    replacement().fdatasync('t').fdatasync('t').rename('t', 'a.json').fsync('.').print('saved'),
  );
  assert.deepEqual(
    redundant?.map(({ sync, could }) => [sync.stack[0]?.line, could]),
    [
      [3, 'go'],
      [4, 'go'],
    ],
  );
});

void test('fsync that keeps a mode cannot be fdatasync where the mode was promised', async () => {
  const trace = new TraceBuilder({ files: { a: 'x' } })
    .chmod('a', 0o600)
    .fsync('a')
    .print('private');
  const checker = {
    name: 'mode',
    check({ root, marks }: Parameters<OldOrNewOracle['check']>[0]) {
      const node = root.entries.get('a');
      const mode = node?.kind === 'file' ? node.mode : 0;
      const kept = marks.length === 0 || mode === 0o600;
      return kept ? ({ ok: true } as const) : ({ ok: false, message: 'readable by all' } as const);
    },
  };
  const models = [modelByName('posix')];
  const { redundant } = await runLab(trace.build(), { models, checker, redundant: true });
  assert.deepEqual(redundant, []);
});

void test('where something fails, nothing is called redundant', async () => {
  assert.equal(
    await redundantIn(replacement().fsync('t').rename('t', 'a.json').print('saved')),
    null,
  );
});
