/** The page of an exploration: each cause of loss with its line, its time line and its crashed tree, model by model. */

import { DurableTimes } from '../../audit/durable-times.ts';
import type { Finding } from '../../explain/finding.ts';
import { ContentStore } from '../../explore/content-store.ts';
import { diskOf } from '../../explore/disk-walk.ts';
import type { LabResult } from '../../lab-run.ts';
import type { CrashModel } from '../../model/crash-model.ts';
import type { Trace } from '../../record/operation.ts';
import { InOrderReplay } from '../../replay/in-order-tree.ts';
import { groupFindings, placeText, type ReportedFinding } from '../lab-report.ts';
import { adviceFor, repairText } from '../text-report.ts';
import { certificateHtml, levelHtml, redundantHtml } from './certificate-html.ts';
import { chooseLanes, laneOf, LaneNames, type LaneGhost } from './lanes.ts';
import { lanesHtml, type CallState } from './lanes-html.ts';
import { page, type Figure, type Verdict } from './page.ts';
import { html, type SafeHtml } from './safe-html.ts';
import { sourceHtml, type ReadLines } from './source-html.ts';
import { tabsHtml } from './tabs-html.ts';
import { compareTrees } from './tree-rows.ts';
import { treesHtml } from './trees-html.ts';
import { shortened } from './visible-text.ts';

/** Causes on one page; those after them are counted. */
const CAUSES_MAX = 60;
/** Causes that are shown on every model; the ones after them on the plainest model only. */
const CAUSES_ON_ALL_MODELS = 20;

export interface LabPageInput {
  readonly result: LabResult;
  readonly trace: Trace;
  /** Files are named from here. */
  readonly cwd: string;
  readonly readLines: ReadLines;
  /** The line that reproduces a finding's disk, where there is one. */
  readonly replay: (finding: Finding) => string | null;
}

/** The whole file. */
export function labPage(input: LabPageInput): string {
  const { result, trace, cwd } = input;
  const groups = groupFindings(result);
  const view = new FindingView(input);
  return page({
    title: `Holdfast: ${verdictOf(result, groups.length).word}`,
    verdict: verdictOf(result, groups.length),
    command: trace.command,
    figures: figuresOf(result, trace, groups.length),
    sections: [
      groups.length === 0 ? null : findingsHtml(groups, view),
      groups.length === 0 ? view.run() : null,
      certificateHtml(result),
      redundantHtml(result, cwd),
      html`<footer class="foot">
        Call numbers are places in the recorded run. A time line shows the calls that matter to its
        finding, in their order; distances are no durations.
      </footer>`,
    ],
  });
}

function verdictOf({ verdict, runs, doubts }: LabResult, causes: number): Verdict {
  const disks = runs.reduce((sum, { exploration }) => sum + exploration.distinct, 0);
  if (verdict === 'passed') {
    return {
      kind: 'good',
      word: 'Passed.',
      sentence: `${disks} disks under ${models(runs.length)}, and none fails.`,
    };
  }
  if (verdict === 'incomplete') {
    const why =
      doubts.length > 0
        ? 'but the checker cannot be trusted'
        : 'but not every disk could be looked at';
    return { kind: 'unsure', word: 'Incomplete.', sentence: `Nothing failed, ${why}.` };
  }
  const sentence =
    causes === 0
      ? 'Some disks fail; the causes were not worked out.'
      : `A power cut can take what this program counts on, for ${causes === 1 ? 'one reason' : `${causes} reasons`}.`;
  return { kind: 'bad', word: 'Not crash-safe.', sentence };
}

function models(count: number): string {
  return count === 1 ? 'one model' : `${count} models`;
}

function figuresOf({ runs }: LabResult, trace: Trace, causes: number): Figure[] {
  const sum = (of: (one: LabResult['runs'][number]) => number): string =>
    String(runs.reduce((total, run) => total + of(run), 0));
  const failing = runs.filter(({ exploration }) => exploration.violationCount > 0).length;
  return [
    { value: String(causes), label: causes === 1 ? 'cause of loss' : 'causes of loss' },
    { value: `${failing} of ${runs.length}`, label: 'models that fail' },
    { value: sum(({ exploration }) => exploration.distinct), label: 'distinct disks' },
    { value: sum(({ exploration }) => exploration.violationCount), label: 'disks that fail' },
    { value: String(trace.operations.length), label: 'recorded calls' },
  ];
}

function findingsHtml(groups: readonly ReportedFinding[], view: FindingView): SafeHtml {
  const shown = groups.slice(0, CAUSES_MAX);
  const tabs = shown.map((group, index) => ({
    label: html`<b>${titleOf(group.example)}</b
      ><span class="where">${view.place(group.example)}</span
      ><span class="on">on ${group.models.join(', ')}</span>`,
    panel: view.panel(group, index),
  }));
  const { list, panels } = tabsHtml(tabs, { id: 'cause', name: 'Causes of loss', isUpright: true });
  const more = groups.length - shown.length;
  return html`<section aria-labelledby="findings">
    <h2 id="findings">Findings</h2>
    <div class="findings">
      <div>
        ${list}${more > 0 ? html`<p class="more">${more} more causes are not on this page; the text and the JSON report have them.</p>` : null}
      </div>
      <div class="panel">${panels}</div>
    </div>
  </section>`;
}

function titleOf({ sync }: Finding): string {
  if (sync === null) return 'Not atomic';
  if (sync.path === '.') return `Missing ${sync.call} of the root directory`;
  const what = sync.of === 'directory' ? 'directory ' : '';
  return `Missing ${sync.call} of ${what}${shortened(sync.path, 90)}`;
}

function syncText({ sync }: Finding): string | null {
  if (sync === null) return null;
  return `${sync.call} of ${sync.of === 'directory' ? 'the directory' : 'the file'} ${shortened(sync.path, 90)}`;
}

/** Draws findings; keeps what is the same for all of them. */
class FindingView {
  readonly #input: LabPageInput;
  readonly #names: LaneNames;
  readonly #models: ReadonlyMap<string, CrashModel>;
  readonly #times = new Map<string, DurableTimes>();
  readonly #store = new ContentStore();

  constructor(input: LabPageInput) {
    this.#input = input;
    this.#names = new LaneNames(input.trace);
    this.#models = new Map(
      input.result.runs.map(({ exploration: { model } }) => [model.name, model]),
    );
  }

  place(finding: Finding): string {
    const told = finding.sync?.after ?? finding.crashAfter;
    return told === null ? '' : (placeText(told, this.#input.cwd) ?? told.what);
  }

  /** The run as it was, where nothing is wrong with it. */
  run(): SafeHtml {
    const { trace, cwd } = this.#input;
    const lanes = chooseLanes(trace, this.#names, { focus: [], crash: null, ghost: null });
    return html`<section aria-labelledby="run">
      <div class="panel">
        <h2 id="run">The recorded run</h2>
        ${lanesHtml({ trace, lanes, stateOf: () => 'plain', cwd, legend: false })}
      </div>
    </section>`;
  }

  panel({ example, models: on, all }: ReportedFinding, index: number): SafeHtml {
    const { readLines, cwd, result } = this.#input;
    const told = example.sync?.after ?? example.crashAfter;
    const source = told === null ? null : sourceHtml(told, syncText(example), readLines, cwd);
    const why =
      example.sync === null
        ? html`<p class="note">
            No sync can repair this: the update itself passes through states that recovery does not
            accept. What helps: ${adviceFor(example, result)}.
          </p>`
        : null;
    const isOnAll = index < CAUSES_ON_ALL_MODELS;
    const tabs = result.runs.flatMap(({ exploration: { model, complete } }) => {
      const own = all.find((finding) => finding.model === model.name);
      if (own === undefined) {
        const word = complete ? 'holds' : 'open';
        const text = complete
          ? `No disk that ${model.name} allows fails for this reason.`
          : `No disk of ${model.name} that was looked at fails for this reason; not all were.`;
        return [
          {
            label: modelLabel(model.name, word),
            panel: html`<p class="note">${text}</p>`,
            rank: 1,
          },
        ];
      }
      if (!isOnAll && own !== example) return [];
      return [{ label: modelLabel(model.name, 'fails'), panel: this.#onModel(own), rank: 0 }];
    });
    tabs.sort((a, b) => a.rank - b.rank);
    const id = `cause-${index}-model`;
    const { list, panels } = tabsHtml(tabs, { id, name: 'Models', isUpright: false });
    return html`<h3>${titleOf(example)}</h3>
      <p class="level bad">
        <svg aria-hidden="true"><use href="#i-unlink" /></svg>matters on ${on.join(', ')}
      </p>
      ${why}${source}${list}${panels}`;
  }

  #onModel(finding: Finding): SafeHtml {
    const { trace, cwd, replay } = this.#input;
    const model = this.#models.get(finding.model);
    if (model === undefined) return html`<p class="note">This model is not known here.</p>`;
    const { sync, lost, crashAfter, message, proof, state } = finding;
    const misplaced = sync?.misplaced ?? null;
    const proofWords = proof === null ? null : `${repairText(proof)} under ${model.name}`;
    const facts: readonly (readonly [string, string | null])[] = [
      ['Shows', message],
      [
        'Lost',
        lost
          .map(({ what }) => what)
          .slice(0, 12)
          .join('; ') + (lost.length > 12 ? `; and ${lost.length - 12} more` : ''),
      ],
      ['Crash after', crashAfter === null ? 'the start' : crashAfter.what],
      [
        'Too late',
        misplaced === null
          ? null
          : `${misplaced.what} at ${placeText(misplaced, cwd) ?? 'an unknown line'} does not cover it`,
      ],
      ['Proof', proofWords],
    ];
    const command = replay(finding);
    const lanes = chooseLanes(trace, this.#names, {
      focus: [
        ...lost,
        ...(sync === null ? [] : [sync.after]),
        ...[misplaced, crashAfter].filter((one) => one !== null),
      ].map(({ operation }) => operation),
      crash: { time: state.position },
      ghost: ghostOf(trace, finding),
    });
    const stateOf = this.#stateTeller(model, finding);
    return html`<dl class="facts">
        ${facts.map(([name, text]) =>
          text === null || text === ''
            ? null
            : html`<dt>${name}</dt>
                <dd>${text}</dd>`,
        )}${
          command === null
            ? null
            : html`<dt>Replay</dt>
                <dd><code>${command}</code></dd>`
        }
      </dl>
      <h4>What happened, and what the power cut took</h4>
      ${lanesHtml({ trace, lanes, stateOf, cwd, legend: true })}
      <h4>The disk</h4>
      ${this.#trees(model, finding)}`;
  }

  /**
   * The crashed disk beside what the program saw; where that is the same, because the update itself is at fault, beside
   * what was there before the last call.
   */
  #trees(model: CrashModel, { state, crashAfter }: Finding): SafeHtml {
    const { trace } = this.#input;
    const crashed = diskOf(trace, model, state, this.#store).root;
    const seen = new InOrderReplay(trace);
    seen.advance(({ start }) => start <= state.position);
    const now = compareTrees(seen.tree(), crashed);
    const last = crashAfter === null ? undefined : trace.operations[crashAfter.operation];
    if (last === undefined || now.rows.some(({ difference }) => difference !== 'same')) {
      return treesHtml(now, 'what the program saw');
    }
    const before = new InOrderReplay(trace);
    before.advance(({ start }) => start < last.start);
    return treesHtml(compareTrees(before.tree(), crashed), 'before the last call');
  }

  #stateTeller(model: CrashModel, { lost, state }: Finding): (index: number) => CallState {
    const { trace } = this.#input;
    const gone = new Set(lost.map(({ operation }) => operation));
    let times = this.#times.get(model.name);
    if (times === undefined) {
      times = new DurableTimes(trace, model);
      this.#times.set(model.name, times);
    }
    const known = times;
    return (index) => {
      const operation = trace.operations[index];
      if (operation === undefined || operation.start > state.position) return 'after';
      if (gone.has(index)) return 'lost';
      const at = Math.max(known.dataDurable(index), known.nameDurable(index));
      if (at === -Infinity) return 'plain';
      return at <= state.position ? 'durable' : 'pending';
    };
  }
}

function modelLabel(name: string, word: 'fails' | 'holds' | 'open'): SafeHtml {
  const [kind, icon] = {
    fails: ['bad', 'i-unlink'],
    holds: ['good', 'i-good'],
    open: ['unsure', 'i-unsure'],
  }[word];
  return html`${name} ${levelHtml(kind ?? '', icon ?? '', word)}`;
}

/** Where the missing sync would stand. */
function ghostOf(trace: Trace, { sync }: Finding): LaneGhost | null {
  if (sync === null) return null;
  const after = trace.operations[sync.after.operation];
  if (after === undefined) return null;
  const own = laneOf(after);
  const ghost = { after: sync.after.operation, call: sync.call };
  if (sync.of === 'file') return own === null ? null : { ...ghost, lane: own };
  if (after.kind === 'rename') {
    const slash = after.path.lastIndexOf('/');
    const parent = slash < 0 ? '.' : after.path.slice(0, slash);
    return { ...ghost, lane: parent === sync.path ? after.toDirectory : after.fromDirectory };
  }
  if ('directory' in after) return { ...ghost, lane: after.directory };
  return own === null ? null : { ...ghost, lane: own };
}
