/** The crashed tree beside the one that the program saw, as a table. */

import { html, type SafeHtml } from './safe-html.ts';
import type { TreeCell, TreeComparison, TreeDifference, TreeRow } from './tree-rows.ts';
import { shortened } from './visible-text.ts';

const WORDS: Readonly<Record<TreeDifference, string>> = {
  missing: 'missing',
  different: 'differs',
  unexpected: 'came back',
  same: 'same',
};

/** @param against what the crashed disk stands beside, in words */
export function treesHtml(
  { rows, moreDifferent, moreSame }: TreeComparison,
  against: string,
): SafeHtml {
  const left = [
    ...(moreDifferent > 0 ? [`${moreDifferent} more that differ`] : []),
    ...(moreSame > 0 ? [`${moreSame} more that are the same`] : []),
  ];
  if (rows.length === 0) return html`<p class="note">Both are empty.</p>`;
  return html`<div class="wide" tabindex="0" role="group" aria-label="table">
      <table class="grid trees">
        <thead>
          <tr>
            <th scope="col" class="path">path</th>
            <th scope="col" class="state"><span class="label">disk</span></th>
            <th scope="col">${against}</th>
            <th scope="col">after the power cut</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(rowHtml)}
        </tbody>
      </table>
    </div>
    ${left.length > 0 ? html`<p class="more">Not shown: ${left.join(', ')}.</p>` : null}`;
}

function rowHtml({ path, difference, expected, crashed }: TreeRow): SafeHtml {
  const isSame = difference === 'same';
  const state = isSame
    ? html`<span class="label">${WORDS.same}</span>`
    : html`<span class="level bad"
        ><svg aria-hidden="true"><use href="#i-unlink" /></svg>${WORDS[difference]}</span
      >`;
  return html`<tr class="${difference}">
    <th scope="row"><bdi>${shortened(path, 200)}</bdi></th>
    <td>${state}</td>
    <td>${cellHtml(expected, isSame, false)}</td>
    <td class="after">${cellHtml(crashed, isSame, true)}</td>
  </tr> `;
}

function cellHtml(cell: TreeCell | null, isSame: boolean, isCrashed: boolean): SafeHtml {
  if (cell === null) {
    return isCrashed
      ? html`<span class="nothing">nothing</span>`
      : html`<span class="label">nothing</span>`;
  }
  const { what, excerpt, from, isCut } = cell;
  if (excerpt === null || isSame) return html`${what}`;
  const start = from > 0 ? `… (byte ${from}) ` : '';
  return html`${what}
    <pre>${start}${excerpt}${isCut ? ' …' : null}</pre>`;
}
