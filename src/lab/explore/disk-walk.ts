/** The distinct disks of one model, one after the other: for oracles that compare with what a model allows. */

import type { CrashedDisk } from '../check/checker.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { Trace } from '../record/operation.ts';
import type { ContentStore } from './content-store.ts';
import { decidingPositions } from './crash-positions.ts';
import { CrashSpace } from './crash-space.ts';
import type { CrashState } from './crash-state.ts';
import { applyState, StateWalker } from './crash-state.ts';
import { buildCrashTree, CrashTreeWalk } from './crash-tree.ts';
import { marksAt } from './marks-at.ts';
import { prepareHistory } from './prepared-history.ts';
import { shortKey } from './verdict-cache.ts';

/** Each distinct disk once, with the marks of the last crash point that shows it. */
export function* walkDisks(
  trace: Trace,
  model: CrashModel,
  store: ContentStore,
): Generator<CrashedDisk> {
  const { history, floorTimes, cache } = prepareHistory(trace, model, store);
  const seen = new Set<string>();
  for (const position of decidingPositions(trace, floorTimes)) {
    const marks = marksAt(trace, position);
    const space = new CrashSpace(history, position, cache);
    const walker = new StateWalker();
    const trees = new CrashTreeWalk(space, walker);
    do {
      const { root, key } = trees.build();
      const disk = shortKey(key);
      if (seen.has(disk)) continue;
      seen.add(disk);
      yield { root, marks };
    } while (walker.next());
  }
}

/** The disk of one state. */
export function diskOf(
  trace: Trace,
  model: CrashModel,
  state: CrashState,
  store: ContentStore,
): CrashedDisk {
  const { history, cache } = prepareHistory(trace, model, store);
  const space = new CrashSpace(history, state.position, cache);
  applyState(space, state);
  return { root: buildCrashTree(space).root, marks: marksAt(trace, state.position) };
}
