import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AckLog } from '../../../../src/lab/powercut/ack-log.ts';
import type { LostWrite } from '../../../../src/lab/powercut/crash-images.ts';
import { type Obligation, Obligations } from '../../../../src/lab/powercut/obligations.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';

const TREE: FileTreeDirectory = { kind: 'directory', mode: 0o755, entries: new Map() };

function lost(keptTo: number): LostWrite {
  return { entry: 0, offset: 0, length: 4096, keptFrom: 0, keptTo };
}

function seen(texts: readonly string[], losses: readonly LostWrite[] = []): Obligation {
  const acks = new AckLog(() => 0);
  for (const text of texts) acks.mark(text);
  const sighting = { run: 0, epoch: 0, position: 0, inFlight: 2, lost: losses };
  return { tree: TREE, marks: acks.marks.map((noted) => noted.mark), sighting };
}

function told(obligations: Obligations): string[] {
  return [...obligations].map(({ marks }) => marks.map((mark) => mark.text).join('')).toSorted();
}

describe('obligations', () => {
  it('keep only the longest list of marks under which a tree was seen', () => {
    const obligations = new Obligations();
    for (const marks of [['a'], ['a', 'b'], []]) obligations.add('tree', seen(marks));
    assert.deepEqual(told(obligations), ['ab']);
    assert.equal(obligations.treeCount, 1);
  });

  it('keep lists of which neither begins with the other', () => {
    const obligations = new Obligations();
    for (const marks of [['a', 'b'], ['a', 'c'], ['a']]) obligations.add('tree', seen(marks));
    assert.deepEqual(told(obligations), ['ab', 'ac']);
  });

  it('keep different trees apart', () => {
    const obligations = new Obligations();
    obligations.add('one', seen(['a']));
    obligations.add('two', seen([]));
    assert.deepEqual(told(obligations), ['', 'a']);
  });

  it('remember the sighting that lost least, and a whole loss before a torn one', () => {
    const obligations = new Obligations();
    obligations.add('tree', seen(['a'], [lost(512)]));
    obligations.add('tree', seen(['a'], [lost(0), lost(0)]));
    obligations.add('tree', seen(['a'], [lost(0), lost(0), lost(0)]));
    const [only] = [...obligations];
    assert.deepEqual(
      only?.sighting.lost.map((write) => write.keptTo),
      [0, 0],
    );
  });
});
