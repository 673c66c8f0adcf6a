/**
 * Turns the crash states of one epoch into disks: their digests, without building anything, and their images
 * over what was durable before. Each stretch that a write can put on the disk is hashed once, however many
 * states have it; where writes overlap, sector by sector, since there the later one wins.
 */

import { assert } from '../../base/assert.ts';
import type { DiskImage } from './disk-image.ts';
import type { EpochState } from './epoch-states.ts';
import type { Epoch, EpochWrite } from './epochs.ts';
import {
  combine,
  DIGEST_WORDS,
  type DigestWords,
  SECTOR_SIZE,
  sectorDigest,
  zeroDigest,
} from './image-digest.ts';

/** Digests and images of one epoch's states over the durable image it began with. */
export class EpochImages {
  readonly #epoch: Epoch;
  readonly #durable: DiskImage;
  readonly #durableDigest: DigestWords;
  /** See `#sumsOf`; filled on demand. */
  readonly #sums: DigestWords[] = [];
  /** Whether any two writes touch the same sector: then the later one wins, sector by sector. */
  readonly #overlapping: boolean;

  /** REQUIRES: `durable` stays as it is while this is used. */
  constructor(epoch: Epoch, durable: DiskImage, durableDigest: DigestWords) {
    this.#epoch = epoch;
    this.#durable = durable;
    this.#durableDigest = durableDigest;
    this.#overlapping = overlaps(epoch.writes);
  }

  /** Digest of the disk that `state` leaves. */
  digest(state: EpochState): DigestWords {
    const digest = Int32Array.from(this.#durableDigest);
    if (this.#overlapping) {
      // Each sector counts once, with the write that wins it.
      const winners = new Map<number, readonly [place: number, sector: number]>();
      state.forEach(({ from, to }, place) => {
        const first = this.#writeAt(place).entry.offset / SECTOR_SIZE;
        for (let sector = from; sector < to; sector += 1) {
          winners.set(first + sector, [place, sector]);
        }
      });
      for (const [place, sector] of winners.values()) {
        combine(digest, this.#change(place, sector, sector + 1));
      }
    } else {
      state.forEach(({ from, to }, place) => {
        if (to > from) combine(digest, this.#change(place, from, to));
      });
    }
    return digest;
  }

  /** The disk that `state` leaves. */
  image(state: EpochState): DiskImage {
    const image = this.#durable.fork();
    this.apply(state, image);
    return image;
  }

  /** Puts what survives in `state` on `image`, in order. */
  apply(state: EpochState, image: DiskImage): void {
    state.forEach(({ from, to }, place) => {
      const write = this.#writeAt(place);
      if (to === from) return;
      const bytes = write.data.subarray(from * SECTOR_SIZE, to * SECTOR_SIZE);
      image.write(write.entry.offset + from * SECTOR_SIZE, bytes);
    });
  }

  /** What changes in the digest when sectors `from` to before `to` of a write are on the disk. */
  #change(place: number, from: number, to: number): DigestWords {
    const sums = this.#sumsOf(place);
    const change = sums.slice(DIGEST_WORDS * to, DIGEST_WORDS * (to + 1));
    combine(change, sums.subarray(DIGEST_WORDS * from, DIGEST_WORDS * (from + 1)));
    return change;
  }

  /** For each sector of a write, the change that all sectors before it make together. */
  #sumsOf(place: number): DigestWords {
    const known = this.#sums[place];
    if (known !== undefined) return known;
    const { entry, data } = this.#writeAt(place);
    const before = this.#durable.slice(entry.offset, data.length);
    const sectors = data.length / SECTOR_SIZE;
    const sums = new Int32Array(DIGEST_WORDS * (sectors + 1));
    const sum = zeroDigest();
    for (let sector = 0; sector < sectors; sector += 1) {
      const start = sector * SECTOR_SIZE;
      const end = start + SECTOR_SIZE;
      combine(sum, sectorDigest(entry.offset + start, data.subarray(start, end)));
      combine(sum, sectorDigest(entry.offset + start, before.subarray(start, end)));
      sums.set(sum, DIGEST_WORDS * (sector + 1));
    }
    this.#sums[place] = sums;
    return sums;
  }

  #writeAt(place: number): EpochWrite {
    const write = this.#epoch.writes[place];
    assert(write !== undefined, 'a state has an outcome for each write');
    return write;
  }
}

/** The state in which everything survived whole. */
export function fullState(epoch: Epoch): EpochState {
  return epoch.writes.map((write) => ({ from: 0, to: write.data.length / SECTOR_SIZE }));
}

function overlaps(writes: readonly EpochWrite[]): boolean {
  const ranges = writes
    .map(({ entry, data }) => ({ start: entry.offset, end: entry.offset + data.length }))
    .toSorted((left, right) => left.start - right.start);
  return ranges.some((range, place) => range.start < (ranges[place - 1]?.end ?? 0));
}
