/** How a manifest adds up, and how its end is judged. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { internalKey } from '../../../../src/lsm/internal-key.ts';
import { readManifest } from '../../../../src/lsm/manifest/manifest-reader.ts';
import {
  COMPARATOR_NAME,
  decodeEdit,
  encodeEdit,
} from '../../../../src/lsm/manifest/version-edit.ts';
import type { VersionEdit } from '../../../../src/lsm/manifest/version-edit.ts';
import { BytesPayload, framed } from '../../../../src/wal/log-framing.ts';

const NUMBER = 4;

function table(number: number, first: string, last: string) {
  return {
    number,
    length: 1000 + number,
    smallest: internalKey(Buffer.from(first), 9, 1),
    largest: internalKey(Buffer.from(last), 3, 0),
  };
}

const BASE: VersionEdit = {
  comparator: COMPARATOR_NAME,
  logNumber: 5,
  previousLogNumber: 5,
  nextFileNumber: 6,
  lastSequence: 100,
  compactPointers: [{ level: 1, key: internalKey(Buffer.from('p'), 2, 1) }],
  newTables: [{ level: 1, table: table(2, 'a', 'c') }],
};

function manifestOf(...edits: readonly VersionEdit[]): Uint8Array {
  let bytes = Buffer.alloc(0);
  for (const edit of edits) {
    const record = framed(bytes.length, new BytesPayload(encodeEdit(edit)));
    bytes = Buffer.concat([bytes, record]);
  }
  return new Uint8Array(bytes);
}

test('an edit is read as it was written', () => {
  const edit = decodeEdit(
    encodeEdit({ ...BASE, deletedTables: [{ level: 6, number: 2 ** 40 }], newTables: [] }),
  );
  assert.deepEqual(edit.deletedTables, [{ level: 6, number: 2 ** 40 }]);
  assert.equal(edit.comparator, COMPARATOR_NAME);
  assert.deepEqual(edit.compactPointers, BASE.compactPointers);
  assert.equal(edit.lastSequence, 100);
});

test('edits add up, level 0 newest first, others by key', () => {
  const bytes = manifestOf(
    BASE,
    {
      nextFileNumber: 9,
      newTables: [
        { level: 0, table: table(6, 'x', 'z') },
        { level: 0, table: table(8, 'a', 'b') },
        { level: 1, table: table(7, 'A', 'Z') },
      ],
    },
    { nextFileNumber: 10, deletedTables: [{ level: 0, number: 6 }], lastSequence: 120 },
  );
  const state = readManifest(bytes, 'M', NUMBER);
  assert.deepEqual(
    state.version.levels.map((level) => level.map(({ number }) => number)),
    [[8], [7, 2], [], [], [], [], []],
  );
  assert.equal(state.lastSequence, 120);
  assert.equal(state.nextFileNumber, 10);
  assert.equal(state.tornBytes, 0);
  assert.ok(state.isOurs);
});

test('a manifest cut anywhere in its last edit is the state before it', () => {
  const before = manifestOf(BASE);
  const whole = manifestOf(BASE, { nextFileNumber: 9, newTables: [] });
  for (let length = before.length + 1; length < whole.length; length++) {
    const state = readManifest(whole.subarray(0, length), 'M', NUMBER);
    assert.equal(state.tornBytes, length - before.length);
    assert.equal(state.tornOffset, before.length);
    assert.equal(state.nextFileNumber, 6);
  }
});

test('an edit that cannot be read and has another of the manifest behind it is damage', () => {
  const first = manifestOf(BASE).length;
  const bytes = manifestOf(BASE, { nextFileNumber: 9 }, { nextFileNumber: 10 });
  bytes[first + 8] = (bytes[first + 8] ?? 0) ^ 1;
  assert.throws(() => readManifest(bytes, 'M', NUMBER), {
    code: 'HOLDFAST_CORRUPTION',
    offset: first,
  });
});

test('an edit of an older manifest behind the last one counts for nothing', () => {
  const before = manifestOf(BASE);
  const stale = manifestOf(BASE, {
    nextFileNumber: NUMBER,
    newTables: [{ level: 0, table: table(3, 'a', 'z') }],
  });
  const state = readManifest(stale, 'M', NUMBER);
  assert.equal(state.version.tableCount, 1);
  assert.equal(state.tornOffset, before.length);
});

test('another order of keys is foreign, an unknown field a later format', () => {
  assert.throws(
    () => readManifest(manifestOf({ ...BASE, comparator: 'rocksdb.Reverse' }), 'M', NUMBER),
    { code: 'HOLDFAST_FOREIGN' },
  );
  const later = framed(0, new BytesPayload(Uint8Array.of(...encodeEdit(BASE), 77)));
  assert.throws(() => readManifest(later, 'M', NUMBER), { code: 'HOLDFAST_FORMAT' });
});

test('a manifest that never says what it must is damage', () => {
  assert.throws(() => readManifest(new Uint8Array(0), 'M', NUMBER), {
    code: 'HOLDFAST_CORRUPTION',
  });
  const some = manifestOf({ comparator: COMPARATOR_NAME, nextFileNumber: 9 });
  assert.throws(() => readManifest(some, 'M', NUMBER), { code: 'HOLDFAST_CORRUPTION' });
});
