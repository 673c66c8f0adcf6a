/**
 * LSM directories both ways: LevelDB opens, reads, writes to and compacts what Holdfast made, and
 * Holdfast what LevelDB made; in turns on one directory, with values of all sizes, deletes, several
 * levels, a log not yet flushed, and after a kill.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ClassicLevel } from 'classic-level';

import { HoldfastLevel } from '../../../build/src/index.js';
import { inTemporaryDirectory } from './leveldb-reading.mjs';

const SMALL = { writeBufferSize: 64 << 10, maxFileSize: 64 << 10 };
const CHANGES = 3000;

/** The same numbers from the same seed (Mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomBatch(random, model) {
  const operations = [];
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const key = `key ${Math.floor(random() * 2000)}`;
    if (random() < 0.3) {
      operations.push({ type: 'del', key });
      model.delete(key);
      continue;
    }
    const size = random();
    const length = size < 0.002 ? 300_000 : size < 0.02 ? 5000 : Math.floor(size * 200);
    const value = String.fromCharCode(97 + Math.floor(random() * 26)).repeat(length);
    operations.push({ type: 'put', key, value });
    model.set(key, value);
  }
  return operations;
}

async function requireModel(db, model) {
  const expected = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const read = await db.iterator().all();
  assert.equal(read.length, expected.length);
  for (const [index, entry] of read.entries()) assert.deepEqual(entry, expected[index]);
}

test('Holdfast and LevelDB take turns on one directory', () =>
  inTemporaryDirectory(async (top) => {
    const directory = `${top}/db`;
    const random = randomFrom(8);
    const model = new Map();
    const owners = [
      () => new HoldfastLevel(directory, { ...SMALL, sync: 'none' }),
      () => new ClassicLevel(directory, SMALL),
      () => new HoldfastLevel(directory, { ...SMALL, sync: 'none', compression: false }),
      () => new ClassicLevel(directory, { ...SMALL, compression: false }),
    ];
    for (const [turn, make] of owners.entries()) {
      const db = make();
      await db.open();
      await requireModel(db, model);
      for (let count = 0; count < CHANGES; count++) await db.batch(randomBatch(random, model));
      if (turn % 2 === 1) await db.compactRange('', '\uffff');
      await requireModel(db, model);
      await db.close();
    }
    const last = new HoldfastLevel(directory);
    await requireModel(last, model);
    await last.close();
  }));

const WRITER = fileURLToPath(new URL('./lsm-writer.mjs', import.meta.url));

for (const [writer, Reader] of [
  ['holdfast', ClassicLevel],
  ['leveldb', HoldfastLevel],
]) {
  test(`a directory of a killed ${String(writer)} program is read by the other`, () =>
    inTemporaryDirectory(async (top) => {
      const directory = `${top}/db`;
      const child = spawn(process.execPath, [WRITER, writer, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let told = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        told += text;
        if (told.includes('600\n')) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const kept = told.split('\n').slice(0, -1).map(Number);
      assert.ok(kept.length >= 600);
      const db = new Reader(directory);
      await db.open();
      for (const number of kept) assert.equal(await db.get(`key ${number}`), `value ${number}`);
      await db.close();
    }));
}
