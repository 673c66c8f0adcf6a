import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Checker } from '../../../../src/lab/check/checker.ts';
import { OldOrNewOracle } from '../../../../src/lab/check/old-or-new-oracle.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import type { Exploration } from '../../../../src/lab/explore/exploration.ts';
import type { ExploredPart } from '../../../../src/lab/explore/explored-part.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import { decodeExplored, encodeExplored } from '../../../../src/lab/explored-trace.ts';
import { runLab } from '../../../../src/lab/lab-run.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { treeKey } from '../../../support/plain-states.ts';
import { randomTrace } from '../../../support/random-trace.ts';

const SUBJECT = { traceDigest: 'd1', checker: 'c', seed: 1 };

/** Refuses a third of the disks, more of them the more was promised. */
function refuser(lazy: boolean): Checker {
  const check: Checker['check'] = ({ root, marks }) => {
    const key = treeKey(root);
    const weight = [...key].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 0);
    return weight % 6 > marks.length + 1 ? { ok: true } : { ok: false, message: key };
  };
  return lazy ? { name: 'c', reads: 'lazy', check } : { name: 'c', check };
}

async function explored(
  trace: Trace,
  model: string,
  lazy: boolean,
  disksMax: number,
  from: ExploredPart | null,
): Promise<Exploration> {
  return await exploreModel(trace, modelByName(model), {
    checker: refuser(lazy),
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax,
    walkedMax: 1_000_000,
    from,
    keep: true,
  });
}

/** Through the text, as another process would get it. */
function carried(part: ExploredPart | null, model: string): ExploredPart | null {
  assert.ok(part !== null);
  const models = [modelByName(model)];
  const text = encodeExplored(SUBJECT, [{ model: modelByName(model), part }]);
  return decodeExplored(text, SUBJECT, models, 'f').get(model) ?? null;
}

for (const lazy of [false, true]) {
  test(`runs that go on with each other are one exploration${lazy ? ', read lazily' : ''}`, async () => {
    let interrupted = 0;
    for (let seed = 1; seed <= 14; seed++) {
      const model = ['posix', 'ext4', 'ext4-journal'][seed % 3] ?? 'xfs';
      const { trace } = randomTrace(seed, 5);
      const whole = await explored(trace, model, lazy, 5_000, null);
      if (!whole.complete) continue;
      let part: ExploredPart | null = null;
      for (let run = 1; ; run++) {
        const one: Exploration = await explored(trace, model, lazy, 7, part);
        assert.equal(one.runs, run);
        if (!one.complete) {
          interrupted++;
          part = carried(one.part, model);
          continue;
        }
        const { rawStates, distinct, violationCount, walked, walkedPoints } = one;
        assert.deepEqual(
          { rawStates, distinct, violationCount, walked, walkedPoints },
          {
            rawStates: whole.rawStates,
            distinct: whole.distinct,
            violationCount: whole.violationCount,
            walked: whole.walked,
            walkedPoints: whole.walkedPoints,
          },
        );
        const messages = ({ violations }: Exploration): string[] =>
          violations.map(({ message }) => message);
        assert.deepEqual(messages(one), messages(whole));
        break;
      }
    }
    assert.ok(interrupted > 10, String(interrupted));
  });
}

test('a disk that was checked at an earlier point is checked again under the marks of a later one', async () => {
  // Too many states after the mark for the budget; before it the same disks, with nothing promised.
  const builder = new TraceBuilder({ files: { a: 'old' } });
  builder.create('b').create('c').create('d').fsync('a').mark('promised');
  const marks = new Map<string, number>();
  const checker: Checker = {
    name: 'c',
    check: (disk) => {
      const key = treeKey(disk.root);
      marks.set(key, Math.max(marks.get(key) ?? 0, disk.marks.length));
      return { ok: true };
    },
  };
  const options = { checker, store: new ContentStore(), verdicts: new VerdictCache(), keep: true };
  let part: ExploredPart | null = null;
  for (let run = 0; run < 20; run++) {
    const bounds = { disksMax: 1000, walkedMax: 4 };
    const one: Exploration = await exploreModel(builder.build(), modelByName('posix'), {
      ...options,
      ...bounds,
      from: part,
    });
    part = one.part;
    if (one.complete) break;
  }
  assert.equal(marks.size, 8);
  assert.deepEqual([...new Set(marks.values())], [1]);
});

test('a file of another trace, check, seed or model, or a damaged one, is refused by name', async () => {
  const { trace } = randomTrace(3, 5);
  const model = modelByName('posix');
  const { part } = await explored(trace, 'posix', false, 4, null);
  assert.ok(part !== null);
  const text = encodeExplored(SUBJECT, [{ model, part }]);
  const reads =
    (file: string, subject = SUBJECT, wanted = model) =>
    () =>
      decodeExplored(file, subject, [wanted], 'kept');
  assert.throws(reads('no such thing'), /kept does not say how far/);
  assert.throws(reads(text.replace('"walked":', '"walked":1')), /kept is damaged/);
  assert.throws(reads(text.slice(0, -20)), /kept is damaged/);
  assert.throws(reads(text, { ...SUBJECT, traceDigest: 'd2' }), /kept is of another trace/);
  assert.throws(
    reads(text, { ...SUBJECT, checker: 'e' }),
    /kept was explored with another check \(c\)/,
  );
  assert.throws(reads(text, { ...SUBJECT, seed: 2 }), /kept was explored with seed 1/);
  assert.throws(
    reads(text, SUBJECT, { ...model, tearBytes: 1 }),
    /kept was explored with another posix/,
  );
  assert.equal(reads(text, SUBJECT, modelByName('xfs'))().size, 0);
});

test('models explored in threads come to what they come to one after the other', async () => {
  const builder = new TraceBuilder({ files: { 'a.json': 'old' } });
  builder.create('a.tmp').append('a.tmp', 'new content').rename('a.tmp', 'a.json').mark('saved');
  const trace = builder.exit().build();
  const models = ['ext4', 'xfs', 'posix', 'ext4-journal'].map(modelByName);
  const run = async (jobs: number): Promise<unknown> =>
    await runLab(trace, { models, checker: new OldOrNewOracle(trace), jobs, keep: true });
  const alone = await run(1);
  assert.deepEqual(await run(3), alone);
  assert.equal((alone as { verdict: string }).verdict, 'found');
});

test('a run in threads ends when it is interrupted, and says what it covered', async () => {
  // Nothing is promised, so nothing fails, and each file is there or not: no end in sight.
  const builder = new TraceBuilder();
  for (let step = 0; step < 40; step++) builder.create(`f${step}`).append(`f${step}`, 'x');
  const trace = builder.build();
  const interrupt = new AbortController();
  const { verdict, runs } = await runLab(trace, {
    models: ['posix', 'ext4'].map(modelByName),
    checker: new OldOrNewOracle(trace),
    jobs: 2,
    signal: interrupt.signal,
    onProgress: () => interrupt.abort(),
  });
  assert.deepEqual(
    runs.map(({ exploration }) => exploration.complete),
    [false, false],
  );
  assert.ok(runs.every(({ exploration }) => exploration.walked > 0));
  assert.equal(verdict, 'incomplete');
});
