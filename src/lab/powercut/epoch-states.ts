/**
 * The crash states of one epoch: which of the writes in flight survived, and which of them torn. All subsets
 * where there are few enough, otherwise all prefixes and a seeded, stratified sample; torn writes are sampled
 * always. A state is a list of outcomes; `epoch-image.ts` turns it into a disk.
 */

import { Prng } from '../../base/prng.ts';
import type { Epoch, EpochWrite } from './epochs.ts';
import { SECTOR_SIZE } from './image-digest.ts';

/** What became of one write: sectors from `from` to before `to` (counted in the write) are on the disk. */
export interface WriteOutcome {
  readonly from: number;
  readonly to: number;
}

/** One crash state of an epoch: an outcome for each of its writes. */
export type EpochState = readonly WriteOutcome[];

/** How far to go. */
export interface EpochLimits {
  readonly seed: number;
  /** Subsets of one epoch that are walked exhaustively or, where there are more, sampled. */
  readonly subsetsMax: number;
  /** Torn states of one epoch. */
  readonly tornMax: number;
}

/** How an epoch's states were chosen. */
export interface EpochCoverage {
  /** 2 to the number of writes in flight: every state with no write torn. */
  readonly subsets: bigint;
  readonly exhaustive: boolean;
}

/** How many subsets an epoch has and whether `limits` walk them all. */
export function epochCoverage(epoch: Epoch, limits: EpochLimits): EpochCoverage {
  const free = epoch.writes.filter((write) => !write.durable).length;
  const subsets = 2n ** BigInt(free);
  return { subsets, exhaustive: subsets <= BigInt(limits.subsetsMax) };
}

/** Yields the states; some may be the same disk. The same seed and epoch give the same states. */
export function* epochStates(epoch: Epoch, limits: EpochLimits): Generator<EpochState, void> {
  const prng = new Prng(limits.seed ^ Math.imul(epoch.index + 1, 0x9e3779b1));
  const free = epoch.writes.flatMap((write, place) => (write.durable ? [] : [place]));
  const state = (kept: (place: number) => boolean): WriteOutcome[] =>
    epoch.writes.map((write, place) => (write.durable || kept(place) ? whole(write) : LOST));

  if (epochCoverage(epoch, limits).exhaustive) {
    for (let mask = 0; mask < 2 ** free.length; mask += 1) {
      yield state((place) => (mask & (1 << free.indexOf(place))) !== 0);
    }
  } else {
    yield* sampledSubsets(free, state, limits, prng);
  }
  yield* tornStates(epoch, free, state, limits, prng);
}

/** Most places at which one write is torn: a write of a megabyte is not torn at each of its 2,048 sectors. */
const CUTS_MAX = 64;
const LOST: WriteOutcome = { from: 0, to: 0 };

function whole(write: EpochWrite): WriteOutcome {
  return { from: 0, to: write.data.length / SECTOR_SIZE };
}

type StateOf = (kept: (place: number) => boolean) => WriteOutcome[];

/** Prefixes first: they are what a disk without a cache leaves. Then one lost, one kept, then at random. */
function* sampledSubsets(
  free: readonly number[],
  state: StateOf,
  limits: EpochLimits,
  prng: Prng,
): Generator<EpochState, void> {
  const end = (free.at(-1) ?? -1) + 1;
  yield state((place) => place < end);
  yield state(() => false);
  for (const limit of free) yield state((place) => place < limit);
  let left = limits.subsetsMax - free.length - 2;
  for (const one of prng.shuffled(free).slice(0, Math.max(0, Math.floor(left / 3)))) {
    yield state((place) => place !== one);
    yield state((place) => place === one);
    left -= 2;
  }
  // Uniform subsets all look half lost: the share that survives is drawn first, for each state anew.
  for (; left > 0; left -= 1) {
    const share = prng.uint32() / 2 ** 32;
    const kept = new Set(free.filter(() => prng.chance(share)));
    yield state((place) => kept.has(place));
  }
}

/**
 * Half of them tear the last write of a prefix, as a disk that loses power at work: every way where there are few
 * enough. The other half tear any write and keep any of the others.
 */
function* tornStates(
  epoch: Epoch,
  free: readonly number[],
  state: StateOf,
  limits: EpochLimits,
  prng: Prng,
): Generator<EpochState, void> {
  const half = Math.floor(limits.tornMax / 2);
  const tears = free.flatMap((place) => tearsOf(place, sectorsOf(epoch.writes[place])));
  const atWork = tears.length <= half ? tears : prng.shuffled(tears).slice(0, half);
  for (const { place, outcome } of atWork) {
    const outcomes = state((other) => other < place);
    outcomes[place] = outcome;
    yield outcomes;
  }
  if (tears.length === 0 || free.length === 1) return;
  for (let round = 0; round < half; round += 1) {
    const { place, outcome } = prng.pick(tears);
    const kept = new Set(free.filter(() => prng.chance(0.5)));
    const outcomes = state((other) => kept.has(other));
    outcomes[place] = outcome;
    yield outcomes;
  }
}

interface Tear {
  readonly place: number;
  readonly outcome: WriteOutcome;
}

/** A write may lose its end or its beginning: devices write in either direction. */
function tearsOf(place: number, sectors: number): Tear[] {
  return Array.from({ length: Math.min(sectors - 1, CUTS_MAX) }, (_, index) => {
    const cut = Math.ceil(((index + 1) * sectors) / (Math.min(sectors - 1, CUTS_MAX) + 1));
    return [
      { place, outcome: { from: 0, to: cut } },
      { place, outcome: { from: cut, to: sectors } },
    ];
  }).flat();
}

function sectorsOf(write: EpochWrite | undefined): number {
  return (write?.data.length ?? 0) / SECTOR_SIZE;
}
