/**
 * The engines and the log on a file system that is full for real: what does not fit is refused, nothing acknowledged is
 * lost, reading, verifying, compacting and a backup elsewhere work meanwhile, and it goes on without reopening once
 * there is room. In memory (tmpfs) and, where the rig's pieces are, on ext4, whose blocks are allocated late.
 */

import assert from 'node:assert/strict';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import { btreeKind } from '../../src/btree/btree-kind.ts';
import type { EngineKind, EngineOptions } from '../../src/engine/engine-kind.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { skipWithout } from '../support/powercut-needs.ts';
import { withSmallDisk, withSmallMemory } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MIB = 1 << 20;
const VALUE_BYTES = 5000;
const DISK_BYTES = 12 * MIB;
/** More than what fits beside it: room for merging all of that. */
const BALLAST_BYTES = 7 * MIB;
/** Background work that was refused is tried again after half a second. */
const PATIENCE_MS = 20_000;

interface Subject {
  readonly kind: EngineKind;
  readonly options: EngineOptions & Readonly<Record<string, unknown>>;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  lsm: { kind: lsmKind, options: { writeBufferSize: MIB / 4, maxFileSize: MIB / 2 } },
  bitcask: { kind: bitcaskKind, options: { maxFileSize: 2 * MIB } },
  btree: { kind: btreeKind, options: { cacheSize: MIB, checkpoint: { logBytes: MIB / 2 } } },
};

/** What a store was told and has acknowledged. */
class Filler {
  readonly kept = new Set<number>();
  readonly refused = new Set<number>();
  readonly #engine: Engine;
  #next = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether one more entry was taken; each in another way than the one before. */
  async write(): Promise<boolean> {
    const number = this.#next++;
    const batch = new WriteBatch();
    batch.put(keyOf(number), valueOf(number));
    const policy = number % 5 === 0 ? 'sync' : 'none';
    try {
      if (number % 3 === 0) this.#engine.writeSync(batch, policy);
      else await this.#engine.write(batch, policy);
    } catch (error) {
      // The one that is looked for; anything else, poison above all, is a failure of the test.
      assert.equal(errorCode(error), 'ENOSPC', String(error));
      this.refused.add(number);
      return false;
    }
    this.kept.add(number);
    return true;
  }

  /** Everything acknowledged is there, and nothing that was refused. */
  async assertShownBy(engine: Engine): Promise<void> {
    for (const number of this.kept) {
      const value = await engine.get(keyOf(number));
      assert.ok(value?.equals(valueOf(number)), `entry ${number} of ${this.#next} is lost`);
    }
    for (const number of this.refused) {
      assert.equal(await engine.has(keyOf(number)), false, `entry ${number} was refused`);
    }
  }
}

function keyOf(number: number): Buffer {
  return Buffer.from(String(number).padStart(8, '0'));
}

/** Nothing that Snappy makes smaller. */
function valueOf(number: number): Buffer {
  const value = Buffer.alloc(VALUE_BYTES);
  let state = number + 1;
  for (let place = 0; place < VALUE_BYTES; place++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    value[place] = state >>> 16;
  }
  return value;
}

/** Fills a store until nothing fits, looks at it, makes room and goes on; then once more, up to closing it full. */
async function fillAndGoOn(subject: Subject, disk: string, elsewhere: string): Promise<void> {
  const { kind, options } = subject;
  const directory = join(disk, 'store');
  const ballast = join(disk, 'ballast');
  const spare = join(disk, 'spare');
  writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES, 1));
  // Less than what Bitcask writes ahead as zeros.
  writeFileSync(spare, Buffer.alloc(MIB, 1));
  const engine = await kind.open(directory, options);
  const filler = new Filler(engine);
  await fill(filler);
  assert.ok(filler.kept.size * VALUE_BYTES > MIB, `${filler.kept.size} fit`);
  await filler.assertShownBy(engine);
  assert.deepEqual((await engine.verify()).damage, []);
  await compactOrRefuse(engine);
  await engine.backup(join(elsewhere, 'full'));
  await filler.assertShownBy(engine);

  unlinkSync(ballast);
  await goOn(filler);
  await filler.assertShownBy(engine);
  await engine.compact();

  await fill(filler);
  await engine.backup(join(elsewhere, 'again'));
  await engine.close();
  const backup = await kind.open(join(elsewhere, 'again'), options);
  await filler.assertShownBy(backup);
  await backup.close();
  await reopenFull(subject, directory, filler, () => unlinkSync(spare));
}

/**
 * Writing goes on without reopening: at once, or when what waited for room has been done. The write that is taken first
 * may be one that needed no room, so it takes some in a row.
 */
async function goOn(filler: Filler): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (let inARow = 0; inARow < 20; inARow++) {
    if (await filler.write()) continue;
    assert.ok(performance.now() < end, 'there is room, and writes are refused');
    inARow = -1;
    await sleep(50);
  }
}

async function fill(filler: Filler): Promise<void> {
  while (await filler.write());
  for (let again = 0; again < 20; again++) await filler.write();
}

/** Merging needs room for what it writes before it gives any back. */
async function compactOrRefuse(engine: Engine): Promise<void> {
  try {
    await engine.compact();
  } catch (error) {
    assert.equal(errorCode(error), 'ENOSPC', String(error));
  }
}

/** A store on a full disk need not open, but it says why, and opens when there is room. */
async function reopenFull(
  { kind, options }: Subject,
  directory: string,
  filler: Filler,
  makeRoom: () => void,
): Promise<void> {
  let engine: Engine;
  try {
    engine = await kind.open(directory, options);
  } catch (error) {
    assert.equal(errorCode(error), 'ENOSPC', String(error));
    makeRoom();
    engine = await kind.open(directory, options);
  }
  await filler.assertShownBy(engine);
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
}

describe('a full disk', { skip: process.getuid?.() !== 0 && 'mounting needs root' }, () => {
  for (const [name, subject] of Object.entries(SUBJECTS)) {
    it(`in memory: ${name} refuses, loses nothing, and goes on`, async (t) => {
      const directory = temporaryDirectory(t);
      const elsewhere = temporaryDirectory(t);
      await withSmallMemory(directory, DISK_BYTES, async () =>
        fillAndGoOn(subject, directory, elsewhere),
      );
    });
  }
});

describe('a full ext4', skipWithout('ext4'), () => {
  for (const [name, subject] of Object.entries(SUBJECTS)) {
    it(`${name} refuses, loses nothing, and goes on`, async (t) => {
      const elsewhere = temporaryDirectory(t);
      await withSmallDisk(DISK_BYTES, async (disk) => fillAndGoOn(subject, disk, elsewhere));
    });
  }
});
