/** An interrupt that comes by a timer, as a signal would, is heard whatever the laboratory computes just then. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Checker } from '../../../../src/lab/check/checker.ts';
import { explainViolations } from '../../../../src/lab/explain/repair.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { countAllStates } from '../../../../src/lab/explore/count-states.ts';
import { ExploreDeadline } from '../../../../src/lab/explore/explore-budget.ts';
import type { ExploreOptions } from '../../../../src/lab/explore/explore-options.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import { prepareHistory } from '../../../../src/lab/explore/prepared-history.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

const posix = modelByName('posix');

/** Aborted at the next turn of this thread after the first look at it. */
function interruptSoon(): ExploreDeadline {
  let asked = false;
  let aborted = false;
  const signal = {
    get aborted(): boolean {
      if (!asked) setTimeout(() => (aborted = true), 0);
      asked = true;
      return aborted;
    },
  };
  return new ExploreDeadline(null, signal);
}

/** Takes so long for each disk that few fit between two turns of the thread, and refuses each. */
function slowRefusal(): Checker & { calls: number } {
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  return {
    name: 'slow',
    calls: 0,
    check() {
      this.calls++;
      Atomics.wait(nobody, 0, 0, 10);
      return { ok: false, message: 'not this one' };
    },
  };
}

function creates(count: number): TraceBuilder {
  const builder = new TraceBuilder();
  for (let step = 0; step < count; step++) builder.create(`f${step}`);
  return builder;
}

function optionsFor(checker: Checker): ExploreOptions {
  return {
    checker,
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax: 1_000,
    walkedMax: 1_000,
    countStates: false,
  };
}

test('an interrupt ends the counting of states', async () => {
  const builder = new TraceBuilder().create('a');
  for (let step = 0; step < 400; step++) {
    builder.append('a', `some text ${step}`);
    if (step % 25 === 24) builder.truncate('a', step);
  }
  const prepared = prepareHistory(builder.build(), modelByName('ext4'), new ContentStore());
  assert.equal(await countAllStates(prepared, interruptSoon()), null);
});

test('an interrupt ends the drawing of samples', async () => {
  const checker = slowRefusal();
  const options = { ...optionsFor(checker), walkedMax: 1, deadline: interruptSoon() };
  const { sampled, complete } = await exploreModel(creates(40).build(), posix, options);
  assert.ok(sampled < 1_000, `${sampled} states were drawn`);
  assert.equal(complete, false);
});

test('an interrupt ends the explaining of what failed', async () => {
  const trace = creates(7).build();
  const exploration = await exploreModel(trace, posix, optionsFor(slowRefusal()));
  assert.ok(exploration.violationCount > 0);
  const counts: number[] = [];
  for (const deadline of [undefined, interruptSoon()]) {
    const checker = slowRefusal();
    const own = { ...optionsFor(checker), ...(deadline === undefined ? {} : { deadline }) };
    await explainViolations(trace, posix, exploration, own);
    counts.push(checker.calls);
  }
  const [whole = 0, interrupted = 0] = counts;
  assert.ok(interrupted < whole / 2, `${interrupted} checks of ${whole}`);
});
