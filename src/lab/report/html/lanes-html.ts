/** A time line as a table: a row for each file, a column for each call, the power cut a line through all of them. */

import { unreachable } from '../../../base/assert.ts';
import { describeOperation } from '../../explain/tell-operation.ts';
import type { Operation, StackFrame, Trace } from '../../record/operation.ts';
import { frameText } from '../lab-report.ts';
import type { Lane, LaneColumn, Lanes } from './lanes.ts';
import { html, type HtmlValue, type SafeHtml } from './safe-html.ts';
import { shortened } from './visible-text.ts';

/** What became of a call on the disk that is shown, or why it is shown. */
export type CallState = 'lost' | 'durable' | 'pending' | 'after' | 'failed' | 'shown' | 'plain';

export interface LanesView {
  readonly trace: Trace;
  readonly lanes: Lanes;
  readonly stateOf: (operation: number) => CallState;
  /** Files are named from here. */
  readonly cwd: string;
  /** Whether the states of a crash are told below. */
  readonly legend: boolean;
}

const STATE_WORDS: Readonly<Record<CallState, string>> = {
  lost: 'LOST',
  durable: 'durable',
  pending: 'not synced',
  after: 'not yet',
  failed: 'failed',
  shown: 'here',
  plain: '',
};

const STATE_SENTENCES: Readonly<Record<CallState, string>> = {
  lost: ' — lost in this crash',
  durable: ' — durable before the crash',
  pending: ' — not durable when the power failed',
  after: ' — after the crash: it never happened',
  failed: ' — the call failed',
  shown: ' — the finding is about this call',
  plain: '',
};

export function lanesHtml(view: LanesView): SafeHtml {
  const { columns, lanes, left } = view.lanes;
  const head = columns.map((column) => headOf(column));
  const rows = lanes.map(
    (lane) =>
      html`<tr>
        <th scope="row">${laneHtml(lane)}</th>
        ${columns.map((column) => cellOf(view, column, lane))}
      </tr> `,
  );
  return html`<div class="timeline">
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">call</th>
            ${head}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    <p class="detail" aria-live="polite">
      Choose a call for its words and its line; the arrow keys go from call to call.
    </p>
    ${view.legend ? LEGEND : null}
    ${left > 0 ? html`<p class="more">${left} more ${left === 1 ? 'call' : 'calls'} of this run ${left === 1 ? 'is' : 'are'} not shown.</p>` : null}
  </div>`;
}

const LEGEND: SafeHtml = html`<ul class="legend">
  <li><i class="lost"></i>lost in this crash</li>
  <li><i class="durable"></i>durable before it</li>
  <li><i class="pending"></i>not synced yet</li>
  <li><i class="missing"></i>the sync that is missing</li>
</ul>`;

function headOf(column: LaneColumn): SafeHtml {
  switch (column.kind) {
    case 'call':
      return html`<th scope="col">${column.operation + 1}</th>`;
    case 'gap':
      return html`<th scope="col" class="gap" title="calls that are not shown">
        ⋯ ${column.count}
      </th>`;
    case 'crash':
      return html`<th scope="col" class="crash">
        <svg aria-hidden="true"><use href="#i-bolt" /></svg> power cut
      </th>`;
    case 'ghost':
      return html`<th scope="col" class="ghost">missing</th>`;
    default:
      return unreachable(column);
  }
}

function laneHtml({ names, node, moreNames }: Lane): SafeHtml {
  const icon = { file: 'i-file', directory: 'i-directory', told: 'i-mark', all: 'i-other' }[node];
  const shown = names.map((name, index) => {
    const more =
      index === 1 && moreNames > 0 ? html`<span class="then">→ ${moreNames} more</span> ` : null;
    return [
      more,
      index > 0 ? html`<span class="then">→</span> ` : null,
      html`<bdi>${shortened(name, 80)}</bdi> `,
    ];
  });
  return html`<span class="lane"
    ><svg aria-hidden="true"><use href="#${icon}" /></svg><span>${shown}</span></span
  >`;
}

function cellOf(view: LanesView, column: LaneColumn, lane: Lane): HtmlValue {
  if (column.kind === 'gap') return html`<td class="gap"></td>`;
  if (column.kind === 'crash') return html`<td class="crash"></td>`;
  if (column.kind === 'ghost') {
    if (column.ghost.lane !== lane.key) return html`<td class="ghost"></td>`;
    return html`<td class="ghost">
      <span class="sync-missing"
        ><svg aria-hidden="true"><use href="#i-sync" /></svg>${column.ghost.call}<small
          >missing</small
        ></span
      >
    </td>`;
  }
  const operation = view.trace.operations[column.operation];
  if (column.lane !== lane.key || operation === undefined) return html`<td></td>`;
  return html`<td>${callHtml(view, operation, column.operation)}</td>`;
}

function callHtml(view: LanesView, operation: Operation, index: number): SafeHtml {
  const state = operation.error === undefined ? view.stateOf(index) : 'failed';
  const { icon, word, kind } = shapeOf(operation);
  const place = placeOf(view, operation);
  const error = operation.error === undefined ? '' : ` (${operation.error})`;
  const told = shortened(describeOperation(operation), 300);
  const words = `Call ${index + 1}: ${told}${error}${STATE_SENTENCES[state]}${place}`;
  return html`<button type="button" class="call ${kind} ${state}">
    <svg aria-hidden="true"><use href="#${icon}" /></svg><span class="word">${word}</span>
    <small>${STATE_WORDS[state]}</small>
    <span class="unseen">${words}</span>
  </button>`;
}

function placeOf({ trace, cwd }: LanesView, { stack }: Operation): string {
  const frames: readonly StackFrame[] = trace.stacks[stack] ?? [];
  const [first] = frames;
  if (first === undefined) return '';
  return `; called at ${frames
    .slice(0, 3)
    .map((frame) => frameText(frame, cwd))
    .join(', from ')}`;
}

interface Shape {
  readonly icon: string;
  readonly word: string;
  readonly kind: 'change' | 'sync' | 'mark';
}

function shapeOf(operation: Operation): Shape {
  switch (operation.kind) {
    case 'create':
      return {
        icon: 'i-create',
        word: operation.node === 'directory' ? 'mkdir' : 'create',
        kind: 'change',
      };
    case 'link':
      return { icon: 'i-link', word: 'link', kind: 'change' };
    case 'unlink':
      return { icon: 'i-unlink', word: 'unlink', kind: 'change' };
    case 'rename':
      return { icon: 'i-rename', word: 'rename', kind: 'change' };
    case 'write':
      return { icon: 'i-write', word: 'write', kind: 'change' };
    case 'truncate':
      return { icon: 'i-cut', word: 'truncate', kind: 'change' };
    case 'sync':
      return {
        icon: 'i-sync',
        word: operation.scope === 'all' ? 'fsync' : 'fdatasync',
        kind: 'sync',
      };
    case 'sync-all':
      return { icon: 'i-sync', word: 'sync', kind: 'sync' };
    case 'mark':
      return { icon: 'i-mark', word: operation.source === 'exit' ? 'exit' : 'told', kind: 'mark' };
    default:
      return { icon: 'i-other', word: operation.kind, kind: 'change' };
  }
}
