/** The quick way from an index file into a keydir gives what the plain way gives, or refuses what it refuses. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32c, extendCrc32c } from '../../../src/base/crc32c.ts';
import { Prng } from '../../../src/base/prng.ts';
import {
  IndexEncoder,
  IndexReader,
  decodeIndexHeader,
  encodeIndexHeader,
} from '../../../src/bitcask/index-file.ts';
import { LiveCounts, fillFromBlock } from '../../../src/bitcask/index-filling.ts';
import { KeyLocation, lengthCodeOf, lengthOfCode } from '../../../src/bitcask/key-location.ts';
import { KeydirCursor } from '../../../src/bitcask/keydir-cursor.ts';
import { KeydirFiller } from '../../../src/bitcask/keydir-filler.ts';

const FILES = [4, 7, 9].map((number) => {
  const counts = { entries: 100_000, keptDeletes: 0, keptBytes: 0 };
  const times = { firstExpiry: Infinity, lastExpiry: Infinity };
  return { number, length: 2 ** 31, fingerprint: number, merged: false, ...counts, ...times };
});
const SLOTS = Int32Array.of(300, 5, 0);

interface Encoded {
  readonly header: Uint8Array;
  readonly block: Uint8Array;
}

/** One block of keys of some kind. */
function encoded(random: Prng, count: number, lengths: number, depth: number): Encoded {
  const keys = new Set<string>();
  while (keys.size < count) {
    const key = Buffer.alloc(
      random.chance(0.02) ? 200 + random.below(400) : random.below(lengths),
      65,
    );
    for (let at = Math.max(0, key.length - depth); at < key.length; at++)
      key[at] = random.below(256);
    keys.add(key.toString('hex'));
  }
  const header = encodeIndexHeader({ number: 3, clock: 9, count, files: FILES });
  const encoder = new IndexEncoder(header);
  const location = new KeyLocation();
  const isAlike = random.chance(0.5);
  for (const hex of [...keys]
    .map((key) => Buffer.from(key, 'hex'))
    .toSorted((a, b) => a.compare(b))) {
    const value = isAlike ? 100 : random.below(random.chance(0.05) ? 2 ** 20 : 300);
    const expiry = random.chance(isAlike ? 0 : 0.1) ? 2 ** 40 + random.below(2 ** 31) : 0;
    const length = lengthCodeOf(24 + (expiry === 0 ? 0 : 8) + hex.length + value);
    location.place(0, 32 + random.below(2 ** 31 - 2 ** 21), length, expiry);
    encoder.add(hex, 0, hex.length, random.below(FILES.length), location);
  }
  return { header, block: encoder.take(true).slice() };
}

interface Filled {
  readonly isWrong: boolean;
  readonly count: number;
  readonly content: readonly string[];
  readonly live: readonly number[];
}

function filled({ header, block }: Encoded, isQuick: boolean): Filled {
  const decoded = decodeIndexHeader(header);
  assert.ok(decoded !== null);
  const reader = new IndexReader(header, decoded);
  const filler = new KeydirFiller();
  const live = new LiveCounts(FILES.length);
  assert.ok(reader.enter(block));
  if (isQuick) fillFromBlock(reader, filler, SLOTS, live);
  else {
    while (reader.next()) {
      const { key, keyLength, file, offset, lengthCode, expiry } = reader;
      filler.add(key, keyLength, SLOTS[file]!, offset, lengthCode, expiry);
      live.entries[file]!++;
      live.bytes[file]! += lengthOfCode(lengthCode);
    }
  }
  const keydir = filler.finish();
  const location = new KeyLocation();
  const content: string[] = [];
  const cursor = new KeydirCursor(keydir.pages, keydir.snapshot());
  for (; cursor.valid; cursor.next()) {
    cursor.location(location);
    const { file, offset, lengthCode, expiry } = location;
    const key = cursor.keys.toString('hex', cursor.keyStart, cursor.keyEnd);
    content.push([key, file, offset, lengthCode, expiry].join());
  }
  const { isWrong, count } = reader;
  assert.equal(keydir.count, count);
  return { isWrong, count, content, live: [...live.entries, ...live.bytes] };
}

test('both ways give the same keydir', () => {
  const random = new Prng(11);
  for (let run = 0; run < 30; run++) {
    const count = random.below(random.chance(0.2) ? 3000 : 200);
    const given = encoded(random, count, 5 + random.below(40), 3 + random.below(6));
    const quick = filled(given, true);
    assert.deepEqual(quick, filled(given, false), `run ${run}`);
    assert.deepEqual([quick.isWrong, quick.count], [false, count], `run ${run}`);
  }
});

test('both ways refuse the same of what lies with a right checksum', () => {
  const random = new Prng(12);
  let refused = 0;
  for (let run = 0; run < 800; run++) {
    const { header, block } = encoded(random, 40, 30, 4);
    for (let changes = random.below(3); changes >= 0; changes--) {
      block[8 + random.below(block.length - 8)] = random.below(random.chance(0.5) ? 256 : 8);
    }
    const checksum = crc32c(header, 0, header.length - 4);
    const view = new DataView(block.buffer, block.byteOffset);
    view.setUint32(0, extendCrc32c(checksum, block, 4), true);
    const quick = filled({ header, block }, true);
    assert.deepEqual(quick, filled({ header, block }, false), `run ${run}`);
    if (quick.isWrong) refused++;
  }
  assert.ok(refused > 100 && refused < 800, `${refused}`);
});
