/**
 * Interleaved rounds: every contestant runs in every round, in an order that changes, so that what
 * the machine does meanwhile hits all of them. Ratios are medians of the ratios within rounds, not
 * ratios of medians.
 */

import { Prng } from '../src/base/prng.ts';

/** Something to measure. */
export interface Contestant {
  readonly name: string;
  /** Does the work once. */
  readonly run: (index: number) => void | Promise<void>;
}

export interface RoundsOptions {
  readonly rounds: number;
  /** Runs of each contestant in one round; their median is the round's figure. */
  readonly runs: number;
  /** Runs of each contestant before the first round, which are not measured. */
  readonly warmUp: number;
}

/** What was measured of one contestant. */
export interface Figures {
  readonly name: string;
  /** Milliseconds of one run, one figure a round. */
  readonly roundsMs: readonly number[];
  readonly medianMs: number;
}

export async function measure(
  contestants: readonly Contestant[],
  { rounds, runs, warmUp }: RoundsOptions,
): Promise<readonly Figures[]> {
  let index = 0;
  const timed = async (contestant: Contestant, count: number): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const start = performance.now();
      const running = contestant.run((index += 1));
      if (running !== undefined) await running;
      times.push(performance.now() - start);
    }
    return median(times);
  };
  for (const contestant of contestants) await timed(contestant, warmUp);

  const figures = new Map<Contestant, number[]>(contestants.map((each) => [each, []]));
  // Not in turn: each would always pay for what the same neighbour left to be written.
  const random = new Prng(1);
  for (let round = 0; round < rounds; round += 1) {
    const order = shuffled(contestants, random);
    for (const contestant of order) figures.get(contestant)?.push(await timed(contestant, runs));
  }
  return contestants.map((contestant) => {
    const roundsMs = figures.get(contestant) ?? [];
    return { name: contestant.name, roundsMs, medianMs: median(roundsMs) };
  });
}

function shuffled<T>(values: readonly T[], random: Prng): T[] {
  const left = [...values];
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return order;
}

/** How many times as fast as `base`: the median over the rounds. */
export function speedRatio(figures: Figures, base: Figures): number {
  return median(figures.roundsMs.map((ms, round) => (base.roundsMs[round] ?? ms) / ms));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return (upper + lower) / 2;
}
