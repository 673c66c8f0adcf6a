/**
 * Every single bit of small LSM stores flipped: never a wrong answer, never an entry lost without a
 * word. In the suite a share of the bits; all of them with HOLDFAST_RUNS=all.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HoldfastError } from '../../src/base/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { KillableVfs } from '../support/killable-vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { openOn, textBatch, textEntries } from '../support/lsm-stores.ts';

/** One bit of so many: no multiple of two, and so it goes round the bits of the bytes. */
const STEP = process.env['HOLDFAST_RUNS'] === 'all' ? 1 : 31;

type Entries = [string, string][];

interface SmallStore {
  readonly tree: FileTreeDirectory;
  /** What was there after each commit, the last one at the end. */
  readonly states: readonly Entries[];
}

/** Two tables, one of them compressed and one that hides an entry of the other, and a log. */
async function smallStore(close: boolean): Promise<SmallStore> {
  const vfs = new MemoryVfs();
  const process = new KillableVfs(new LockAsideVfs(vfs));
  const engine = await openOn(process);
  const states: Entries[] = [];
  const commit = async (changes: Record<string, string | undefined>): Promise<void> => {
    await engine.write(textBatch(changes), 'none');
    states.push(await textEntries(engine));
  };
  await commit({ a: '1', b: '2', long: 'v'.repeat(90) });
  await engine.compact();
  await commit({ b: undefined, c: '3' });
  await engine.compact({ gte: Buffer.from('x') });
  await commit({ a: '4', c: undefined });
  await commit({ d: '5' });
  if (close) await engine.close();
  else process.kill();
  return { tree: vfs.toTree(), states };
}

/** Each tree with one bit of one file flipped, and what was flipped in words. */
function* flipped(root: FileTreeDirectory): Generator<[string, FileTreeDirectory]> {
  const store = root.entries.get('store');
  assert.ok(store?.kind === 'directory');
  for (const [name, node] of store.entries) {
    if (node.kind !== 'file') continue;
    for (let bit = 0; bit < node.content.length * 8; bit += STEP) {
      const content = node.content.slice();
      content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const entries = new Map<string, FileTreeNode>(store.entries);
      entries.set(name, { ...node, content });
      const damaged = new Map([...root.entries, ['store', { ...store, entries }] as const]);
      yield [`bit ${bit & 7} of byte ${bit >> 3} of ${name}`, { ...root, entries: damaged }];
    }
  }
}

interface Shown {
  /** Null when the store was refused, or something in it could not be read. */
  readonly entries: Entries | null;
  readonly reported: boolean;
}

async function shownBy(tree: FileTreeDirectory): Promise<Shown> {
  let engine: Engine | undefined;
  try {
    engine = await openOn(new LockAsideVfs(MemoryVfs.fromTree(tree)));
    const entries = await textEntries(engine);
    return { entries, reported: engine.recovery.dropped.length > 0 };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { entries: null, reported: true };
  } finally {
    // What damage a compaction meets at the end was told, or is told by the next reader.
    await engine?.close().catch((error: unknown) => assert.ok(error instanceof HoldfastError));
  }
}

test('a bit of a closed store: all entries are there, or the damage is told', async (t) => {
  const { tree, states } = await smallStore(true);
  const whole = states.at(-1);
  assert.deepEqual(await shownBy(tree), { entries: whole, reported: false });
  let [flips, told] = [0, 0];
  for (const [what, damaged] of flipped(tree)) {
    flips++;
    const { entries } = await shownBy(damaged);
    if (entries === null) told++;
    else assert.deepEqual(entries, whole, what);
  }
  t.diagnostic(`${flips} flips, ${told} told`);
  assert.ok(told > flips / 2);
});

test('a bit of a store that was not closed: what is missing is reported', async (t) => {
  const { tree, states } = await smallStore(false);
  const whole = states.at(-1);
  let [flips, told, cut] = [0, 0, 0];
  for (const [what, damaged] of flipped(tree)) {
    flips++;
    const { entries, reported } = await shownBy(damaged);
    if (entries === null) {
      told++;
      continue;
    }
    const shown = JSON.stringify(entries);
    if (shown === JSON.stringify(whole)) continue;
    cut++;
    // The end of the log, as a torn write leaves it: reported, and a state that was.
    assert.ok(reported, what);
    assert.ok(
      states.some((state) => JSON.stringify(state) === shown),
      `${what} shows ${shown}`,
    );
  }
  t.diagnostic(`${flips} flips, ${told} told, ${cut} cut and reported`);
  assert.ok(told > 0 && cut > 0);
});
