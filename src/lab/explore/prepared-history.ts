/** What is worked out once for a trace and a model, before any crash point is looked at. */

import type { CrashModel } from '../model/crash-model.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import { splitTrace } from '../model/split-trace.ts';
import { applyFloors } from '../model/sync-floor.ts';
import type { Trace } from '../record/operation.ts';
import type { ContentStore } from './content-store.ts';
import { SpaceCache } from './space-cache.ts';

/** A history with its floors, ready for crash spaces. */
export interface PreparedHistory {
  readonly history: ChangeHistory;
  readonly floorTimes: readonly number[];
  readonly cache: SpaceCache;
}

export function prepareHistory(
  trace: Trace,
  model: CrashModel,
  store: ContentStore,
): PreparedHistory {
  const history = splitTrace(trace, model);
  return { history, floorTimes: applyFloors(history), cache: new SpaceCache(store) };
}
