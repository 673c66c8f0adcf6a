/**
 * Two accounts of a failed sync against each other: what `FaultVfs` says the disk holds, page by page, must be a disk
 * that the models allow for the trace of the same run. Random programs, all faults.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../../src/base/prng.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { walkDisks } from '../../../../src/lab/explore/disk-walk.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { RecordingVfs } from '../../../../src/lab/record/recording-vfs.ts';
import { DiskKeys } from '../../../../src/lab/nested/disk-keys.ts';
import type { Fault } from '../../../../src/vfs/fault.ts';
import { FaultVfs } from '../../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../../src/vfs/memory-vfs.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';
import type { Vfs, VfsFile } from '../../../../src/vfs/vfs.ts';
import { fileTree, sketchOf } from '../../../support/file-tree-builder.ts';

const PAGE = 4096;
const STEPS = 7;

/** Zeros and garbage are not among these bytes, so that each write is told from each other thing. */
function bytesOf(step: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(65 + step);
}

function attempt(run: () => unknown): void {
  try {
    run();
  } catch {
    // The program goes on after an injected error: that is when its pages are in question.
  }
}

/** Writes, cuts and syncs one file, which has one page and a half, and goes on after errors. */
function randomProgram(vfs: Vfs, prng: Prng, durable: boolean): string[] {
  const told: string[] = [];
  const file: VfsFile = vfs.openSync('/f', { write: true, ...(durable ? { sync: 'data' } : {}) });
  for (let step = 0; step < STEPS; step++) {
    const choice = prng.below(8);
    if (choice < 4) {
      const position = prng.below(3) * 2048 + prng.below(2) * 100;
      const length = prng.pick([10, 600, 2048]);
      told.push(`write ${length} at ${position}`);
      attempt(() => file.writeSync(bytesOf(step, length), 0, length, position));
    } else if (choice === 4) {
      const size = prng.pick([0, 100, PAGE, 5000]);
      told.push(`cut to ${size}`);
      attempt(() => file.truncateSync(size));
    } else {
      told.push('sync');
      attempt(() => (prng.chance(0.5) ? file.syncSync() : file.datasyncSync()));
    }
  }
  attempt(() => file.closeSync());
  return told;
}

function allowed(trace: Trace, model: string, keys: DiskKeys): Set<string> {
  const disks = new Set<string>();
  for (const { root } of walkDisks(trace, modelByName(model), new ContentStore())) {
    disks.add(keys.keyOf(withoutInodes(root)));
    if (disks.size > 200_000) break;
  }
  return disks;
}

function withoutInodes(root: FileTreeDirectory): FileTreeDirectory {
  const file = root.entries.get('f');
  if (file?.kind !== 'file') return fileTree({});
  return fileTree({ f: file.content });
}

function agree(fault: Fault, models: readonly string[], durable: boolean, seeds: number): number {
  let struck = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const memory = MemoryVfs.fromTree(fileTree({ f: bytesOf(50, 6000) }));
    const faulty = new FaultVfs(memory, fault);
    const recorder = new RecordingVfs(faulty, { root: '/', tree: memory.toTree() });
    const told = randomProgram(recorder, new Prng(seed), durable);
    if (faulty.injected.length === 0) continue;
    struck++;
    const trace = recorder.finish();
    const keys = new DiskKeys();
    for (const model of models) {
      const disks = allowed(trace, model, keys);
      for (const dirty of ['lost', 'written'] as const) {
        const disk = withoutInodes(faulty.crash(dirty));
        const shown = JSON.stringify(sketchOf(disk)).replaceAll(/(.)\1{8,}/g, '$1…');
        assert.ok(
          disks.has(keys.keyOf(disk)),
          `${model}, seed ${seed}, ${fault.kind}, dirty pages ${dirty}: ${told.join('; ')} leaves ${shown}`,
        );
      }
    }
  }
  return struck;
}

const SEEDS = 24;

for (const nth of [1, 2]) {
  test(`the disk after failed sync ${nth} is one that the models allow`, () => {
    const struck = agree({ kind: 'failed-sync', nth }, ['ext4', 'posix'], false, SEEDS);
    assert.ok(struck > 3, `${struck} programs had such a sync`);
  });
}

test('the disk after a short write or a refused write is one that the models allow', () => {
  assert.ok(agree({ kind: 'short-write' }, ['ext4', 'posix'], false, SEEDS) > 3);
  assert.ok(agree({ kind: 'ENOSPC', nth: 2 }, ['ext4', 'posix'], false, SEEDS) > 3);
});

test('the disk after a failed durable write is one that the models allow', () => {
  const fault: Fault = { kind: 'EIO', calls: ['file.write'], nth: 2 };
  assert.ok(agree(fault, ['ext4', 'posix'], true, SEEDS) > 3);
});
