import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Checker, CrashedDisk } from '../../../../src/lab/check/checker.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import type { Exploration } from '../../../../src/lab/explore/exploration.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import { ExploreDeadline } from '../../../../src/lab/explore/explore-budget.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../../../src/vfs/memory-vfs.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { randomTrace } from '../../../support/random-trace.ts';

type Reader = (root: FileTreeDirectory) => string;

async function explored(
  trace: Trace,
  model: string,
  checker: Checker,
  deadline = new ExploreDeadline(null),
): Promise<Exploration> {
  return await exploreModel(trace, modelByName(model), {
    checker,
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax: 100_000,
    walkedMax: 1_000_000,
    deadline,
  });
}

/** Refuses every disk with what the reader made of it, and collects that. */
function collector(reader: Reader, lazy: boolean): { checker: Checker; seen: Set<string> } {
  const seen = new Set<string>();
  const check = ({ root }: CrashedDisk): { ok: false; message: string } => {
    const message = reader(root);
    seen.add(message);
    return { ok: false, message };
  };
  return { checker: lazy ? { name: 'c', reads: 'lazy', check } : { name: 'c', check }, seen };
}

function eighteenCreates(): Trace {
  const builder = new TraceBuilder();
  for (let step = 0; step < 18; step++) builder.create(`f${step}`);
  return builder.exit().build();
}

const content = (root: FileTreeDirectory, name: string): string => {
  const node = root.entries.get(name);
  return node?.kind === 'file' ? Buffer.from(node.content).toString('latin1') : `${node?.kind}`;
};

/** From readers of one thing to readers of everything, through the tree and through a `MemoryVfs`. */
const READERS: readonly Reader[] = [
  (root) => content(root, 'a'),
  (root) =>
    root.entries.has('b') ? content(root, 'b') : [...root.entries.keys()].toSorted().join(),
  (root) => {
    const directory = root.entries.get('d');
    return directory?.kind === 'directory' ? content(directory, 'a') : content(root, 'c');
  },
  (root) => `${root.entries.get('a')?.kind} ${JSON.stringify(root.entries.get('b'), modeOnly)}`,
  (root) => {
    const vfs = MemoryVfs.fromTree(root);
    const names = vfs.readDirectorySync('/').map(({ name }) => name);
    return names.toSorted().join();
  },
];

function modeOnly(key: string, value: unknown): unknown {
  return key === '' && typeof value === 'object' && value !== null && 'mode' in value
    ? value.mode
    : value;
}

for (const model of ['ext4', 'ext4-journal', 'xfs', 'btrfs', 'posix']) {
  test(`under ${model} a checker that reads lazily sees what it sees on whole disks`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { trace, steps } = randomTrace(seed, 5);
      for (const [index, reader] of READERS.entries()) {
        const whole = collector(reader, false);
        const lazy = collector(reader, true);
        const { complete } = await explored(trace, model, whole.checker);
        if (!complete) continue;
        await explored(trace, model, lazy.checker);
        const told = `seed ${seed}, reader ${index}: ${steps.join('; ')}`;
        assert.deepEqual([...lazy.seen].toSorted(), [...whole.seen].toSorted(), told);
      }
    }
  });
}

test('eighteen unsynced operations are two classes for a checker that reads one file', async () => {
  const { checker, seen } = collector((root) => content(root, 'f7'), true);
  const exploration = await explored(eighteenCreates(), 'posix', checker);
  assert.equal(exploration.rawStates, 524_286n);
  assert.deepEqual([...seen].toSorted(), ['', 'undefined']);
  assert.equal(exploration.walked, 2);
  assert.equal(exploration.distinct, 2);
  assert.equal(exploration.decidedBy, 'reads');
  assert.equal(exploration.complete, true);
});

test('a violation of a lazy checker is a state in which nothing is lost that was not looked at', async () => {
  const checker: Checker = {
    name: 'needs f3',
    reads: 'lazy',
    check: ({ root }) =>
      root.entries.has('f3') ? { ok: true } : { ok: false, message: 'f3 is gone' },
  };
  const { violations } = await explored(eighteenCreates(), 'posix', checker);
  assert.deepEqual(
    violations.map(({ state }) => state.lost),
    [[3]],
  );
});

test('a run whose time is over is incomplete and says which share of the states it saw', async () => {
  const clock = new ManualClock();
  const { checker } = collector((root) => [...root.entries.keys()].join(), false);
  const slow: Checker = {
    name: 'slow',
    check: (disk) => {
      clock.pass(1);
      return checker.check(disk);
    },
  };
  const deadline = new ExploreDeadline(1, null, clock);
  const exploration = await explored(eighteenCreates(), 'posix', slow, deadline);
  assert.equal(exploration.complete, false);
  assert.ok(exploration.sampled > 0, 'there is time left for samples');
  assert.ok(
    exploration.distinct > 500 && exploration.distinct < 2000,
    String(exploration.distinct),
  );
  assert.equal(exploration.sampledShare, exploration.distinct / 262_144);
});

test('an interrupted run ends at once and is incomplete', async () => {
  const interrupt = new AbortController();
  const checker: Checker = {
    name: 'interrupting',
    check: () => {
      interrupt.abort();
      return { ok: true };
    },
  };
  const deadline = new ExploreDeadline(null, interrupt.signal);
  const { complete, distinct } = await explored(eighteenCreates(), 'posix', checker, deadline);
  assert.equal(complete, false);
  assert.equal(distinct, 1);
});
