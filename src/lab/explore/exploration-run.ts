/**
 * One exploration under way: crash point by crash point, each walked whole or, where that is more than its share of
 * the budget, sampled. What was done is kept so that a later run can go on with it (`explored-part.ts`).
 */

import { Prng } from '../../base/prng.ts';
import type { CrashedDisk, Verdict } from '../check/checker.ts';
import { marksAt } from './marks-at.ts';
import type { MarkOperation } from '../record/operation.ts';
import { countStates } from './count-states.ts';
import { CrashSpace } from './crash-space.ts';
import type { CrashState } from './crash-state.ts';
import { StateWalker } from './crash-state.ts';
import { type BuiltTree, buildCrashTree, CrashTreeWalk } from './crash-tree.ts';
import { ExploreDeadline } from './explore-budget.ts';
import type { ExploreOptions } from './explore-options.ts';
import type { ExploredPart, ExploredPoint } from './explored-part.ts';
import { lazyCrashTree, ReadTranscript } from './lazy-tree.ts';
import type { PreparedHistory } from './prepared-history.ts';
import { SeenDisks } from './seen-disks.ts';
import { StateSampler } from './state-sampler.ts';
import { Turns } from './turns.ts';
import { shortKey } from './verdict-cache.ts';
import { type PlacedViolation, ViolationList } from './violation-list.ts';

const NO_DEADLINE = new ExploreDeadline(null);

/** States drawn at each crash point that was too large to walk, unless the caller says how many in all. */
const SAMPLES_PER_POINT = 2048;

/** A crash point that is walked or sampled. */
interface Point {
  readonly space: CrashSpace;
  readonly marks: readonly MarkOperation[];
}

export class ExplorationRun {
  walked: number;
  checked: number;
  reused: number;
  sampled: number;
  /** No more disks may be checked. */
  spent = false;
  unsteady = false;
  readonly runs: number;
  readonly #prepared: PreparedHistory;
  readonly #options: ExploreOptions;
  readonly #seen: SeenDisks;
  readonly #violations: ViolationList;
  readonly #points = new Map<number, ExploredPoint>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #checksAgain: boolean;
  readonly #disksMax: number;
  readonly #walkedMax: number;
  #point: readonly [number, number] = [0, 0];
  #asked = 0;
  /** States visited, over all runs: the order of violations. */
  #visited: number;
  readonly #turns = new Turns();

  constructor(prepared: PreparedHistory, options: ExploreOptions) {
    this.#prepared = prepared;
    this.#options = options;
    const from = options.from ?? null;
    this.#seen = new SeenDisks(from?.seen);
    this.#violations = new ViolationList(from?.violations);
    for (const point of from?.points ?? []) this.#points.set(point.position, point);
    this.walked = from?.walked ?? 0;
    this.checked = from?.checked ?? 0;
    this.reused = from?.reused ?? 0;
    this.sampled = from?.sampled ?? 0;
    this.runs = (from?.runs ?? 0) + 1;
    this.#visited = from?.visited ?? 0;
    this.#checksAgain = options.without?.includes('disks') ?? false;
    this.#disksMax = this.#seen.size + options.disksMax;
    this.#walkedMax = this.walked + options.walkedMax;
  }

  get distinct(): number {
    return this.#seen.size;
  }

  get violationCount(): number {
    return this.#seen.failing;
  }

  get violations(): readonly PlacedViolation[] {
    return this.#violations.all;
  }

  get pointsBegun(): number {
    return this.#points.size;
  }

  isWhole(positions: readonly number[]): boolean {
    return positions.every((position) => this.#points.get(position)?.place === null);
  }

  /** See `Exploration.sampledShare`. */
  async sampledShare(deadline?: ExploreDeadline): Promise<number | null> {
    let states = 0n;
    let distinct = 0;
    for (const point of this.#points.values()) {
      if (point.place === null) continue;
      const count = await countStates(this.#prepared, point.position, deadline);
      if (count === null) return null;
      states += count;
      distinct += point.distinct;
    }
    return states === 0n ? null : distinct / Number(states);
  }

  /** REQUIRES: `settle` has returned. */
  part(): ExploredPart {
    return {
      points: [...this.#points.values()],
      seen: [...this.#seen],
      walked: this.walked,
      sampled: this.sampled,
      checked: this.checked,
      reused: this.reused,
      visited: this.#visited,
      violations: this.#violations.all,
      runs: this.runs,
    };
  }

  /** Everything at this point, or a sample where that is more than its share of what is left. */
  async walk(position: number, point: readonly [number, number]): Promise<void> {
    const before = this.#points.get(position);
    if (before?.place === null) return;
    this.#point = point;
    const pointsLeft = point[1] - point[0];
    const end = this.walked + Math.ceil((this.#walkedMax - this.walked) / pointsLeft);
    const deadline = (this.#options.deadline ?? NO_DEADLINE).partOf(pointsLeft);
    const plainly = this.#options.without?.includes('names') ?? false;
    const { history, cache } = this.#prepared;
    const space = new CrashSpace(history, position, cache, plainly);
    const at: Point = { space, marks: marksAt(history.trace, position) };
    const walker = new StateWalker(before?.place ?? []);
    const distinctBefore = this.distinct - (before?.distinct ?? 0);
    const isWhole = await this.#walkStates(at, walker, end, deadline.forWalking());
    const place = isWhole ? null : walker.place;
    if (walker.unsteady) this.unsteady = true;
    if (!isWhole && !this.spent) await this.#sample(at, deadline, this.#samplesFor(pointsLeft));
    this.#points.set(position, { position, place, distinct: this.distinct - distinctBefore });
  }

  /** @returns false when the budget ended before the walk did */
  async #walkStates(
    at: Point,
    walker: StateWalker,
    end: number,
    deadline: ExploreDeadline,
  ): Promise<boolean> {
    const trees = new CrashTreeWalk(at.space, walker);
    const lazy = this.#options.checker.reads === 'lazy';
    for (let first = true; ; first = false) {
      if (!first && (this.walked >= end || this.#isTime(deadline))) return false;
      const turn = this.#turn();
      if (turn !== null) await turn;
      let pending: Promise<unknown> | null;
      if (lazy) {
        walker.begin();
        at.space.begin(walker);
        pending = this.#read(at, walker);
      } else pending = this.#take(at, trees.build(), walker);
      if (pending !== null) await pending;
      if (this.spent) return false;
      this.walked++;
      if (!walker.next()) return true;
    }
  }

  #samplesFor(pointsLeft: number): number {
    const { samplesMax } = this.#options;
    if (samplesMax === undefined) return SAMPLES_PER_POINT;
    const before = this.#options.from?.sampled ?? 0;
    return Math.ceil((samplesMax - (this.sampled - before)) / pointsLeft);
  }

  async #sample(at: Point, deadline: ExploreDeadline, count: number): Promise<void> {
    // A run that goes on draws others than the one before.
    const sampler = new StateSampler(new Prng((this.#options.seed ?? 1) + (this.runs - 1) * 7919));
    for (let drawn = 0; drawn < count && !this.spent; drawn++) {
      if (this.#isTime(deadline)) return;
      const turn = drawn % 8 === 0 ? this.#turns.next() : null;
      if (turn !== null) await turn;
      sampler.begin();
      at.space.begin(sampler);
      const lazy = this.#options.checker.reads === 'lazy';
      const pending = lazy
        ? this.#read(at, sampler)
        : this.#take(at, buildCrashTree(at.space), sampler);
      if (pending !== null) await pending;
      this.sampled++;
    }
  }

  /** Asked for every state; the clock is read for some of them, and for each where a check takes long. */
  #isTime(deadline: ExploreDeadline): boolean {
    if (deadline.interrupted) this.spent = true;
    const slow = this.#inFlight.size > 0;
    return this.spent || ((slow || ++this.#asked % 256 === 0) && deadline.passed);
  }

  /** Now and then: a promise after which whatever else waits in this thread has had its turn. */
  #turn(): Promise<void> | null {
    this.#report();
    return this.#visited++ % 8 === 0 ? this.#turns.next() : null;
  }

  /** Lets the checker read, and so decide, before it is known whether what it sees is new. */
  #read({ space, marks }: Point, chooser: StateWalker | StateSampler): Promise<void> | null {
    const transcript = new ReadTranscript();
    const verdict = this.#options.checker.check({ root: lazyCrashTree(space, transcript), marks });
    const place = this.#visited;
    this.checked++;
    const take = (result: Verdict): void => {
      const key = shortKey(transcript.text);
      if (!this.#isNew(key, marks.length) || result.ok) return;
      this.#refuse(key, place, result.message, () => chooser.state(space.position));
    };
    if (verdict instanceof Promise) return verdict.then(take);
    take(verdict);
    return null;
  }

  /** Has a disk checked if it is new. @returns a promise to wait for before going on, or null. */
  #take(
    { space, marks }: Point,
    { root, key }: BuiltTree,
    chooser: StateWalker | StateSampler,
  ): Promise<unknown> | null {
    const disk = shortKey(key);
    if (!this.#isNew(disk, marks.length)) return null;
    const state = (): CrashState => chooser.state(space.position);
    return this.#check({ root, marks }, disk, state);
  }

  /** Notes a disk, unless the budget has no room for it. */
  #isNew(disk: string, markCount: number): boolean {
    if (!this.#checksAgain && this.#seen.has(disk, markCount)) return false;
    if (!this.#seen.isKnown(disk) && this.distinct >= this.#disksMax) this.spent = true;
    else this.#seen.add(disk, markCount);
    return !this.spent;
  }

  /** Waits for the checks under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  #check(disk: CrashedDisk, key: string, state: () => CrashState): Promise<unknown> | null {
    const { checker, verdicts } = this.#options;
    const place = this.#visited;
    const known = this.#checksAgain ? undefined : verdicts.get(key, disk.marks.length);
    const verdict = known ?? checker.check(disk);
    if (known === undefined) this.checked++;
    else this.reused++;
    if (!(verdict instanceof Promise)) {
      if (known === undefined) verdicts.set(key, disk.marks.length, verdict);
      if (!verdict.ok) this.#refuse(key, place, verdict.message, state);
      return null;
    }
    // The walk goes on while this disk is checked: its state has to be noted now.
    const noted = state();
    const take = async (): Promise<void> => {
      const result = await verdict;
      verdicts.set(key, disk.marks.length, result);
      if (!result.ok) this.#refuse(key, place, result.message, () => noted);
    };
    const tracked: Promise<void> = take().finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
    const room = this.#inFlight.size < (checker.concurrency ?? 1);
    return room ? null : Promise.race(this.#inFlight);
  }

  #refuse(disk: string, place: number, message: string, state: () => CrashState): void {
    if (this.#seen.fail(disk)) this.#violations.add(place, message, state);
  }

  #report(): void {
    if (this.#visited % 1024 !== 0) return;
    const model = this.#prepared.history.model.name;
    const { walked, distinct } = this;
    this.#options.onProgress?.({ model, walked, distinct, points: this.#point });
  }
}
