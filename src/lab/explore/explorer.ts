/**
 * Walks every disk that one model allows for one trace and has each distinct one checked once, under the
 * strongest promises under which it can appear: crash points are walked from the last to the first.
 */

import { Prng } from '../../base/prng.ts';
import type { Checker, CrashedDisk, Verdict } from '../check/checker.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { MarkOperation, Trace } from '../record/operation.ts';
import type { ContentStore } from './content-store.ts';
import { countAllStates, countStates, crashPointPositions } from './count-states.ts';
import { decidingPositions } from './crash-positions.ts';
import { CrashSpace } from './crash-space.ts';
import type { CrashState } from './crash-state.ts';
import { StateWalker } from './crash-state.ts';
import { buildCrashTree } from './crash-tree.ts';
import { ExploreDeadline } from './explore-budget.ts';
import { lazyCrashTree, ReadTranscript } from './lazy-tree.ts';
import { prepareHistory, type PreparedHistory } from './prepared-history.ts';
import { StateSampler } from './state-sampler.ts';
import type { VerdictCache } from './verdict-cache.ts';
import { shortKey } from './verdict-cache.ts';

export interface ExploreOptions {
  readonly checker: Checker;
  readonly store: ContentStore;
  readonly verdicts: VerdictCache;
  /** Distinct disks after which the walk ends, unfinished. */
  readonly disksMax: number;
  /** Visible states, equal ones included, after which the rest is sampled. */
  readonly walkedMax: number;
  /** Seed of the samples. @default 1 */
  readonly seed?: number;
  /** False leaves `rawStates` null: for explorations whose certificate nobody reads. @default true */
  readonly countStates?: boolean;
  /** When to end. @default never */
  readonly deadline?: ExploreDeadline;
  readonly onProgress?: (progress: ExploreProgress) => void;
}

export interface ExploreProgress {
  readonly model: string;
  readonly walked: number;
  readonly distinct: number;
  /** Crash points done, of those to walk. */
  readonly points: readonly [number, number];
}

/** A crash state whose disk the checker refused. */
export interface Violation {
  readonly state: CrashState;
  readonly message: string;
}

export interface Exploration {
  readonly model: CrashModel;
  /** Places at which the power can fail. */
  readonly crashPoints: number;
  /** Those that were walked; every disk of the others is among theirs. */
  readonly walkedPoints: number;
  /** States that the model allows over all crash points; null when they were too many to count. */
  readonly rawStates: bigint | null;
  /** States walked, equal disks included. */
  readonly walked: number;
  /** States drawn at random, where walking all was too much. */
  readonly sampled: number;
  /** What the samples were drawn with. */
  readonly seed: number;
  /**
   * At the crash points that were not walked whole: distinct disks looked at, of the states that the model allows
   * there. Null where every point was walked whole, or where the states could not be counted.
   */
  readonly sampledShare: number | null;
  /**
   * Distinct disks; with a checker that reads lazily, distinct things that it saw: each stands for every disk that
   * differs from it only in what the checker never looks at.
   */
  readonly distinct: number;
  readonly decidedBy: 'disks' | 'reads';
  /** Disks handed to the checker in this exploration; the others' verdicts were known. */
  readonly checked: number;
  /** The first violations found; `violationCount` has them all. */
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  /** False when the budget ended before the walk did: what was sampled is not complete. */
  readonly complete: boolean;
}

const NO_DEADLINE = new ExploreDeadline(null);

/** States drawn at each crash point that was too large to walk. */
const SAMPLES_PER_POINT = 2048;

/** More are counted, not kept. */
const VIOLATIONS_KEPT = 256;

/** What the outside world had been told when everything up to `position` had happened. */
export function marksAt(trace: Trace, position: number): MarkOperation[] {
  return trace.operations.filter(
    (operation): operation is MarkOperation =>
      operation.kind === 'mark' && operation.start <= position,
  );
}

export async function exploreModel(
  trace: Trace,
  model: CrashModel,
  options: ExploreOptions,
): Promise<Exploration> {
  const prepared = prepareHistory(trace, model, options.store);
  const run = new ExplorationRun(prepared, options);
  const positions = decidingPositions(trace, prepared.floorTimes);
  let walkedPoints = 0;
  for (const [index, position] of positions.entries()) {
    if (run.spent) break;
    await run.walk(position, [index, positions.length]);
    walkedPoints++;
  }
  await run.settle();
  return {
    model,
    crashPoints: crashPointPositions(trace).length,
    walkedPoints,
    rawStates: options.countStates === false ? null : countAllStates(prepared),
    walked: run.walked,
    sampled: run.sampled,
    seed: options.seed ?? 1,
    sampledShare: options.countStates === false ? null : run.sampledShare,
    distinct: run.distinct,
    decidedBy: options.checker.reads === 'lazy' ? 'reads' : 'disks',
    checked: run.checked,
    violations: run.violations,
    violationCount: run.violationCount,
    complete: !run.cut && !run.spent && prepared.cache.whole,
  };
}

class ExplorationRun {
  walked = 0;
  checked = 0;
  violationCount = 0;
  sampled = 0;
  /** Some crash point was too large to walk. */
  cut = false;
  /** No more disks may be checked. */
  spent = false;
  readonly violations: Violation[] = [];
  readonly #prepared: PreparedHistory;
  readonly #options: ExploreOptions;
  readonly #seen = new Set<string>();
  readonly #inFlight = new Set<Promise<void>>();
  #cutStates: bigint | null = 0n;
  #cutDistinct = 0;
  #point: readonly [number, number] = [0, 0];
  #asked = 0;

  constructor(prepared: PreparedHistory, options: ExploreOptions) {
    this.#prepared = prepared;
    this.#options = options;
  }

  get sampledShare(): number | null {
    if (this.#cutStates === null || this.#cutStates === 0n) return null;
    return this.#cutDistinct / Number(this.#cutStates);
  }

  get distinct(): number {
    return this.#seen.size;
  }

  /** Everything at this point, or a sample where that is more than its share of what is left. */
  async walk(position: number, point: readonly [number, number]): Promise<void> {
    this.#point = point;
    const pointsLeft = point[1] - point[0];
    const share = Math.ceil((this.#options.walkedMax - this.walked) / pointsLeft);
    const deadline = (this.#options.deadline ?? NO_DEADLINE).partOf(pointsLeft);
    const forWalking = deadline.forWalking();
    const space = new CrashSpace(this.#prepared.history, position, this.#prepared.cache);
    const marks = marksAt(this.#prepared.history.trace, position);
    const walker = new StateWalker();
    const before = this.distinct;
    for (let walked = 0; !this.spent; walked++) {
      if (walked >= share || (walked > 0 && this.#isTime(forWalking))) {
        this.cut = true;
        await this.#sample(space, marks, deadline);
        return this.#noteCut(position, before);
      }
      walker.begin();
      await this.#visit(space, marks, walker);
      this.walked++;
      if (!walker.next()) return;
    }
  }

  /** Sums up what was looked at of a point that was not walked whole. */
  #noteCut(position: number, distinctBefore: number): void {
    this.#cutDistinct += this.distinct - distinctBefore;
    if (this.#options.countStates === false || this.#cutStates === null) return;
    const states = countStates(this.#prepared, position);
    this.#cutStates = states === null ? null : this.#cutStates + states;
  }

  async #sample(
    space: CrashSpace,
    marks: readonly MarkOperation[],
    deadline: ExploreDeadline,
  ): Promise<void> {
    const sampler = new StateSampler(new Prng(this.#options.seed ?? 1));
    for (let drawn = 0; drawn < SAMPLES_PER_POINT && !this.spent; drawn++) {
      if (this.#isTime(deadline)) return;
      sampler.begin();
      await this.#visit(space, marks, sampler);
      this.sampled++;
    }
  }

  /** Asked for every state; the clock is read for some of them, and for each where a check takes long. */
  #isTime(deadline: ExploreDeadline): boolean {
    if (deadline.interrupted) this.spent = true;
    const slow = this.#inFlight.size > 0;
    return this.spent || ((slow || ++this.#asked % 256 === 0) && deadline.passed);
  }

  /** Builds the disk that the chooser decides on, and has it checked if it is new. */
  async #visit(
    space: CrashSpace,
    marks: readonly MarkOperation[],
    chooser: StateWalker | StateSampler,
  ): Promise<void> {
    space.begin(chooser);
    this.#report();
    if (this.#options.checker.reads === 'lazy') {
      const pending = this.#read(space, marks, chooser);
      return pending === null ? undefined : await pending;
    }
    const { root, key } = buildCrashTree(space);
    const disk = shortKey(key);
    if (!this.#isNew(disk)) return;
    const pending = this.#check({ root, marks }, disk, () => chooser.state(space.position));
    if (pending !== null) await pending;
  }

  /** Lets the checker read, and so decide, before it is known whether what it sees is new. */
  #read(
    space: CrashSpace,
    marks: readonly MarkOperation[],
    chooser: StateWalker | StateSampler,
  ): Promise<void> | null {
    const transcript = new ReadTranscript();
    const root = lazyCrashTree(space, transcript);
    const verdict = this.#options.checker.check({ root, marks });
    this.checked++;
    const take = (result: Verdict): void => {
      if (this.#isNew(shortKey(transcript.text))) {
        this.#take(result, () => chooser.state(space.position));
      }
    };
    if (verdict instanceof Promise) return verdict.then(take);
    take(verdict);
    return null;
  }

  /** Notes a disk, unless the budget has no room for it. */
  #isNew(disk: string): boolean {
    if (this.#seen.has(disk)) return false;
    if (this.distinct >= this.#options.disksMax) this.spent = true;
    else this.#seen.add(disk);
    return !this.spent;
  }

  /** Waits for the checks under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  /** @returns null when the verdict was there at once, or a promise to wait for before going on. */
  #check(disk: CrashedDisk, key: string, state: () => CrashState): Promise<unknown> | null {
    const { checker, verdicts } = this.#options;
    const known = verdicts.get(key, disk.marks.length);
    if (known !== undefined) {
      this.#take(known, state);
      return null;
    }
    this.checked++;
    const verdict = checker.check(disk);
    if (!(verdict instanceof Promise)) {
      verdicts.set(key, disk.marks.length, verdict);
      this.#take(verdict, state);
      return null;
    }
    // The walk goes on while this disk is checked: its state has to be noted now.
    const noted = state();
    const pending = this.#settle(verdict, key, disk.marks.length, noted);
    const tracked: Promise<void> = pending.finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
    const room = this.#inFlight.size < (checker.concurrency ?? 1);
    return room ? null : Promise.race(this.#inFlight);
  }

  async #settle(
    verdict: Promise<Verdict>,
    key: string,
    markCount: number,
    state: CrashState,
  ): Promise<void> {
    const result = await verdict;
    this.#options.verdicts.set(key, markCount, result);
    this.#take(result, () => state);
  }

  #take(verdict: Verdict, state: () => CrashState): void {
    if (verdict.ok) return;
    this.violationCount++;
    if (this.violations.length >= VIOLATIONS_KEPT) return;
    this.violations.push({ state: state(), message: verdict.message });
  }

  #report(): void {
    if ((this.walked + this.sampled) % 1024 !== 0) return;
    const model = this.#prepared.history.model.name;
    const { walked, distinct } = this;
    this.#options.onProgress?.({ model, walked, distinct, points: this.#point });
  }
}
