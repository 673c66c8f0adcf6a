/**
 * From violations to findings: the first violation is shrunk to its culprit, the syncs that would have kept it
 * are added to the trace, and the trace is explored again, until nothing fails or what fails cannot be repaired
 * by a sync. Then syncs that turned out not to be needed are taken out again. The last exploration is the proof.
 */

import type { Exploration } from '../explore/exploration.ts';
import type { ExploreOptions } from '../explore/explore-options.ts';
import { exploreModel } from '../explore/explorer.ts';
import type { Violation } from '../explore/violation-list.ts';
import { prepareHistory } from '../explore/prepared-history.ts';
import type { CrashState } from '../explore/crash-state.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { Trace } from '../record/operation.ts';
import type { Finding, MissingSync, ToldOperation } from './finding.ts';
import type { SyncInsertion } from './insert-sync.ts';
import { insertSyncs, sameInsertion } from './insert-sync.ts';
import type { Proposals } from './missing-sync.ts';
import { lostOperations, misplacedSync, proposeSyncs } from './missing-sync.ts';
import { StateTester, firstInOrderFailure, shrinkState } from './shrink.ts';
import { tellOperation } from './tell-operation.ts';

/** Explorations after which explaining ends; what is left is reported without a repair. */
const ROUNDS_MAX = 24;

/** Violations that are shrunk in one round, when causes have been found among them. */
const SHRUNK_PER_ROUND = 48;

/** Explorations spent on finding added syncs that are not needed. */
const PRUNING_EXPLORATIONS_MAX = 16;

/** A violation shrunk to its cause, in terms of the recorded trace. */
interface Culprit {
  readonly state: CrashState;
  readonly message: string;
  /** Indexes in the recorded trace. */
  readonly lost: readonly number[];
  readonly crashAfter: number | null;
  readonly proposals: Proposals;
}

interface RepairRound {
  readonly culprit: Culprit;
  readonly added: readonly SyncInsertion[];
}

export async function explainViolations(
  trace: Trace,
  model: CrashModel,
  exploration: Exploration,
  options: ExploreOptions,
): Promise<Finding[]> {
  const explainer = new Explainer(trace, model, options);
  return await explainer.explain(exploration);
}

class Explainer {
  readonly #trace: Trace;
  readonly #model: CrashModel;
  readonly #options: ExploreOptions;

  constructor(trace: Trace, model: CrashModel, options: ExploreOptions) {
    this.#trace = trace;
    this.#model = model;
    this.#options = options;
  }

  async explain(first: Exploration): Promise<Finding[]> {
    const rounds: RepairRound[] = [];
    const hopeless = new Map<string, Culprit>();
    let insertions: SyncInsertion[] = [];
    let current = first;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (this.#isOver && round > 0) break;
      const culprits = await this.#culprits(current, insertions, hopeless);
      if (culprits.length === 0) break;
      const before = insertions;
      for (const culprit of culprits) {
        const added = newProposals(culprit, before);
        if (added.length === 0) hopeless.set(groupOf(culprit), await this.#inOrder(culprit));
        const more = newProposals(culprit, insertions);
        if (added.length === 0 || more.length === 0) continue;
        rounds.push({ culprit, added: more });
        insertions = [...insertions, ...more];
      }
      if (insertions !== before) current = await this.#explore(insertions);
    }
    const needed = await this.#withoutNeedless(rounds, insertions, current);
    return await this.#findings(rounds, needed.insertions, needed.exploration, hopeless);
  }

  /** No more time, or interrupted. */
  get #isOver(): boolean {
    return this.#options.deadline?.passed === true;
  }

  #explore(insertions: readonly SyncInsertion[]): Promise<Exploration> {
    return exploreModel(insertSyncs(this.#trace, insertions), this.#model, this.#options);
  }

  #tester(insertions: readonly SyncInsertion[]): StateTester {
    const trace = insertSyncs(this.#trace, insertions);
    return new StateTester(prepareHistory(trace, this.#model, this.#options.store), this.#options);
  }

  /** The different causes among the violations, except those known to be beyond repair. */
  async #culprits(
    exploration: Exploration,
    insertions: readonly SyncInsertion[],
    hopeless: ReadonlyMap<string, Culprit>,
  ): Promise<Culprit[]> {
    const tester = this.#tester(insertions);
    const bySize = exploration.violations.toSorted(
      (a, b) => stateWeight(a.state) - stateWeight(b.state) || a.state.position - b.state.position,
    );
    const culprits = new Map<string, Culprit>();
    for (const [index, violation] of bySize.entries()) {
      const enough = index >= SHRUNK_PER_ROUND || this.#isOver;
      if (enough && culprits.size > 0) break;
      const culprit = await this.#culpritOf(tester, violation);
      // What was not shrunk to its end is no cause.
      if (this.#options.deadline?.interrupted === true) break;
      if (!hopeless.has(groupOf(culprit))) culprits.set(groupOf(culprit), culprit);
    }
    return [...culprits.values()];
  }

  async #culpritOf(tester: StateTester, violation: Violation): Promise<Culprit> {
    const state = await shrinkState(tester, violation.state);
    const { space, verdict } = await tester.probe(state);
    const { history } = tester.prepared;
    const message = verdict.ok ? violation.message : verdict.message;
    const inRecorded = (index: number): number => {
      const operation = history.trace.operations[index];
      return operation === undefined ? -1 : this.#trace.operations.indexOf(operation);
    };
    const lost = lostOperations(history, state).map(inRecorded);
    const proposed = proposeSyncs(history, state, space);
    const recorded = (insertions: readonly SyncInsertion[]): SyncInsertion[] =>
      insertions
        .map((insertion) => ({ ...insertion, after: inRecorded(insertion.after) }))
        .filter(({ after }) => after >= 0);
    const proposals = { first: recorded(proposed.first), each: recorded(proposed.each) };
    const crashAfter = this.#lastEvent(state.position);
    // Added syncs have times between whole numbers; the recorded trace knows whole ones only.
    const inRecordedTime = { ...state, position: Math.floor(state.position) };
    return { state: inRecordedTime, message, lost, proposals, crashAfter };
  }

  /** The same failure without any loss, where the program passes through it by itself. */
  async #inOrder(culprit: Culprit): Promise<Culprit> {
    const tester = this.#tester([]);
    const state = await firstInOrderFailure(tester, culprit.state.position);
    if (state === null) return culprit;
    const { verdict } = await tester.probe(state);
    const message = verdict.ok ? culprit.message : verdict.message;
    const crashAfter = this.#lastEvent(state.position);
    return { state, message, lost: [], proposals: NO_PROPOSALS, crashAfter };
  }

  /** The recorded operation that had just started or returned when the power failed. */
  #lastEvent(position: number): number | null {
    let last: number | null = null;
    let latest = -1;
    this.#trace.operations.forEach(({ start, end }, index) => {
      const time = end !== null && end <= position ? end : start;
      if (time <= position && time > latest) {
        latest = time;
        last = index;
      }
    });
    return last;
  }

  /** Takes out every added sync without which nothing new fails. */
  async #withoutNeedless(
    rounds: readonly RepairRound[],
    insertions: readonly SyncInsertion[],
    exploration: Exploration,
  ): Promise<{ insertions: SyncInsertion[]; exploration: Exploration }> {
    let kept = [...insertions];
    let best = exploration;
    let explorations = 0;
    for (const insertion of insertions) {
      const fewer = kept.filter((other) => other !== insertion);
      const culprit = rounds.find(({ added }) => added.includes(insertion))?.culprit;
      // What it repairs fails again without it: needed, and no need to look at everything.
      if (culprit !== undefined && (await this.#isRepairedOnlyBy(culprit, kept, fewer))) continue;
      if (++explorations > PRUNING_EXPLORATIONS_MAX || this.#isOver) break;
      const without = await this.#explore(fewer);
      if (without.violationCount > best.violationCount) continue;
      kept = fewer;
      best = without;
    }
    return { insertions: kept, exploration: best };
  }

  async #isRepairedOnlyBy(
    { state }: Culprit,
    all: readonly SyncInsertion[],
    fewer: readonly SyncInsertion[],
  ): Promise<boolean> {
    return !(await this.#tester(all).fails(state)) && (await this.#tester(fewer).fails(state));
  }

  async #findings(
    rounds: readonly RepairRound[],
    insertions: readonly SyncInsertion[],
    proof: Exploration,
    hopeless: ReadonlyMap<string, Culprit>,
  ): Promise<Finding[]> {
    const findings: Finding[] = [];
    const recorded = this.#tester([]);
    const hopelessAfter = new Set([...hopeless.values()].map(({ crashAfter }) => crashAfter));
    for (const insertion of insertions) {
      const round = rounds.find(({ added }) => added.some((one) => sameInsertion(one, insertion)));
      if (round === undefined) continue;
      // A sync after an operation that no sync makes right is no advice: it hides one of its faults.
      if (hopelessAfter.has(insertion.after)) continue;
      // An added sync can bring what was not there without it (on btrfs a name before an older one): such a state fails
      // in the repaired program only. Its sync belongs to the proof, and is no finding of the recorded one.
      if (!(await recorded.fails(round.culprit.state))) continue;
      findings.push({
        ...this.#told(round.culprit),
        kind: 'missing-sync',
        sync: this.#missing(insertion),
        proof: {
          added: insertions.length,
          distinct: proof.distinct,
          complete: proof.complete && proof.violationCount === 0,
        },
      });
    }
    const beyondRepair = new Map(
      [...hopeless.values()].map((culprit) => [groupOf(culprit), culprit]),
    );
    for (const culprit of beyondRepair.values()) {
      findings.push({ ...this.#told(culprit), kind: 'not-atomic', sync: null, proof: null });
    }
    return findings;
  }

  #told(culprit: Culprit): Pick<Finding, 'model' | 'message' | 'lost' | 'crashAfter' | 'state'> {
    const { message, state, lost, crashAfter } = culprit;
    return {
      model: this.#model.name,
      message,
      lost: lost.map((index) => tellOperation(this.#trace, index)),
      crashAfter: crashAfter === null ? null : tellOperation(this.#trace, crashAfter),
      state,
    };
  }

  #missing(insertion: SyncInsertion): MissingSync {
    const node = this.#trace.operations.find(
      (operation) => operation.kind === 'create' && operation.inode === insertion.inode,
    );
    const initial = this.#trace.initial.find(({ inode }) => inode === insertion.inode);
    const isDirectory =
      initial?.node === 'directory' || (node?.kind === 'create' && node.node === 'directory');
    const misplaced = misplacedSync(this.#trace, insertion);
    const told = (index: number): ToldOperation => tellOperation(this.#trace, index);
    return {
      call: insertion.scope === 'data' ? 'fdatasync' : 'fsync',
      of: isDirectory ? 'directory' : 'file',
      path: insertion.path,
      after: told(insertion.after),
      misplaced: misplaced === null ? null : told(misplaced),
    };
  }
}

const NO_PROPOSALS: Proposals = { first: [], each: [] };

/** What the culprit asks for that is not there yet. */
function newProposals(culprit: Culprit, there: readonly SyncInsertion[]): SyncInsertion[] {
  const isNew = (proposal: SyncInsertion): boolean =>
    !there.some((known) => sameInsertion(known, proposal));
  const late = culprit.proposals.first.filter(isNew);
  return late.length > 0 ? late : culprit.proposals.each.filter(isNew);
}

function stateWeight(state: CrashState): number {
  return state.lost.length + state.blocks.length + state.orders.length;
}

function groupOf(culprit: Culprit): string {
  return `${culprit.lost.join(',')} ${culprit.crashAfter ?? ''}`;
}
