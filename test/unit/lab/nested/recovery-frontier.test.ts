import assert from 'node:assert/strict';
import { test } from 'node:test';

import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { RecoveryPoint } from '../../../../src/lab/nested/recovery-frontier.ts';
import { RecoveryFrontier } from '../../../../src/lab/nested/recovery-frontier.ts';
import { fileTree } from '../../../support/file-tree-builder.ts';

const disk = { root: fileTree({}), marks: [] };

function point(key: string, model = 'ext4'): RecoveryPoint<string> {
  return { model: modelByName(model), disk, key, source: 'test' };
}

test('a disk waits once for each model, and never again once it was taken', () => {
  const frontier = new RecoveryFrontier<string>();
  for (const key of ['a', 'b', 'a']) frontier.add(point(key), '');
  frontier.add(point('a', 'posix'), '');
  frontier.add(point('a'), 'another trace');
  assert.equal(frontier.take(10, 1).total, 4);
  frontier.add(point('a'), '');
  assert.deepEqual(frontier.take(10, 1), { points: [], total: 0 });
});

test('of more than there is room for, the seed draws some, and says how many there were', () => {
  const keysDrawn = (seed: number): string[] => {
    const frontier = new RecoveryFrontier<string>();
    for (let index = 0; index < 100; index++) frontier.add(point(`disk ${index}`), '');
    const { points, total } = frontier.take(5, seed);
    assert.equal(total, 100);
    return points.map(({ key }) => key);
  };
  assert.equal(new Set(keysDrawn(1)).size, 5);
  assert.deepEqual(keysDrawn(1), keysDrawn(1));
  assert.notDeepEqual(keysDrawn(1), keysDrawn(2));
});
