/** Property: digests tell disks apart exactly as their bytes do, whatever overlaps. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Prng } from '../../../../src/base/prng.ts';
import { DiskImage } from '../../../../src/lab/powercut/disk-image.ts';
import { EpochImages } from '../../../../src/lab/powercut/epoch-image.ts';
import { epochStates } from '../../../../src/lab/powercut/epoch-states.ts';
import type { Epoch, EpochWrite } from '../../../../src/lab/powercut/epochs.ts';
import { digestKey, SECTOR_SIZE, zeroDigest } from '../../../../src/lab/powercut/image-digest.ts';

const DISK_SECTORS = 24;

function randomEpoch(prng: Prng): Epoch {
  const writes = Array.from({ length: 1 + prng.below(5) }, (_, index): EpochWrite => {
    const sectors = 1 + prng.below(4);
    const offset = prng.below(DISK_SECTORS - sectors) * SECTOR_SIZE;
    const data = Buffer.alloc(sectors * SECTOR_SIZE, prng.below(3));
    const entry = {
      index,
      offset,
      length: data.length,
      flush: false,
      fua: false,
      discard: false,
      metadata: false,
      mark: null,
      dataOffset: 0,
    };
    return { entry, data, durable: prng.chance(0.2) };
  });
  return { index: prng.below(1000), writes, position: writes.length, endsWith: 'flush' };
}

it('two states of an epoch have one digest exactly when they are the same disk', () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const prng = new Prng(seed);
    const durable = new DiskImage();
    durable.write(0, Buffer.alloc(SECTOR_SIZE * 5, 1));
    const epoch = randomEpoch(prng);
    const images = new EpochImages(epoch, durable, zeroDigest());
    const byDigest = new Map<string, string>();
    const byBytes = new Map<string, string>();
    for (const state of epochStates(epoch, { seed, subsetsMax: 64, tornMax: 32 })) {
      const key = digestKey(images.digest(state));
      const bytes = images
        .image(state)
        .slice(0, DISK_SECTORS * SECTOR_SIZE)
        .toString('latin1');
      assert.equal(byDigest.get(key) ?? bytes, bytes, `seed ${seed}: one digest, two disks`);
      assert.equal(byBytes.get(bytes) ?? key, key, `seed ${seed}: one disk, two digests`);
      byDigest.set(key, bytes);
      byBytes.set(bytes, key);
    }
    assert.ok(byDigest.size > 0);
  }
});
