/**
 * Crash points. The power can fail between any two events of a trace; most of those points need no walk of their
 * own. When the next event is not the return of a sync, every disk possible now is possible after it too, with at
 * least the same promises made by then: nothing gets out of danger, and all that is new may be lost. So it is
 * enough to walk the point right before each sync with a floor returned, and the end of the trace, as long as the
 * checker's demands only grow with what had been promised.
 */

import type { Trace } from '../record/operation.ts';

/** Every time at which something started or ended, ascending. */
export function eventTimes(trace: Trace): number[] {
  const times = new Set<number>();
  for (const { start, end } of trace.operations) {
    times.add(start);
    if (end !== null) times.add(end);
  }
  return [...times].toSorted((a, b) => a - b);
}

/** The points to walk, the last one first. */
export function decidingPositions(trace: Trace, floorTimes: readonly number[]): number[] {
  const times = eventTimes(trace);
  const positions = new Set<number>([times.at(-1) ?? 0]);
  const floors = new Set(floorTimes);
  times.forEach((time, index) => {
    if (floors.has(time)) positions.add(times[index - 1] ?? 0);
  });
  return [...positions].toSorted((a, b) => b - a);
}
