import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OldOrNewOracle } from '../../../../src/lab/check/old-or-new-oracle.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { MarkOperation, Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { inOrderTree } from '../../../../src/lab/replay/in-order-tree.ts';

/** Small numbers from a seed: the same program for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Program {
  readonly trace: Trace;
  readonly steps: readonly string[];
}

/**
 * A program of a few random steps. With `synced` every step makes itself durable before anything is said. Nothing
 * is replaced through an empty or missing file, the one thing that the oracle holds against undamaged disks.
 */
function randomProgram(seed: number, synced: boolean): Program {
  const random = numbers(seed);
  const pick = <T>(list: readonly T[]): T | undefined => list[random(list.length)];
  const initial: Record<string, string> = { 'd/': '' };
  for (const name of ['a', 'b', 'd/c'])
    if (random(5) < 3) initial[name] = `${name}${'.'.repeat(random(6))}`;
  const files = new Set(Object.keys(initial).filter((name) => name !== 'd/'));
  const removed = new Set<string>();
  const builder = new TraceBuilder({ files: initial });
  const sync = (...paths: string[]): void => {
    if (synced) for (const path of new Set(paths)) builder.fsync(path);
  };
  const directory = (path: string): string => (path.startsWith('d/') ? 'd' : '.');
  const steps: string[] = [JSON.stringify(initial)];
  for (let step = 0; step < 5; step++) {
    const text = `v${step}${'-'.repeat(random(4))}`;
    const old = pick([...files]);
    const free = ['a', 'b', 'd/c', 'd/e'].filter((name) => !removed.has(name));
    const name = pick(free) ?? 'f';
    const kind = pick([
      'append',
      'overwrite',
      'shorten',
      'save',
      'create',
      'rename',
      'unlink',
      'link',
    ]);
    if (kind === 'save') {
      builder.create('t').write('t', 0, text);
      sync('t');
      builder.rename('t', name);
      sync('.', directory(name));
      files.add(name);
    } else if (kind === 'create' && !files.has(name)) {
      builder.create(name).write(name, 0, text);
      sync(name, directory(name));
      files.add(name);
    } else if (old === undefined || kind === 'create') {
      continue;
    } else if (kind === 'append') {
      builder.append(old, text);
      sync(old);
    } else if (kind === 'overwrite') {
      builder.write(old, random(5), text);
      sync(old);
    } else if (kind === 'shorten') {
      builder.truncate(old, 1 + random(3));
      sync(old);
    } else if (kind === 'unlink') {
      builder.unlink(old);
      sync(directory(old));
      files.delete(old);
      removed.add(old);
    } else if (old !== name && (kind === 'rename' || !files.has(name))) {
      if (kind === 'rename') builder.rename(old, name);
      else builder.link(old, name);
      sync(directory(old), directory(name));
      if (kind === 'rename') files.delete(old);
      files.add(name);
    }
    steps.push(`${kind} ${old} ${name}`);
    if (random(2) === 0) {
      builder.print(`step ${step}`);
      steps.push('mark');
    }
  }
  return { trace: builder.exit().build(), steps };
}

test('no undamaged disk of a random program is refused, under any marks given by then', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { trace, steps } = randomProgram(seed, false);
    const oracle = new OldOrNewOracle(trace);
    const marks = trace.operations.filter((one): one is MarkOperation => one.kind === 'mark');
    trace.operations.forEach(({ start }, index) => {
      const root = inOrderTree(trace, index + 1);
      const given = marks.filter((mark) => mark.start <= start).length;
      for (let count = 0; count <= given; count++) {
        const verdict = oracle.check({ root, marks: marks.slice(0, count) });
        const context = `seed ${seed}, operation ${index}, ${count} marks: ${steps.join('; ')}`;
        assert.deepEqual(verdict, { ok: true }, context);
      }
    });
  }
});

test('no disk of a program that syncs everything before it speaks is refused, under any model', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { trace, steps } = randomProgram(seed, true);
    for (const model of ['prefix', 'ext4', 'xfs', 'posix']) {
      const { violations } = await exploreModel(trace, modelByName(model), {
        checker: new OldOrNewOracle(trace),
        store: new ContentStore(),
        verdicts: new VerdictCache(),
        disksMax: 2000,
        walkedMax: 20_000,
      });
      const message = violations[0]?.message ?? null;
      assert.equal(message, null, `seed ${seed}, ${model}: ${steps.join('; ')}`);
    }
  }
});

test('of programs that sync nothing many are refused', async () => {
  let refused = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const { trace } = randomProgram(seed, false);
    const { violationCount } = await exploreModel(trace, modelByName('posix'), {
      checker: new OldOrNewOracle(trace),
      store: new ContentStore(),
      verdicts: new VerdictCache(),
      disksMax: 200,
      walkedMax: 2000,
    });
    if (violationCount > 0) refused += 1;
  }
  assert.ok(refused >= 35, `${refused} of 40`);
});

/** Two or three atomic saves at once, their calls interleaved at random; each says so when it is done. */
function concurrentSaves(seed: number): Trace {
  const random = numbers(seed);
  const builder = new TraceBuilder({ files: { f0: 'old', f1: 'older' } });
  const flows = Array.from({ length: 2 + random(2) }, (_, index) => {
    const [temporary, path] = [`t${index}`, `f${random(3) === 0 ? 0 : index}`];
    const steps = [
      () => builder.create(temporary),
      () => builder.write(temporary, 0, `new ${index}`),
      () => builder.fsync(temporary),
      () => builder.rename(temporary, path),
      () => builder.fsync('.'),
      () => builder.print(`saved ${index}`),
    ];
    return { index, steps, running: false };
  });
  for (;;) {
    const alive = flows.filter(({ steps, running }) => running || steps.length > 0);
    const flow = alive[random(Math.max(1, alive.length))];
    if (flow === undefined) return builder.exit().build();
    const label = `flow ${flow.index}`;
    if (!flow.running) {
      // A line on standard output is one moment; every other call takes its time.
      const isCall = flow.steps.length > 1;
      if (isCall) builder.starting(label);
      flow.steps.shift()?.();
      flow.running = isCall;
    } else {
      builder.end(label);
      flow.running = false;
    }
  }
}

test('no disk of saves that run at the same time is refused, whichever of them has spoken', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const trace = concurrentSaves(seed);
    const { violations } = await exploreModel(trace, modelByName('posix'), {
      checker: new OldOrNewOracle(trace),
      store: new ContentStore(),
      verdicts: new VerdictCache(),
      disksMax: 1000,
      walkedMax: 10_000,
    });
    assert.equal(violations[0]?.message ?? null, null, `seed ${seed}`);
  }
});
