/**
 * Every disk that cutting the power could leave of one logged run, each once: at the last crash point where it
 * can occur, since the most acknowledgements stand there. The log is walked twice, first for digests only, so
 * that no more than one epoch is in memory.
 */

import { BlockLogReader } from './block-log.ts';
import type { DiskImage } from './disk-image.ts';
import { EpochImages, fullState } from './epoch-image.ts';
import { type EpochLimits, type EpochState, epochCoverage, epochStates } from './epoch-states.ts';
import { type Epoch, epochsOf } from './epochs.ts';
import { combine, digestKey, SECTOR_SIZE, zeroDigest } from './image-digest.ts';

/** What became of one block write that did not survive whole. */
export interface LostWrite {
  /** Place in the block log. */
  readonly entry: number;
  /** Where on the disk, in bytes. */
  readonly offset: number;
  readonly length: number;
  /** Bytes of it that survived: `from` to before `to`; both 0 when nothing did. */
  readonly keptFrom: number;
  readonly keptTo: number;
}

/** One disk that a power cut could leave. */
export interface CrashImage {
  readonly key: string;
  /** Made when it is first asked for: most are never mounted. */
  readonly image: DiskImage;
  /** Entries in the log at the crash. */
  readonly position: number;
  readonly epoch: number;
  /** Writes in flight that did not survive whole. */
  readonly lost: readonly LostWrite[];
  /** How many writes were in flight. */
  readonly inFlight: number;
}

/** What was walked, for the certificate. */
export interface CrashImageCounts {
  readonly entries: number;
  readonly epochs: number;
  /** All subsets of writes in flight, over all epochs: what an exhaustive walk would take. */
  readonly subsets: bigint;
  /** Epochs with more subsets than the limit, of which a sample was taken. */
  readonly sampledEpochs: number;
  /** States walked, torn ones included. */
  readonly states: number;
  /** Different disks among them. */
  readonly distinct: number;
}

/** The crash images of one log over the disk that it began with. */
export class CrashImages {
  readonly counts: CrashImageCounts;
  readonly #logPath: string;
  readonly #base: DiskImage;
  readonly #limits: EpochLimits;
  /** Last epoch in which each disk occurs. */
  readonly #lastEpoch = new Map<string, number>();

  /**
   * Walks the log for digests. `known` holds disks of other runs from the same base, which are left out; give
   * it only where those were checked with the same acknowledgements.
   *
   * @throws {TraceError} when the log is damaged.
   */
  constructor(logPath: string, base: DiskImage, limits: EpochLimits) {
    this.#logPath = logPath;
    this.#base = base;
    this.#limits = limits;
    let subsets = 0n;
    let sampledEpochs = 0;
    let states = 0;
    let epochs = 0;
    let entries = 0;
    this.#walk((epoch, images) => {
      const coverage = epochCoverage(epoch, limits);
      subsets += coverage.subsets;
      sampledEpochs += coverage.exhaustive ? 0 : 1;
      epochs += 1;
      entries = epoch.position;
      for (const state of epochStates(epoch, limits)) {
        states += 1;
        this.#lastEpoch.set(digestKey(images.digest(state)), epoch.index);
      }
      return [];
    }).next();
    const distinct = this.#lastEpoch.size;
    this.counts = { entries, epochs, subsets, sampledEpochs, states, distinct };
  }

  /** Yields each disk once, in the order of crash points. */
  *[Symbol.iterator](): Generator<CrashImage, void> {
    const done = new Set<string>();
    yield* this.#walk((epoch, images) => this.#imagesOf(epoch, images, done));
  }

  *#imagesOf(epoch: Epoch, images: EpochImages, done: Set<string>): Generator<CrashImage, void> {
    for (const state of epochStates(epoch, this.#limits)) {
      const key = digestKey(images.digest(state));
      if (this.#lastEpoch.get(key) !== epoch.index || done.has(key)) continue;
      done.add(key);
      yield new StateImage(key, epoch, state, images);
    }
  }

  *#walk(
    visit: (epoch: Epoch, images: EpochImages) => Iterable<CrashImage>,
  ): Generator<CrashImage, void> {
    const reader = BlockLogReader.open(this.#logPath);
    try {
      const durable = this.#base.fork();
      const digest = zeroDigest();
      for (const epoch of epochsOf(reader)) {
        // Of its own, since an image may be asked for when the walk has gone on.
        const images = new EpochImages(epoch, durable.fork(), digest);
        yield* visit(epoch, images);
        if (epoch.endsWith !== 'flush') continue;
        const everything = fullState(epoch);
        const after = images.digest(everything);
        images.apply(everything, durable);
        digest.fill(0);
        combine(digest, after);
      }
    } finally {
      reader.close();
    }
  }
}

class StateImage implements CrashImage {
  readonly key: string;
  readonly #epoch: Epoch;
  readonly #state: EpochState;
  readonly #images: EpochImages;
  #image: DiskImage | null = null;

  constructor(key: string, epoch: Epoch, state: EpochState, images: EpochImages) {
    this.key = key;
    this.#epoch = epoch;
    this.#state = state;
    this.#images = images;
  }

  get image(): DiskImage {
    return (this.#image ??= this.#images.image(this.#state));
  }

  get position(): number {
    return this.#epoch.position;
  }

  get epoch(): number {
    return this.#epoch.index;
  }

  get lost(): readonly LostWrite[] {
    return lostWrites(this.#epoch, this.#state);
  }

  get inFlight(): number {
    return this.#epoch.writes.length;
  }
}

function lostWrites(epoch: Epoch, state: EpochState): LostWrite[] {
  const lost: LostWrite[] = [];
  epoch.writes.forEach(({ entry, data }, place) => {
    const outcome = state[place] ?? { from: 0, to: 0 };
    if ((outcome.to - outcome.from) * SECTOR_SIZE === data.length) return;
    lost.push({
      entry: entry.index,
      offset: entry.offset,
      length: data.length,
      keptFrom: outcome.from * SECTOR_SIZE,
      keptTo: outcome.to * SECTOR_SIZE,
    });
  });
  return lost;
}
