/** Logs both ways: what Holdfast wrote is read by LevelDB as the log of a directory, and the other way round. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { decodeBatch } from '../../../build/src/wal/batch-decoder.js';
import { BatchPayload } from '../../../build/src/wal/batch-format.js';
import { framed } from '../../../build/src/wal/log-framing.js';
import { logRecords } from '../../../build/src/wal/log-records.js';
import { WriteAheadLog } from '../../../build/src/wal/write-ahead-log.js';
import { makeLevelDirectory } from './leveldb-directory.mjs';
import { inTemporaryDirectory, readAll } from './leveldb-reading.mjs';
import { SCRIPT } from './script.mjs';

/** A segment with watermarks at its beginning, between its batches and at its end. */
function segmentOf(batches, { watermarks = true } = {}) {
  const parts = [];
  let [offset, sequence] = [0, 1];
  const put = (operations) => {
    const bytes = framed(offset, new BatchPayload(sequence, operations));
    parts.push(bytes);
    offset += bytes.length;
    sequence += operations.length;
  };
  if (watermarks) put([]);
  if (watermarks) put([]);
  for (const [index, batch] of batches.entries()) {
    put(batch.map(toOperation));
    if (watermarks && index % 3 === 0) put([]);
  }
  if (watermarks) put([]);
  return Buffer.concat(parts);
}

function toOperation({ type, key, value }) {
  const bytes = Buffer.from(key, 'latin1');
  return type === 'del'
    ? { kind: 'delete', key: bytes }
    : { kind: 'put', key: bytes, value: Buffer.from(value, 'latin1') };
}

/** What a store holds after the batches, in key order. */
function stateAfter(batches) {
  const state = new Map();
  for (const { type, key, value } of batches.flat()) {
    if (type === 'del') state.delete(key);
    else state.set(key, value);
  }
  return [...state].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe('a segment written here is read by LevelDB completely', () => {
  for (const watermarks of [false, true]) {
    for (const zeros of [0, 1, 6, 7, 8, 40_000, 1 << 20]) {
      test(`${watermarks ? 'with' : 'without'} watermarks, ${zeros} zeros behind it`, () =>
        inTemporaryDirectory(async (top) => {
          const segment = segmentOf(SCRIPT, { watermarks });
          makeLevelDirectory(`${top}/db`, Buffer.concat([segment, Buffer.alloc(zeros)]));
          assert.deepEqual(await readAll(`${top}/db`), stateAfter(SCRIPT));
        }));
    }
  }

  test('wherever in a block a record ends', () =>
    inTemporaryDirectory(async (top) => {
      // The first value leaves from 20 bytes to none in the block for what comes next.
      const overhead = 7 + 12 + 1 + 2 + 1 + 3;
      for (let left = 0; left <= 20; left++) {
        const first = { type: 'put', key: 'a', value: 'v'.repeat(32_768 - overhead - left) };
        const batches = [[first], [{ type: 'put', key: 'b', value: 'w'.repeat(70_000) }]];
        makeLevelDirectory(`${top}/${left}`, segmentOf(batches, { watermarks: false }));
        assert.deepEqual(await readAll(`${top}/${left}`), stateAfter(batches), `${left} left`);
      }
    }));
});

describe('the segment of a whole write-ahead log is read by LevelDB completely', () => {
  for (const preallocate of [false, true]) {
    for (const close of [false, true]) {
      const how = `${preallocate ? 'preallocated' : 'not preallocated'}, ${close ? 'closed' : 'not closed'}`;
      test(how, () =>
        inTemporaryDirectory(async (top) => {
          const log = await WriteAheadLog.open(`${top}/log`, { preallocate });
          for (const [index, batch] of SCRIPT.entries()) {
            await log.appendBatch(batch.map(toOperation), index % 3 === 0 ? 'sync' : 'none');
          }
          await log.sync();
          if (close) await log.close();
          const segment = readFileSync(`${top}/log/000001.log`);
          const zeros = segment.subarray(-64).every((byte) => byte === 0);
          assert.equal(zeros, preallocate && !close, 'zeros ahead of the records');
          makeLevelDirectory(`${top}/db`, segment);
          assert.deepEqual(await readAll(`${top}/db`), stateAfter(SCRIPT));
          await log.close();
        }),
      );
    }
  }
});

describe('a log that LevelDB wrote is read here completely', () => {
  test('after a kill, not flushed', () =>
    inTemporaryDirectory(async (top) => {
      const program = fileURLToPath(new URL('leveldb-writer.mjs', import.meta.url));
      const child = spawn(process.execPath, [program, `${top}/db`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'close');
      const [name, ...others] = readdirSync(`${top}/db`).filter((each) => each.endsWith('.log'));
      assert.deepEqual(others, []);
      const reading = logRecords(readFileSync(join(top, 'db', name)));
      const found = [];
      let next = 1;
      let step = reading.next();
      for (; !step.done; step = reading.next()) {
        const { sequence, operations } = decodeBatch(step.value.data);
        assert.equal(sequence, next);
        next += operations.length;
        found.push(operations);
      }
      assert.equal(step.value.kind, 'end');
      assert.deepEqual(
        found.map((operations) => operations.map(plain)),
        SCRIPT.map((batch) => batch.map((each) => plain(toOperation(each)))),
      );
    }));
});

function plain({ kind, key, value }) {
  return [kind, Buffer.from(key).toString('latin1'), Buffer.from(value ?? '').toString('latin1')];
}
