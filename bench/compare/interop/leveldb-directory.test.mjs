/** The harness itself: LevelDB opens the directories that it makes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fullRecord, makeLevelDirectory } from './leveldb-directory.mjs';
import { inTemporaryDirectory, readAll } from './leveldb-reading.mjs';

test('LevelDB opens a directory of an empty log', () =>
  inTemporaryDirectory(async (top) => {
    makeLevelDirectory(`${top}/db`, new Uint8Array());
    assert.deepEqual(await readAll(`${top}/db`), []);
  }));

test('LevelDB reads one batch that the harness framed', () =>
  inTemporaryDirectory(async (top) => {
    const batch = Buffer.from('01000000000000000100000001016b0176', 'hex');
    makeLevelDirectory(`${top}/db`, fullRecord(batch));
    assert.deepEqual(await readAll(`${top}/db`), [['k', 'v']]);
  }));
