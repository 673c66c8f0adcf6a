/**
 * Directories that LevelDB made (`classic-level` 3.0.0, kept in `test/golden/leveldb`): read
 * completely, and their table built again from its entries, byte for byte.
 */

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { runNow } from '../../../src/durable/two-forms.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { BlockCursor } from '../../../src/lsm/table/block-cursor.ts';
import { TableBuilder, DEFAULT_TABLE_FORMAT } from '../../../src/lsm/table/table-builder.ts';
import { openTable } from '../../../src/lsm/table/table.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { textEntries } from '../../support/lsm-stores.ts';

const GOLDEN = fileURLToPath(new URL('../../../../test/golden/leveldb', import.meta.url));

/** What the program that made the directories put into them. */
function expectedEntries(): [string, string][] {
  const entries = new Map<string, string>([
    ['', ''],
    ['large', 'L'.repeat(9000)],
  ]);
  for (let index = 0; index < 400; index++) {
    if (index % 7 === 0 || index === 2) continue;
    const value = index === 1 ? 'again' : `value ${index} `.repeat(1 + (index % 5));
    entries.set(`key${String(index).padStart(5, '0')}`, value);
  }
  return [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

for (const name of ['plain', 'snappy']) {
  test(`a directory that LevelDB made is read completely: ${name}`, async (scope) => {
    const directory = join(temporaryDirectory(scope), 'store');
    cpSync(join(GOLDEN, name), directory, { recursive: true });
    const report = await lsmKind.verify(directory);
    assert.deepEqual(report.damage, []);
    const engine = await lsmKind.open(directory);
    try {
      assert.deepEqual(await textEntries(engine), expectedEntries());
      assert.equal(engine.recovery.replayedBatches, 2);
    } finally {
      await engine.close();
    }
  });
}

test('a table built from the entries of one of LevelDB is the same byte for byte', () => {
  const path = join(GOLDEN, 'plain', '000005.ldb');
  const golden = readFileSync(path);
  const table = runNow(openTable(nodeVfs, path, golden.length));
  const builder = new TableBuilder({ ...DEFAULT_TABLE_FORMAT, compression: false });
  const chunks: Uint8Array[] = [];
  const index = new BlockCursor(table.index);
  for (index.seekToFirst(); index.valid; index.next()) {
    const block = table.readBlockSync(table.handleAt(index));
    const cursor = new BlockCursor(block);
    for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
      const { key, keyLength, valueStart, valueEnd } = cursor;
      builder.add(key, 0, keyLength, block.bytes, valueStart, valueEnd);
      if (builder.isChunkReady) chunks.push(builder.takeChunk().slice());
    }
  }
  table.closeSync();
  builder.finish();
  chunks.push(builder.takeChunk().slice());
  assert.ok(Buffer.concat(chunks).equals(golden));
});
