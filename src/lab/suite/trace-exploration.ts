/**
 * One trace of a crash test under one model: explored, explained, and each state found again for its token. The
 * trace is the workload's, a faulted workload's, or a recovery's.
 */

import type { CrashedDisk } from '../check/checker.ts';
import type { Finding } from '../explain/finding.ts';
import { explainViolations } from '../explain/repair.ts';
import type { ContentStore } from '../explore/content-store.ts';
import type { CrashState } from '../explore/crash-state.ts';
import type { Exploration } from '../explore/exploration.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { exploreModel } from '../explore/explorer.ts';
import { VerdictCache } from '../explore/verdict-cache.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { RecoveryPoint } from '../nested/recovery-frontier.ts';
import type { MarkOperation, Trace } from '../record/operation.ts';
import type { CheckFunction, Recover } from './crash-test.ts';
import type { FaultedRun } from './record-workload.ts';
import type { DiskVerdicts, RecoveringDisk } from './vfs-checker.ts';
import { VfsChecker } from './vfs-checker.ts';

/** A recorded run of the workload and how its disks are checked. */
export interface Origin {
  readonly trace: Trace;
  readonly faulted: FaultedRun | null;
  readonly check: CheckFunction;
  readonly recover: Recover | undefined;
  readonly verdicts: DiskVerdicts;
}

/** How far one walk goes. */
export interface WalkBounds {
  readonly disksMax: number;
  readonly seed: number;
}

export class TraceExploration {
  readonly origin: Origin;
  readonly trace: Trace;
  readonly model: CrashModel;
  /** Where the recovery that `trace` is started from; null for a run of the workload. */
  readonly parent: RecoveryPoint<TraceExploration> | null;
  readonly #store: ContentStore;
  readonly #bounds: WalkBounds;
  readonly #verdicts = new VerdictCache();

  constructor(
    origin: Origin,
    trace: Trace,
    model: CrashModel,
    parent: RecoveryPoint<TraceExploration> | null,
    walk: { readonly store: ContentStore; readonly bounds: WalkBounds },
  ) {
    this.origin = origin;
    this.trace = trace;
    this.model = model;
    this.parent = parent;
    this.#store = walk.store;
    this.#bounds = walk.bounds;
  }

  /** Number of crashes before this trace began. */
  get depth(): number {
    return this.parent === null ? 0 : this.parent.source.depth + 1;
  }

  explore(onRecovering?: (disk: RecoveringDisk) => void): Promise<Exploration> {
    const checker = this.checker(onRecovering);
    return exploreModel(this.trace, this.model, this.#options(checker, this.#verdicts));
  }

  /** Decides of each disk only what recovery and check read: for spaces that are too large otherwise. */
  exploreLazily(onRecovering?: (disk: RecoveringDisk) => void): Promise<Exploration> {
    const checker = this.checker(onRecovering, 'lazy');
    return exploreModel(this.trace, this.model, this.#options(checker, new VerdictCache()));
  }

  explain(exploration: Exploration): Promise<Finding[]> {
    const options = this.#options(this.checker(), this.#verdicts);
    return explainViolations(this.trace, this.model, exploration, options);
  }

  /** The states that lead to a state of this trace; null when one on the way was not met again. */
  async pathTo(state: CrashState): Promise<CrashState[] | null> {
    if (this.parent === null) return [state];
    const { source, disk } = this.parent;
    const first = await source.#stateOf(disk);
    const before = first === null ? null : await source.pathTo(first);
    return before === null ? null : [...before, state];
  }

  checker(onRecovering?: (disk: RecoveringDisk) => void, reads?: 'lazy'): VfsChecker {
    const { check, recover, verdicts } = this.origin;
    return new VfsChecker({
      check,
      recover,
      verdicts,
      reads,
      ...(this.parent === null ? {} : { marksBefore: this.#marksBefore }),
      ...(onRecovering === undefined ? {} : { onRecovering }),
    });
  }

  /** Walks again until the disk comes. */
  async #stateOf(wanted: CrashedDisk): Promise<CrashState | null> {
    const { verdicts } = this.origin;
    const key = verdicts.keyOf(wanted);
    const before = this.#marksBefore;
    const finder = {
      name: 'finder',
      check: ({ root, marks }: CrashedDisk) =>
        verdicts.keyOf({ root, marks: [...before, ...marks] }) === key
          ? ({ ok: false, message: 'found' } as const)
          : ({ ok: true } as const),
    };
    const options = this.#options(finder, new VerdictCache());
    const { violations } = await exploreModel(this.trace, this.model, options);
    return violations[0]?.state ?? null;
  }

  get #marksBefore(): readonly MarkOperation[] {
    return this.parent?.disk.marks ?? [];
  }

  #options(checker: ExploreOptions['checker'], verdicts: VerdictCache): ExploreOptions {
    const { disksMax, seed } = this.#bounds;
    return { checker, store: this.#store, verdicts, disksMax, walkedMax: disksMax * 10, seed };
  }
}
