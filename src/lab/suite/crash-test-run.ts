/**
 * The stages of a crash test: the workload's trace under each model, the traces of its runs with a fault, and then,
 * depth by depth, the recoveries from all disks that were met. The budget is shared: where there are later stages,
 * an early one leaves them a part.
 */

import { ContentStore } from '../explore/content-store.ts';
import type { Exploration } from '../explore/exploration.ts';
import { marksAt } from '../explore/marks-at.ts';
import { validateChecker } from '../check/validate-checker.ts';
import type { CrashModel } from '../model/crash-model.ts';
import { DiskKeys } from '../nested/disk-keys.ts';
import type { RecoveryPoint } from '../nested/recovery-frontier.ts';
import { RecoveryFrontier } from '../nested/recovery-frontier.ts';
import { changesNothing, NOTHING_CHANGED } from '../record/nothing-changed.ts';
import type { Operation, Trace } from '../record/operation.ts';
import { inOrderTree } from '../replay/in-order-tree.ts';
import { skippedIn } from '../report/skipped.ts';
import type {
  CrashTestCertificate,
  CrashTestResult,
  FaultCertificate,
  ModelCertificate,
  NestedCertificate,
} from './crash-test.ts';
import { faultedRuns, tellFault } from './fault-runs.ts';
import type { RawFinding } from './finding-groups.ts';
import { groupRawFindings } from './finding-groups.ts';
import type { RecordedRun } from './record-workload.ts';
import { recordRecovery } from './record-recovery.ts';
import { recordRun, requireSuccess } from './record-workload.ts';
import type { SuiteSettings } from './suite-settings.ts';
import { suiteToken } from './suite-token.ts';
import type { Origin } from './trace-exploration.ts';
import { TraceExploration } from './trace-exploration.ts';
import type { RecoveringDisk } from './vfs-checker.ts';
import { DiskVerdicts } from './vfs-checker.ts';

/** Traces with a fault, and recoveries of one depth, whose findings are explained, for each model. */
const EXPLAINED_MAX = 6;

/** A walk with a smaller budget says too little. */
const DISKS_PER_WALK_MIN = 64;

/** Recoveries explored at one depth: the budget over this, for each model. */
const BUDGET_PER_RECOVERY = 100;

const WAVERED =
  'recovery and check passed and refused the same disk: they depend on more than the disk';
const UNSTEADY = 'recovery and check do not read the same when they get the same answers again';

/** What a run is for: a verdict with its reasons, or only whether anything fails. */
export interface RunPurpose {
  readonly explain: boolean;
  readonly stopAtFirst: boolean;
}

/** Sums over the explorations of one stage. */
class StageCount {
  explored = 0;
  disksDistinct = 0;
  disksFailing = 0;
  failed = 0;
  explained = 0;
  complete = true;
  readonly #explainedOf = new Map<CrashModel, number>();

  /** @returns whether the exploration failed and is one of those to explain */
  add({ distinct, violationCount, complete, model }: Exploration): boolean {
    this.explored++;
    this.disksDistinct += distinct;
    this.disksFailing += violationCount;
    if (!complete) this.complete = false;
    if (violationCount === 0) return false;
    this.failed++;
    const before = this.#explainedOf.get(model) ?? 0;
    if (before === EXPLAINED_MAX) return false;
    this.#explainedOf.set(model, before + 1);
    this.explained++;
    return true;
  }
}

export class CrashTestRun {
  readonly #settings: SuiteSettings;
  readonly #purpose: RunPurpose;
  readonly #store = new ContentStore();
  readonly #keys = new DiskKeys();
  readonly #frontier = new RecoveryFrontier<TraceExploration>();
  readonly #raw: RawFinding[] = [];
  readonly #allVerdicts = new Set<DiskVerdicts>();
  readonly #unmodelled = new Set<string>();
  #sharedVerdicts: DiskVerdicts | null = null;
  #failing = 0;

  constructor(settings: SuiteSettings, purpose: RunPurpose) {
    this.#settings = settings;
    this.#purpose = purpose;
  }

  /** @throws UsageError when workload or check fail where nothing is damaged */
  async run(): Promise<CrashTestResult> {
    const { test, models, nested, budget, seed } = this.#settings;
    const run = (...[vfs, mark]: Parameters<Parameters<typeof recordRun>[0]['run']>): unknown =>
      test.workload(vfs, { mark });
    const recorded = await recordRun({ tree: test.tree, run });
    requireSuccess(recorded);
    const origin = this.#originOf(recorded);
    await this.#validate(origin);
    const modelCertificates: ModelCertificate[] = [];
    for (const model of models) modelCertificates.push(await this.#exploreBase(origin, model));
    const faults = await this.#exploreFaults();
    const nestedCertificates: NestedCertificate[] = [];
    for (let depth = 1; depth <= nested; depth++) {
      nestedCertificates.push(await this.#exploreRecoveries(depth));
    }
    const certificate: CrashTestCertificate = {
      models: modelCertificates,
      faults,
      nested: nestedCertificates,
      budget,
      seed,
      disksChecked: this.#checked,
      unmodelled: [...this.#unmodelled],
    };
    const findings = await groupRawFindings(this.#raw);
    return { verdict: this.#verdictOf(certificate), certificate, findings };
  }

  get #stopped(): boolean {
    return this.#purpose.stopAtFirst && this.#failing > 0;
  }

  get #checked(): number {
    let checked = 0;
    for (const verdicts of this.#allVerdicts) checked += verdicts.checked;
    return checked;
  }

  /** Disks that may still be checked when this part of the budget is for what came so far. */
  #left(part: number): number {
    return Math.max(0, Math.floor(this.#settings.budget * part) - this.#checked);
  }

  #originOf({ trace, faulted }: RecordedRun): Origin {
    const { checkFor, sharesVerdicts, test } = this.#settings;
    for (const operation of trace.operations) {
      if (operation.kind === 'unmodelled') this.#unmodelled.add(operation.what);
    }
    // A workload may leave everything to its recovery.
    const nothing = !faulted && test.recover === undefined && changesNothing(trace);
    if (nothing) this.#unmodelled.add(NOTHING_CHANGED);
    const verdicts = this.#sharedVerdicts ?? new DiskVerdicts(this.#keys);
    if (sharesVerdicts) this.#sharedVerdicts = verdicts;
    this.#allVerdicts.add(verdicts);
    return { trace, faulted, check: checkFor(trace), recover: test.recover, verdicts };
  }

  async #validate(origin: Origin): Promise<void> {
    const { trace } = origin;
    const [model] = this.#settings.models;
    if (model === undefined) return;
    const checker = this.#exploration(origin, trace, model, null, 1).checker();
    const first = { root: inOrderTree(trace, 0), marks: [] };
    const last = { root: inOrderTree(trace), marks: marksAt(trace, Infinity) };
    await validateChecker(checker, first, last);
  }

  async #exploreBase(origin: Origin, model: CrashModel): Promise<ModelCertificate> {
    const { faults, nested } = this.#settings;
    const left = this.#stopped ? 1 : this.#left(faults.length > 0 || nested > 0 ? 0.5 : 1);
    const exploring = this.#exploration(origin, origin.trace, model, null, left);
    const exploration = await this.#explore(exploring);
    if (exploration.violationCount > 0) await this.#explain(exploring, exploration);
    return {
      model: model.name,
      crashPoints: exploration.crashPoints,
      rawStates: exploration.rawStates,
      disksDistinct: exploration.distinct,
      disksFailing: exploration.violationCount,
      statesWalked: exploration.walked,
      statesSampled: exploration.sampled,
      sampledShare: exploration.sampledShare,
      skipped: skippedIn(exploration),
      decidedBy: exploration.decidedBy,
      complete: exploration.complete,
    };
  }

  async #exploreFaults(): Promise<FaultCertificate> {
    const { models, faults, nested, test } = this.#settings;
    const count = new StageCount();
    let [runs, threw] = [0, 0];
    for await (const recorded of faultedRuns(test, faults)) {
      if (this.#stopped) break;
      runs++;
      if (recorded.failure !== null) threw++;
      const origin = this.#originOf(recorded);
      for (const model of models) {
        const left = this.#left(nested > 0 ? 0.75 : 1);
        if (left === 0) {
          count.complete = false;
          break;
        }
        const exploring = this.#exploration(origin, origin.trace, model, null, left);
        const exploration = await this.#explore(exploring);
        if (count.add(exploration)) await this.#explain(exploring, exploration);
      }
    }
    const { explored, disksDistinct, disksFailing, failed, explained, complete } = count;
    return { runs, threw, explored, disksDistinct, disksFailing, failed, explained, complete };
  }

  async #exploreRecoveries(depth: number): Promise<NestedCertificate> {
    const { budget, seed, models } = this.#settings;
    const pointsMax = Math.max(16, Math.ceil(budget / BUDGET_PER_RECOVERY)) * models.length;
    const { points, total } = this.#frontier.take(pointsMax, seed);
    const count = new StageCount();
    for (const [index, point] of points.entries()) {
      if (this.#stopped) break;
      const share = Math.ceil(this.#left(1) / (points.length - index));
      if (share === 0) break;
      const { origin } = point.source;
      const trace = await recordRecovery(point.disk, origin);
      if (!trace.operations.some(changesDisk)) {
        count.explored++;
        continue;
      }
      const disksMax = Math.max(DISKS_PER_WALK_MIN, share);
      const exploring = this.#exploration(origin, trace, point.model, point, disksMax);
      const exploration = await this.#explore(exploring);
      if (count.add(exploration)) await this.#explain(exploring, exploration);
    }
    const { explored, disksDistinct, disksFailing, failed, explained } = count;
    const complete = count.complete && explored === total;
    const counts = { explored, disksDistinct, disksFailing, failed, explained };
    return { depth, recoveries: total, ...counts, complete };
  }

  #exploration(
    origin: Origin,
    trace: Trace,
    model: CrashModel,
    parent: RecoveryPoint<TraceExploration> | null,
    disksMax: number,
  ): TraceExploration {
    const bounds = { disksMax: Math.max(1, disksMax), seed: this.#settings.seed };
    return new TraceExploration(origin, trace, model, parent, { store: this.#store, bounds });
  }

  async #explore(exploring: TraceExploration): Promise<Exploration> {
    const { origin, model, depth } = exploring;
    // Verdicts of an oracle are of its own trace, so its disks are told apart from those of others.
    const scope = this.#settings.sharesVerdicts
      ? ''
      : String([...this.#allVerdicts].indexOf(origin.verdicts));
    const onRecovering = ({ disk, key }: RecoveringDisk): void => {
      if (depth >= this.#settings.nested) return;
      this.#frontier.add({ model, disk, key, source: exploring }, scope);
    };
    let exploration = await exploring.explore(onRecovering);
    if (!exploration.complete && exploration.violationCount === 0) {
      // Too many disks to build each: those that differ only in what nobody reads are one.
      const lazy = await exploring.exploreLazily(onRecovering);
      if (lazy.complete || lazy.violationCount > 0) exploration = lazy;
    }
    this.#failing += exploration.violationCount;
    if (origin.verdicts.wavered) this.#unmodelled.add(WAVERED);
    if (exploration.unsteady) this.#unmodelled.add(UNSTEADY);
    return exploration;
  }

  async #explain(exploring: TraceExploration, exploration: Exploration): Promise<void> {
    if (!this.#purpose.explain) return;
    const { origin, depth, model } = exploring;
    for (const finding of await exploring.explain(exploration)) {
      this.#raw.push({
        finding,
        depth,
        fault: origin.faulted === null ? null : tellFault(origin.trace, origin.faulted),
        token: async () => {
          const states = await exploring.pathTo(finding.state);
          return states === null ? null : suiteToken(origin.trace, model.name, states);
        },
      });
    }
  }

  #verdictOf(certificate: CrashTestCertificate): CrashTestResult['verdict'] {
    if (this.#failing > 0) return 'found';
    const { models, faults, nested, unmodelled } = certificate;
    const parts = [...models, faults, ...nested];
    return unmodelled.length === 0 && parts.every(({ complete }) => complete)
      ? 'passed'
      : 'incomplete';
  }
}

function changesDisk({ kind, error }: Operation): boolean {
  if (error !== undefined) return false;
  return kind !== 'sync' && kind !== 'sync-all' && kind !== 'close' && kind !== 'mark';
}
