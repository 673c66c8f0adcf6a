/** What a power cut leaves of appends that overlap in time: the kernel puts one behind the other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { countAllStates } from '../../../../src/lab/explore/count-states.ts';
import { walkDisks } from '../../../../src/lab/explore/disk-walk.ts';
import { prepareHistory } from '../../../../src/lab/explore/prepared-history.ts';
import type { CrashModel } from '../../../../src/lab/model/crash-model.ts';
import { listModels, modelByName } from '../../../../src/lab/model/model-list.ts';
import { splitTrace } from '../../../../src/lab/model/split-trace.ts';
import { applyFloors } from '../../../../src/lab/model/sync-floor.ts';
import { appendOrder } from '../../../../src/lab/record/append-order.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';
import { appendTrace } from '../../../support/append-trace.ts';
import { applyPlainFloors } from '../../../support/plain-floors.ts';
import { plainDisks, treeKey } from '../../../support/plain-states.ts';

const MODELS: readonly CrashModel[] = [
  ...listModels(),
  { ...modelByName('posix'), name: 'posix+late', appendSize: 'late', dataBeforeSize: 'last' },
  { ...modelByName('ext4'), name: 'ext4+ordered', appendSize: 'stream', dataBeforeSize: 'all' },
];

/** Random programs in which an append tells an order; each is looked at under every model. */
const PROGRAMS = 15;

function disksOf(trace: Trace, model: CrashModel): string[] {
  const disks = walkDisks(trace, model, new ContentStore());
  return [...new Set([...disks].map(({ root }) => treeKey(root)))].toSorted();
}

function logIn(root: FileTreeDirectory): string {
  const log = root.entries.get('log');
  return log?.kind === 'file' ? Buffer.from(log.content).toString('latin1') : '';
}

/** What the log may hold. */
function contentsOf(trace: Trace, model: string): Set<string> {
  const disks = walkDisks(trace, modelByName(model), new ContentStore());
  return new Set([...disks].map(({ root }) => logIn(root)));
}

function logOf(length: number): TraceBuilder {
  return new TraceBuilder({ files: { log: 'o'.repeat(length) } });
}

test('appends that overlap leave the disks that they leave one after the other, under every model', () => {
  const [a, b, c] = ['A'.repeat(300), 'B'.repeat(700), 'CC'];
  for (const model of MODELS) {
    for (const length of [0, 3, 3500, 4000]) {
      const plain = logOf(length).append('log', b).append('log', c).append('log', a).build();
      const within = logOf(length).starting('a').append('log', a);
      const overlapping = within.append('log', b).append('log', c).end('a').build();
      const context = `${model.name}, a log of ${length} bytes`;
      assert.deepEqual(disksOf(overlapping, model), disksOf(plain, model), context);
    }
  }
});

test('a write at the end and an append that overlap leave what they leave one after the other', () => {
  for (const model of MODELS) {
    const first = logOf(3).write('log', 3, 'WW').append('log', 'AAA').build();
    const found = logOf(3).starting('a').append('log', 'AAA').write('log', 3, 'WW').end('a');
    assert.deepEqual(disksOf(found.build(), model), disksOf(first, model), model.name);
    const last = logOf(3).append('log', 'AAA').write('log', 3, 'WW').build();
    const over = logOf(3).starting('w').write('log', 3, 'WW').append('log', 'AAA').end('w');
    assert.deepEqual(disksOf(over.build(), model), disksOf(last, model), model.name);
  }
});

test('an append that is not synced may be lost, torn or all zeros still, beside another one', () => {
  const [a, b] = ['A'.repeat(600), 'B'.repeat(600)];
  const trace = logOf(3).starting('a').append('log', a).append('log', b).end('a').build();
  const contents = contentsOf(trace, 'ext4');
  assert.ok(contents.has(`ooo`), 'both lost');
  assert.ok(contents.has(`ooo${b}`), 'the later one lost');
  assert.ok(contents.has(`ooo${b}${'\0'.repeat(600)}`), 'its bytes lost');
  assert.ok(contents.has(`ooo${b.slice(0, 509)}${'\0'.repeat(691)}`), 'the first one torn');
  assert.ok(!contents.has(`ooo${'\0'.repeat(600)}${a}`), 'never the later one alone');
});

test('a sync that overlaps with an append does not keep it, and one that came later does', () => {
  const open = logOf(3).starting('a').append('log', 'A').append('log', 'B').fsync('log').end('a');
  assert.deepEqual([...contentsOf(open.mark('x').build(), 'prefix')].toSorted(), [
    'ooo',
    'oooB',
    'oooBA',
  ]);
});

test('once synced, all that overlapped is there, and a write over an append lies on top', () => {
  const two = logOf(3).starting('a').append('log', 'A').append('log', 'B').end('a').fsync('log');
  const over = logOf(3).starting('w').write('log', 3, 'W').append('log', 'AA').end('w');
  const models = listModels().filter(({ syncIsDurable }) => syncIsDurable);
  for (const [builder, content] of [
    [two, 'oooBA'],
    [over.fsync('log'), 'oooWA'],
  ] as const) {
    const trace = builder.mark('told').build();
    for (const model of models) {
      for (const { root, marks } of walkDisks(trace, model, new ContentStore())) {
        if (marks.length > 0) assert.equal(logIn(root), content, model.name);
      }
    }
  }
});

test('a durable append brings its own bytes when it came behind one that began later', () => {
  const builder = logOf(3).open('log', 'durable', { append: true, durable: 'data' });
  builder.starting('d').append('durable', 'DD').append('log', 'B').end('d').mark('told');
  for (const model of listModels().filter(({ syncIsDurable }) => syncIsDurable)) {
    for (const { root, marks } of walkDisks(builder.build(), model, new ContentStore())) {
      if (marks.length > 0) assert.equal(logIn(root), 'oooBDD', model.name);
    }
  }
});

test('without the word for an append both orders are shown, as for writes to asked places', () => {
  const trace = logOf(3).starting('a').append('log', 'A').append('log', 'B').end('a').build();
  const operations = trace.operations.map((operation) => {
    if (operation.kind !== 'write') return operation;
    const { append: _, ...rest } = operation;
    return rest;
  });
  assert.ok(contentsOf({ ...trace, operations }, 'prefix').has('ooo\0A'));
  const asked = logOf(3).starting('a').write('log', 4, 'A').write('log', 3, 'B').end('a').build();
  assert.ok(contentsOf(asked, 'prefix').has('ooo\0A'));
});

test('random overlapping appends: the walk gives the disks and count of plain enumeration', async () => {
  let [compared, programs] = [0, 0];
  // Plain enumeration does not know which write allocates a block; garbage makes the disks many, and tells nothing here.
  const models = MODELS.filter(({ dataBeforeSize }) => dataBeforeSize !== 'new-blocks').map(
    (model): CrashModel => ({ ...model, unwritten: ['zeros'] }),
  );
  for (let seed = 1; programs < PROGRAMS; seed++) {
    const { trace, steps } = appendTrace(seed, 3 + (seed % 2));
    if (appendOrder(trace).settled.size === 0) continue;
    programs++;
    for (const model of models) {
      const told = `seed ${seed}, ${model.name}: ${steps.join('; ')}`;
      const store = new ContentStore();
      const prepared = prepareHistory(trace, model, store);
      const plain = splitTrace(trace, model);
      assert.deepEqual(applyFloors(splitTrace(trace, model)), applyPlainFloors(plain), told);
      assert.deepEqual(
        prepared.history.changes.map(({ floorEnd }) => floorEnd),
        plain.changes.map(({ floorEnd }) => floorEnd),
        told,
      );
      const disks = plainDisks(prepared.history, 300);
      if (disks === null) continue;
      compared++;
      const walked = [...walkDisks(trace, model, store)].map(({ root }) => treeKey(root));
      assert.deepEqual([...new Set(walked)].toSorted(), [...disks.disks.keys()].toSorted(), told);
      assert.equal(await countAllStates(prepared), disks.rawStates, told);
    }
  }
  assert.ok(compared > PROGRAMS * 8, `only ${compared} were small enough`);
});
