/**
 * Crashes inside recovery, widely: one disk of each class that a crash of the workload leaves is recovered by the
 * program's own recovery, as the next process does, and the trace of that is explored like a workload's; and so again
 * from the classes that are new there. Every disk is judged by classes that all of them share (`wide-judge`).
 */

import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import { ContentStore } from '../../src/lab/explore/content-store.ts';
import type { Exploration } from '../../src/lab/explore/exploration.ts';
import { exploreModel } from '../../src/lab/explore/explorer.ts';
import { marksAt } from '../../src/lab/explore/marks-at.ts';
import { VerdictCache } from '../../src/lab/explore/verdict-cache.ts';
import type { CrashModel } from '../../src/lab/model/crash-model.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import { DiskKeys } from '../../src/lab/nested/disk-keys.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import { inOrderTree } from '../../src/lab/replay/in-order-tree.ts';
import type { CheckFunction, CrashTest } from '../../src/lab/suite/crash-test.ts';
import { recordRun } from '../../src/lab/suite/record-workload.ts';
import { contextOf, DiskVerdicts, VfsChecker } from '../../src/lab/suite/vfs-checker.ts';
import { boundsFor, traceOfWorkload } from './wide-exploration.ts';
import { WideJudge, WideTally, type Judging, type NewClass } from './wide-judge.ts';

/** The recoveries of one depth. */
export interface CutRecoveries {
  readonly tally: WideTally;
  /** Recoveries that were cut, and those of them of which every disk was looked at. */
  readonly cut: number;
  readonly whole: number;
  /** What was found, a line each. */
  readonly failures: readonly string[];
  /** What the crashes inside them left. */
  readonly classes: readonly NewClass[];
}

/** How the recoveries of one depth are cut. */
export interface Cutting {
  /** About so many disks of each recovery; with 0 it is not cut, and only its end is judged. */
  readonly disks: number;
  readonly stopAtFirst?: boolean;
}

/** One workload under one model: a crash of it, and what crashes inside recovery leave of that. */
export class NestedExploration {
  /** What the crash of the workload leaves. */
  readonly base: Exploration;
  readonly tally: WideTally;
  readonly classes: readonly NewClass[];
  readonly #model: CrashModel;
  readonly #judge: WideJudge;

  private constructor(
    base: Exploration,
    met: { readonly tally: WideTally; readonly classes: readonly NewClass[] },
    judge: WideJudge,
  ) {
    this.base = base;
    this.tally = met.tally;
    this.classes = met.classes;
    this.#model = base.model;
    this.#judge = judge;
  }

  /** Explores about so many disks of the workload. */
  static async of(
    test: CrashTest,
    judging: Judging,
    model: string,
    disks: number,
  ): Promise<NestedExploration> {
    const judge = new WideJudge(judging);
    const tally = new WideTally();
    const classes: NewClass[] = [];
    const checker = judge.checker({ tally, onClass: (met) => void classes.push(met) });
    const store = new ContentStore();
    const options = { checker, store, verdicts: new VerdictCache(), ...boundsFor(disks) };
    const base = await exploreModel(await traceOfWorkload(test), modelByName(model), options);
    return new NestedExploration(base, { tally, classes }, judge);
  }

  /** Recovers a disk of each of these classes, and cuts each recovery. */
  async cut(
    test: CrashTest,
    classes: readonly NewClass[],
    { disks, stopAtFirst = false }: Cutting,
  ): Promise<CutRecoveries> {
    const tally = new WideTally();
    const met: NewClass[] = [];
    const failures: string[] = [];
    let [cut, whole] = [0, 0];
    for (const { disk, verdict } of classes) {
      // What is told of already leads to nothing new.
      if (!(await verdict).ok) continue;
      if (stopAtFirst && failures.length > 0) break;
      cut++;
      const { trace, failure } = await recordRecovery(test, disk);
      const found: string[] = [];
      if (disks > 0) {
        const inside = await exploreModel(trace, this.#model, {
          checker: this.#judge.checker({
            tally,
            before: disk.marks,
            // Where nobody goes deeper, no disk is kept.
            ...(stopAtFirst ? {} : { onClass: (each: NewClass) => void met.push(each) }),
          }),
          // Each has its own: what a recovery can leave goes from memory with it.
          store: new ContentStore(),
          verdicts: new VerdictCache(),
          ...boundsFor(disks),
          // Recoveries that are alike have different states drawn.
          seed: cut,
          countStates: false,
        });
        if (inside.complete) whole++;
        found.push(...inside.violations.map(({ message }) => message));
      }
      const wrong = failure ?? (await wrongAtEnd(test, disk, trace));
      if (wrong !== null) found.push(wrong);
      failures.push(...found.map((message) => `recovery ${cut}: ${message}`));
    }
    return { tally, cut, whole, failures, classes: met };
  }
}

/** So many of a list, from all over it. */
export function evenly<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return items.filter((_, index) => {
    return (
      Math.floor((index * count) / items.length) < Math.floor(((index + 1) * count) / items.length)
    );
  });
}

/** What recovery does on this disk; it may fail, which is told. */
async function recordRecovery(
  test: CrashTest,
  disk: CrashedDisk,
): Promise<{ readonly trace: Trace; readonly failure: string | null }> {
  // Without a recovery of its own, the check recovers.
  const { recover = checkOf(test) } = test;
  const context = contextOf(disk);
  const { trace, failure } = await recordRun({
    tree: disk.root,
    run: (vfs, mark) => recover(vfs, { ...context, mark }),
  });
  if (failure === null) return { trace, failure: null };
  return { trace, failure: `recovery fails: ${String(failure.error)}` };
}

/** What the test's own check says of the disk that recovery leaves without a crash. */
async function wrongAtEnd(
  test: CrashTest,
  { marks }: CrashedDisk,
  trace: Trace,
): Promise<string | null> {
  const checker = new VfsChecker({
    check: checkOf(test),
    recover: undefined,
    verdicts: new DiskVerdicts(new DiskKeys()),
    once: true,
  });
  const end = { root: inOrderTree(trace), marks: [...marks, ...marksAt(trace, Infinity)] };
  const verdict = await checker.check(end);
  return verdict.ok ? null : `after recovery: ${verdict.message}`;
}

function checkOf({ check }: CrashTest): CheckFunction {
  if (typeof check !== 'function') throw new Error('a check that is for one trace only');
  return check;
}

/** Of a mutant: disks of the workload, recoveries that are cut (first few, which catch nearly all), disks of each. */
const MUTANT_WORKLOAD = 400;
const MUTANT_RECOVERIES = [12, 100];
const MUTANT_DISKS = 50;

/**
 * Looks for a recovery that fails when it is cut: for mutation runs of recovery, one for each story. The workload is
 * explored once for all mutants.
 */
export function findsInRecovery(judging: Judging): (test: CrashTest) => Promise<boolean> {
  const bases = new Map<string, NestedExploration>();
  return async (test) => {
    for (const model of (test.models ?? []).map(String)) {
      const base =
        bases.get(model) ?? (await NestedExploration.of(test, judging, model, MUTANT_WORKLOAD));
      bases.set(model, base);
      if (base.base.violationCount > 0) return true;
      for (const recoveries of MUTANT_RECOVERIES) {
        const chosen = evenly(base.classes, recoveries);
        // The places of recovery are gathered without crashes inside it.
        const disks = test.nested === 0 ? 0 : MUTANT_DISKS;
        const { failures } = await base.cut(test, chosen, { disks, stopAtFirst: true });
        if (failures.length > 0) return true;
        if (chosen.length === base.classes.length) break;
      }
    }
    return false;
  };
}
