/** Every single bit of a small log flipped: never a wrong record, never a record lost without a word. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HoldfastError } from '../../src/base/errors.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';
import { aloneWith } from '../support/alone-options.ts';
import { labelOf } from '../support/log-commit.ts';
import { LogStory } from '../support/log-story.ts';

interface Outcome {
  /** Labels, or null when the log did not open. */
  readonly labels: readonly string[] | null;
  readonly reported: boolean;
}

async function smallLog(close: boolean): Promise<{ tree: FileTreeDirectory; labels: string[] }> {
  const vfs = new MemoryVfs();
  const story = new LogStory(vfs, () => undefined);
  await story.open();
  await story.append('sync', 1, 5);
  await story.append('none', 3, 2);
  await story.rotate();
  await story.append('sync');
  await story.checkpoint();
  await story.append('none', 2);
  if (close) await story.close();
  else await story.sync();
  const labels = [...story.log.replaySync()].map(labelOf);
  story.kill();
  return { tree: vfs.toTree(), labels };
}

/** What opening the tree says and shows. Anything thrown but a documented refusal is a failure of the test. */
function opened(tree: FileTreeDirectory): Outcome {
  const vfs = MemoryVfs.fromTree(tree);
  try {
    const log = WriteAheadLog.openSync('/log', aloneWith(vfs));
    const labels = [...log.replaySync(log.firstSequence - 1)].map(labelOf);
    return { labels, reported: log.recovery.dropped.length > 0 };
  } catch (error) {
    const refused = error instanceof HoldfastError && REFUSALS.has(error.code);
    if (!refused) throw error;
    return { labels: null, reported: true };
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['HOLDFAST_CORRUPTION']);

/** Each tree with one bit of one file flipped, and what was flipped in words. */
function* flipped(root: FileTreeDirectory): Generator<[string, FileTreeDirectory]> {
  const directory = root.entries.get('log');
  assert.ok(directory?.kind === 'directory');
  for (const [name, node] of directory.entries) {
    if (node.kind !== 'file' || name.startsWith('holdfast-lock-')) continue;
    for (let bit = 0; bit < node.content.length * 8; bit++) {
      const content = node.content.slice();
      content[bit >> 3] = (content[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const entries = new Map<string, FileTreeNode>(directory.entries);
      entries.set(name, { ...node, content });
      const log: FileTreeDirectory = { ...directory, entries };
      yield [
        `bit ${bit & 7} of byte ${bit >> 3} of ${name}`,
        { ...root, entries: new Map([['log', log]]) },
      ];
    }
  }
}

test('a bit of a cleanly closed log: all records are there, or the log is refused', async (t) => {
  const { tree, labels } = await smallLog(true);
  assert.deepEqual(opened(tree), { labels, reported: false });
  let [flips, refused] = [0, 0];
  for (const [what, damaged] of flipped(tree)) {
    flips++;
    const outcome = opened(damaged);
    if (outcome.labels === null) refused++;
    else assert.deepEqual(outcome.labels, labels, what);
  }
  t.diagnostic(`${flips} flips, ${refused} refused`);
  assert.ok(refused > flips / 2);
});

test('a bit of a log that was not closed: what is missing is reported', async (t) => {
  const { tree, labels } = await smallLog(false);
  let [flips, refused, cut] = [0, 0, 0];
  for (const [what, damaged] of flipped(tree)) {
    flips++;
    const outcome = opened(damaged);
    if (outcome.labels === null) refused++;
    else if (outcome.labels.length < labels.length) {
      cut++;
      assert.ok(outcome.reported, what);
      assert.deepEqual(outcome.labels, labels.slice(0, outcome.labels.length), what);
    } else assert.deepEqual(outcome.labels, labels, what);
  }
  t.diagnostic(`${flips} flips, ${refused} refused, ${cut} cut and reported`);
  assert.ok(refused > 0 && cut > 0);
});
