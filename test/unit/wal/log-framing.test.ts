import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { LOG_BLOCK_BYTES } from '../../../src/wal/log-format.ts';
import {
  BytesPayload,
  cutLength,
  framed,
  framedLength,
  putCut,
} from '../../../src/wal/log-framing.ts';
import { LogParser } from '../../../src/wal/log-parser.ts';
import { logRecords } from '../../../src/wal/log-records.ts';
import {
  cutsOf,
  findWatermark,
  looksLikeWatermark,
  putWatermark,
  WATERMARK_BYTES,
} from '../../../src/wal/watermark.ts';

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

/** A log file of these records. */
function file(...records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const record of records) {
    const bytes = framed(offset, new BytesPayload(record));
    assert.equal(bytes.length, framedLength(offset, record.length));
    parts.push(bytes);
    offset += bytes.length;
  }
  return Buffer.concat(parts);
}

function read(bytes: Uint8Array) {
  const records: Uint8Array[] = [];
  const iterator = logRecords(bytes);
  for (;;) {
    const step = iterator.next();
    if (step.done === true) return { records, end: step.value };
    records.push(Buffer.from(step.value.data));
  }
}

const types = (bytes: Uint8Array): number[] => {
  const found: number[] = [];
  for (let place = 0; place + 7 <= bytes.length;) {
    const left = LOG_BLOCK_BYTES - (place % LOG_BLOCK_BYTES);
    if (left < 7) place += left;
    else {
      found.push(bytes[place + 6] ?? 0);
      place += 7 + (bytes[place + 4] ?? 0) + (bytes[place + 5] ?? 0) * 256;
    }
  }
  return found;
};

test('a record is masked checksum, length, type and data, as LevelDB writes it', () => {
  const bytes = file(Buffer.from('foo'));
  assert.equal(Buffer.from(bytes).toString('hex'), 'dd5fb37a030001666f6f');
});

test('the three records of LevelDB’s format page are cut as it says', () => {
  const bytes = file(filled(1000, 1), filled(97_270, 2), filled(8000, 3));
  assert.deepEqual(types(bytes), [1, 2, 3, 4, 1]);
  // A has its block's first 1,007 bytes; C begins the fourth block after six bytes of filling.
  assert.equal(framedLength(0, 1000), 1007);
  assert.equal(1007 + framedLength(1007, 97_270), 3 * LOG_BLOCK_BYTES - 6);
  assert.equal(framedLength(3 * LOG_BLOCK_BYTES - 6, 8000), 6 + 7 + 8000);
  assert.deepEqual(
    read(bytes).records.map((record) => record.length),
    [1000, 97_270, 8000],
  );
});

test('with exactly seven bytes left in a block, the first piece is empty', () => {
  const bytes = file(filled(LOG_BLOCK_BYTES - 14, 1), filled(10, 2));
  assert.deepEqual(types(bytes), [1, 2, 4]);
  assert.deepEqual(read(bytes).records[1], Buffer.from(filled(10, 2)));
});

test('records of every length around a block come back as they were', () => {
  const random = new Prng(7);
  const lengths = [0, 1, 32_753, 32_754, 32_755, 32_760, 32_761, 32_762, 65_522, 65_523, 200_000];
  for (let index = 0; index < 60; index++) lengths.push(random.below(random.pick([20, 40_000])));
  const records = lengths.map((length, index) => filled(length, index));
  const { records: found, end } = read(file(...records));
  assert.deepEqual(found, records.map(Buffer.from));
  assert.equal(end.kind, 'end');
});

test('chunks of whole blocks give what the whole file gives', () => {
  const records = [filled(40_000, 1), filled(5, 2), filled(100_000, 3), filled(20, 4)];
  const bytes = file(...records);
  const parser = new LogParser();
  const found: Uint8Array[] = [];
  for (;;) {
    const step = parser.next();
    if (step === 'end') break;
    if (step === 'record') {
      found.push(Buffer.from(parser.bytes.subarray(parser.start, parser.stop)));
      continue;
    }
    const from = parser.feedOffset;
    const chunk = bytes.subarray(from, from + LOG_BLOCK_BYTES);
    parser.feed(chunk, from + chunk.length === bytes.length);
  }
  assert.deepEqual(found, records.map(Buffer.from));
  assert.equal(parser.end?.offset, bytes.length);
});

test('zeros behind the last record are room written ahead, zeros before more bytes are damage', () => {
  const log = file(filled(10, 1));
  const ahead = Buffer.concat([log, new Uint8Array(100_000)]);
  assert.deepEqual(read(ahead).end, {
    kind: 'zeros',
    offset: log.length,
    at: log.length,
    expected: '',
    found: '',
  });
  ahead[90_000] = 1;
  assert.equal(read(ahead).end.kind, 'damage');
  assert.match(read(ahead).end.found, /90000/);
  for (let zeros = 1; zeros < 9; zeros++) {
    assert.equal(read(Buffer.concat([log, new Uint8Array(zeros)])).end.kind, 'zeros');
  }
});

test('a file cut anywhere gives the whole records before the cut, and no others', () => {
  const records = [filled(3, 1), filled(32_740, 2), filled(4, 3), filled(9, 4)];
  const bytes = file(...records);
  const ends = [0];
  for (const step of logRecords(bytes)) ends.push(step.endOffset);
  for (let length = 0; length <= bytes.length; length += length > 60 && length < 32_700 ? 97 : 1) {
    const whole = ends.filter((end) => end <= length).length - 1;
    const { records: found, end } = read(bytes.subarray(0, length));
    assert.equal(found.length, whole, `cut at ${length}`);
    assert.equal(end.offset, ends[whole], `cut at ${length}`);
  }
});

test('any flipped bit ends the records before the record that it is in', () => {
  const bytes = file(filled(3, 1), filled(5, 2), filled(4, 3));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Uint8Array.from(bytes);
    const place = bit >> 3;
    damaged[place] = (damaged[place] ?? 0) ^ (1 << (bit & 7));
    const { records, end } = read(damaged);
    assert.equal(records.length, place < 10 ? 0 : place < 22 ? 1 : 2, `bit ${bit}`);
    assert.equal(end.kind, 'damage', `bit ${bit}`);
  }
});

test('pieces out of order are damage at the piece that does not fit', () => {
  const long = file(filled(40_000, 1));
  const second = long.subarray(LOG_BLOCK_BYTES);
  assert.match(read(second).end.expected, /beginning of a record/);
  const again = Buffer.concat([long.subarray(0, LOG_BLOCK_BYTES), file(filled(3, 2))]);
  const { end } = read(again);
  assert.deepEqual([end.kind, end.offset, end.at], ['damage', 0, LOG_BLOCK_BYTES]);
});

test('an empty first piece that nothing continues is passed over, as LevelDB does', () => {
  const head = file(filled(LOG_BLOCK_BYTES - 14, 1), filled(10, 2)).subarray(0, LOG_BLOCK_BYTES);
  const bytes = Buffer.concat([head, file(filled(6, 3))]);
  assert.deepEqual(
    read(bytes).records.map((record) => record.length),
    [LOG_BLOCK_BYTES - 14, 6],
  );
});

test('a record that is cut at any places besides the ends of blocks is read as it was', () => {
  const prng = new Prng(7);
  for (let round = 0; round < 60; round++) {
    const length = prng.below(3 * LOG_BLOCK_BYTES);
    const record = Uint8Array.from({ length }, (_, index) => index * 7);
    const offset = framedLength(0, prng.below(LOG_BLOCK_BYTES));
    const cuts = [prng.below(length + 1), prng.below(length + 1), length >> 1]
      .filter((cut, index, all) => cut > 0 && cut < length && all.indexOf(cut) === index)
      .toSorted((a, b) => a - b);
    const bytes = new Uint8Array(offset + cutLength(offset, length, cuts));
    bytes.set(framed(0, new BytesPayload(new Uint8Array(offset - 7))));
    assert.equal(putCut(bytes, offset, offset, record, cuts), bytes.length);
    const { records, end } = read(bytes);
    assert.equal(end.kind, 'end');
    assert.deepEqual(records[1], Buffer.from(record));
    assert.equal(cutLength(offset, length, []), framedLength(offset, length));
  }
});

test('no watermark is in one piece in what a writer frames, wherever in a record one is', () => {
  const prng = new Prng(11);
  for (let round = 0; round < 400; round++) {
    const data = Uint8Array.from(
      // A record that is long is looked through in another way.
      { length: 12 + prng.below(90) + (round % 4 === 0 ? 1200 : 0) },
      () => prng.below(4) * prng.below(5),
    );
    data.set([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    const mark = new Uint8Array(WATERMARK_BYTES);
    putWatermark(mark, 0, 0, 2 + round);
    const place = 8 + prng.below(data.length - 8);
    data.set(mark.subarray(0, data.length - place), place);
    // What the next record begins with, where that would be the rest of it.
    const behind = mark.subarray(Math.min(data.length - place, WATERMARK_BYTES));
    const isSuspect = data.length - place >= 7;
    if (isSuspect) assert.ok(looksLikeWatermark(data, 0, data.length), `place ${place}`);
    const cuts = cutsOf(data, 0, data.length);
    const bytes = new Uint8Array(cutLength(0, data.length, cuts) + behind.length);
    putCut(bytes, 0, 0, data, cuts);
    bytes.set(behind, bytes.length - behind.length);
    if (isSuspect) assert.equal(findWatermark(bytes, 100_000, 1), 0);
  }
});
