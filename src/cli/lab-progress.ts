/** How far an exploration is, in one line on a terminal; several models may be under way at the same time. */

import { systemClock } from '../base/clock.ts';
import type { ExploreProgress } from '../lab/explore/explore-options.ts';
import type { ProgressLine } from './output.ts';

/** Says how far a run is, and how fast. */
export function progressTeller(
  line: ProgressLine,
  modelCount: number,
): (progress: ExploreProgress) => void {
  const startMs = systemClock.monotonicMs();
  const models = new Map<string, ExploreProgress>();
  return (progress) => {
    models.set(progress.model, progress);
    let walked = 0;
    for (const other of models.values()) walked += other.walked;
    const seconds = Math.max(0.001, (systemClock.monotonicMs() - startMs) / 1000);
    const [done, all] = progress.points;
    line.update(
      `${progress.model} (${models.size} of ${modelCount}): crash point ${done + 1} of ${all}, ` +
        `${progress.distinct} distinct; ${walked} states walked (${Math.round(walked / seconds)}/s)`,
    );
  };
}
