import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Checker } from '../../../../src/lab/check/checker.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import type { Exploration } from '../../../../src/lab/explore/exploration.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { MemoryVfs } from '../../../../src/vfs/memory-vfs.ts';

const BLOCK = 4096;

/** One file of so many blocks, each of which is overwritten and not synced. */
function overwritten(blocks: number): Trace {
  const builder = new TraceBuilder({ files: { big: 'o'.repeat(blocks * BLOCK) } });
  for (let block = 0; block < blocks; block++) {
    builder.write('big', block * BLOCK, Buffer.alloc(BLOCK, 110));
  }
  return builder.build();
}

function readerOf(read: (vfs: MemoryVfs) => void): Checker {
  return {
    name: 'reads a part',
    reads: 'lazy',
    check: ({ root }) => {
      read(MemoryVfs.fromTree(root));
      return { ok: true };
    },
  };
}

async function explored(trace: Trace, model: string, checker: Checker): Promise<Exploration> {
  return await exploreModel(trace, modelByName(model), {
    checker,
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax: 10_000,
    walkedMax: 100_000,
  });
}

function readAt(vfs: MemoryVfs, position: number, length: number): string {
  const file = vfs.openSync('/big', { read: true });
  const bytes = Buffer.alloc(length);
  const count = file.readSync(bytes, 0, length, position);
  file.closeSync();
  return bytes.subarray(0, count).toString('latin1');
}

for (const [model, outcomes] of [
  ['ext4', 16],
  ['btrfs', 2],
  ['posix', 16],
] as const) {
  test(`under ${model} a read of one block of a big file splits on no other block`, async () => {
    const reader = readerOf((vfs) => readAt(vfs, 7 * BLOCK, 100));
    const { walked, complete } = await explored(overwritten(60), model, reader);
    assert.equal(complete, true);
    assert.equal(walked, outcomes, 'as many classes as one block has outcomes');
  });
}

test('a size alone splits on sizes, not on what the file holds', async () => {
  const builder = new TraceBuilder({ files: { big: '' } });
  for (let block = 0; block < 20; block++) builder.append('big', Buffer.alloc(BLOCK, 97 + block));
  const reader = readerOf((vfs) => void vfs.statSync('/big').size);
  const { distinct, walked } = await explored(builder.build(), 'posix', reader);
  assert.equal(distinct, 21);
  assert.equal(walked, 21);
});

test('a read over two blocks splits on both, and sees whole blocks together with a part', async () => {
  const seen = new Set<string>();
  const reader = readerOf((vfs) => void seen.add(readAt(vfs, BLOCK - 1, 2)));
  await explored(overwritten(5), 'ext4', reader);
  assert.deepEqual([...seen].toSorted(), ['nn', 'no', 'on', 'oo']);
});

test('a file that is emptied without a look has no part in what was seen', async () => {
  const reader = readerOf((vfs) => {
    vfs.openSync('/big', { write: true, truncate: true }).closeSync();
  });
  const { distinct } = await explored(overwritten(30), 'ext4', reader);
  assert.equal(distinct, 1);
});
