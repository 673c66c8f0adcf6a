import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Checker } from '../../../../src/lab/check/checker.ts';
import { OldOrNewOracle } from '../../../../src/lab/check/old-or-new-oracle.ts';
import { StateTester } from '../../../../src/lab/explain/shrink.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { prepareHistory } from '../../../../src/lab/explore/prepared-history.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import type { LabResult } from '../../../../src/lab/lab-run.ts';
import { runLab } from '../../../../src/lab/lab-run.ts';
import { listModels, modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { groupFindings } from '../../../../src/lab/report/lab-report.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../../../src/vfs/file-tree.ts';

/** Models on which software can be written. */
const MODELS = listModels().filter((model) => model.rename !== 'split' && model.syncIsDurable);

async function run(builder: TraceBuilder, models = MODELS): Promise<LabResult> {
  const trace = builder.build();
  return await runLab(trace, { models, checker: new OldOrNewOracle(trace) });
}

/** `call path after line`, for every finding of every model. */
function missing(result: LabResult): string[] {
  const texts = result.runs.flatMap(({ findings }) =>
    findings.map(({ kind, sync }) =>
      sync === null
        ? kind
        : `${sync.call} ${sync.path} after line ${sync.after.stack[0]?.line ?? '?'}`,
    ),
  );
  return [...new Set(texts)].toSorted();
}

void test('two acknowledged appends need a sync each, and no sync is called hopeless', async () => {
  const appends = new TraceBuilder({ files: { log: 'start;' } })
    .append('log', 'one;')
    .print('one')
    .append('log', 'two;')
    .print('two');
  assert.deepEqual(missing(await run(appends)), [
    'fdatasync log after line 1',
    'fdatasync log after line 3',
  ]);
});

void test('a new directory with a file in it needs both directories synced', async () => {
  const made = new TraceBuilder()
    .mkdir('d')
    .create('d/a')
    .write('d/a', 0, 'x')
    .fsync('d/a')
    .print('made');
  assert.deepEqual(missing(await run(made, [modelByName('posix')])), [
    'fsync . after line 1',
    'fsync d after line 2',
  ]);
  assert.deepEqual(missing(await run(made, [modelByName('ext4')])), []);
});

void test('a sync that comes after the promise is named as misplaced', async () => {
  const late = new TraceBuilder({ files: { log: 'start;' } })
    .append('log', 'one;')
    .print('one')
    .fsync('log');
  const [finding] = groupFindings(await run(late));
  assert.equal(finding?.example.sync?.misplaced?.stack[0]?.line, 3);
});

void test('a failed sync is not a sync: the data it left behind is lost, and a later one does not help', async () => {
  const failed = new TraceBuilder({ files: { a: 'old' } })
    .write('a', 0, 'new')
    .failing('EIO')
    .fsync('a')
    .fsync('a')
    .print('saved');
  const { verdict } = await run(failed, [modelByName('ext4')]);
  assert.equal(verdict, 'found');
});

void test('one line that forgets the same sync twice is one cause', async () => {
  const twice = new TraceBuilder({ files: { 'a.json': '0' } });
  for (const text of ['1', '2']) {
    twice.create('t').write('t', 0, text).fsync('t').from('save.js', 9).rename('t', 'a.json');
    twice.print(text);
  }
  const findings = groupFindings(await run(twice));
  assert.deepEqual(
    findings.map(({ example }) => example.sync?.after.stack[0]?.line),
    [9],
  );
});

void test('the proof says that nothing fails with the missing syncs added', async () => {
  const unsynced = new TraceBuilder({ files: { 'a.json': 'old' } })
    .create('t')
    .write('t', 0, 'new')
    .rename('t', 'a.json')
    .print('saved');
  const result = await run(unsynced, [modelByName('ext4')]);
  const proofs = result.runs.flatMap(({ findings }) => findings.map(({ proof }) => proof));
  assert.equal(proofs.length, 2);
  for (const proof of proofs) {
    assert.equal(proof?.complete, true);
    assert.equal(proof.added, 2);
  }
});

void test('a finding fails in the recorded program, not only where a sync was added', async () => {
  // As git commits: an object under a temporary name and then its own, and a reference to it.
  const commit = new TraceBuilder({ files: { ref: 'old', 'objects/old': 'old' } })
    .create('objects/tmp')
    .write('objects/tmp', 0, 'object')
    .link('objects/tmp', 'objects/new')
    .unlink('objects/tmp')
    .create('ref.lock')
    .write('ref.lock', 0, 'new')
    .rename('ref.lock', 'ref')
    .print('committed')
    .build();
  const text = (root: FileTreeDirectory, ...path: string[]): string | null => {
    let node: FileTreeNode | undefined = root;
    for (const name of path) node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    return node?.kind === 'file' ? Buffer.from(node.content).toString() : null;
  };
  const checker: Checker = {
    name: 'the reference leads to an object',
    concurrency: 1,
    check: ({ root, marks }) => {
      const isOld = text(root, 'ref') === 'old';
      if (isOld && marks.length > 0) return { ok: false, message: 'the commit is gone' };
      const isThere = text(root, 'objects', 'new') === 'object';
      if (isOld || isThere) return { ok: true };
      return { ok: false, message: `ref is ${text(root, 'ref')}, object is ${isThere}` };
    },
  };
  const result = await runLab(commit, { models: [modelByName('btrfs')], checker });
  const findings = result.runs.flatMap((one) => one.findings);
  assert.ok(findings.length > 0);
  for (const { state, message, model } of findings) {
    const recorded = prepareHistory(commit, modelByName(model), new ContentStore());
    const tester = new StateTester(recorded, { checker, verdicts: new VerdictCache() });
    assert.ok(await tester.fails(state), message);
  }
});
