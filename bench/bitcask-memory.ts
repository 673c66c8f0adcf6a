/**
 * How much memory Bitcask takes for many keys: loads a store, opens it in another process, reads at random and in
 * order, and says the most memory that process ever had.
 *
 *   npm run bench:bitcask-memory -- [ENTRIES [DIRECTORY]]       10,000,000 in a temporary directory
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Prng } from '../src/base/prng.ts';
import { bitcaskKind } from '../src/bitcask/bitcask-kind.ts';
import type { Engine } from '../src/engine/engine.ts';
import { WriteBatch } from '../src/engine/write-batch.ts';

const KEY_BYTES = 16;
const VALUE_BYTES = 8;
const BATCH = 1000;
const READS = 200_000;
const MIB = 1 << 20;

/** Keys in no order; the last four bytes keep them apart. */
function keyOf(number: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  const random = new Prng(Math.imul(number + 1, 0x9e3779b1));
  for (let at = 0; at < KEY_BYTES - 4; at += 4) key.writeUInt32BE(random.uint32(), at);
  key.writeUInt32BE(number, KEY_BYTES - 4);
  return key;
}

async function load(directory: string, entries: number): Promise<void> {
  const engine = await bitcaskKind.open(directory, { sync: 'none' });
  const value = Buffer.alloc(VALUE_BYTES, 7);
  for (let done = 0; done < entries; done += BATCH) {
    const batch = new WriteBatch();
    for (let number = done; number < Math.min(entries, done + BATCH); number++) {
      batch.put(keyOf(number), value);
    }
    await engine.write(batch);
  }
  await engine.close();
}

async function serve(directory: string, entries: number): Promise<void> {
  const before = performance.now();
  const engine = await bitcaskKind.open(directory, { createIfMissing: false });
  const openedMs = performance.now() - before;
  const opened = mostMiB();
  const found = readAtRandom(engine, entries);
  const count = await readInOrder(engine);
  const { details } = engine.stats();
  await engine.close();
  const perKey = Number(details['keydirBytes']) / count;
  console.log(
    `opened in ${openedMs.toFixed(0)} ms; ${count} keys, ${found} of ${READS} reads found`,
  );
  console.log(`keydir: ${perKey.toFixed(1)} bytes a key, of which ${KEY_BYTES} are the key`);
  console.log(`most memory: ${opened} MiB when it was open, ${mostMiB()} MiB in the end`);
}

function readAtRandom(engine: Engine, entries: number): number {
  const random = new Prng(3);
  let found = 0;
  for (let read = 0; read < READS; read++) {
    if (engine.getSync(keyOf(random.below(entries))) !== undefined) found++;
  }
  return found;
}

async function readInOrder(engine: Engine): Promise<number> {
  const iterator = engine.iterator({ values: false });
  const entry = (): void => undefined;
  let count = 0;
  for (let read = -1; read !== 0; count += read) {
    read = await iterator.read({ entry }, BATCH, Infinity);
  }
  iterator.close();
  return count;
}

function mostMiB(): number {
  return Math.round((process.resourceUsage().maxRSS * 1024) / MIB);
}

async function inProcess(task: string, directory: string, entries: number): Promise<void> {
  const [code] = await once(
    fork(fileURLToPath(import.meta.url), [task, directory, `${entries}`]),
    'exit',
  );
  if (code !== 0) throw new Error(`${task} failed`);
}

const { positionals } = parseArgs({ allowPositionals: true });
const [first = '10000000', second, third] = positionals;
if (first === 'load') await load(second ?? '', Number(third));
else if (first === 'serve') await serve(second ?? '', Number(third));
else {
  const top = mkdtempSync(join(second ?? tmpdir(), 'holdfast-memory-'));
  try {
    const store = join(top, 'store');
    await inProcess('load', store, Number(first));
    await inProcess('serve', store, Number(first));
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}
