/** What was explored, model by model: complete or not, and what was left out, so that a page proves what it says. */

import type { LabResult } from '../../lab-run.ts';
import type { ModelRun } from '../../model-run.ts';
import { certificateLines, shortCount } from '../certificate-lines.ts';
import { placeText } from '../lab-report.ts';
import { html, type HtmlValue, type SafeHtml } from './safe-html.ts';

export function certificateHtml(result: LabResult): SafeHtml {
  return html`<section aria-labelledby="certificate">
    <div class="panel">
      <h2 id="certificate">Certificate</h2>
      <p class="note">
        Every disk that a model allows after a power cut at any moment of the run, as far as it was
        looked at. Judged by <code>${result.checker}</code>.
      </p>
      <div class="wide" tabindex="0" role="group" aria-label="table">
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">model</th>
              <th scope="col" class="number">crash points</th>
              <th scope="col" class="number">states allowed</th>
              <th scope="col" class="number">distinct disks</th>
              <th scope="col" class="number">failing</th>
              <th scope="col">verdict</th>
              <th scope="col">explored</th>
            </tr>
          </thead>
          <tbody>
            ${result.runs.map(rowHtml)}
          </tbody>
        </table>
      </div>
      <details>
        <summary>What was walked, reused and skipped</summary>
        <ul class="plain note">
          ${certificateLines(result).map((line) => html`<li>${line}</li>`)}
        </ul>
      </details>
      ${listHtml(
        'Not modelled',
        result.unmodelled.filter((what) => !result.doubts.includes(what)),
      )}
      ${listHtml('Not to be trusted', result.doubts)}
    </div>
  </section>`;
}

function rowHtml({ exploration }: ModelRun): SafeHtml {
  const { model, crashPoints, rawStates, distinct, violationCount, complete } = exploration;
  const allowed = rawStates === null ? 'uncounted' : shortCount(rawStates);
  return html`<tr>
    <th scope="row">${model.name}<br /><span class="label">${model.kernel}</span></th>
    <td class="number">${crashPoints}</td>
    <td class="number">${allowed}</td>
    <td class="number">${distinct}</td>
    <td class="number">${violationCount}</td>
    <td>${verdictHtml(violationCount > 0, complete)}</td>
    <td>${complete ? 'completely' : html`<b>incomplete</b>`}</td>
  </tr> `;
}

function verdictHtml(fails: boolean, complete: boolean): SafeHtml {
  if (fails) return levelHtml('bad', 'i-unlink', 'fails');
  return complete ? levelHtml('good', 'i-good', 'holds') : levelHtml('warning', 'i-unsure', 'open');
}

/** A word with a shape and a colour that say the same. */
export function levelHtml(kind: string, icon: string, word: string): SafeHtml {
  return html`<span class="level ${kind}"
    ><svg aria-hidden="true"><use href="#${icon}" /></svg>${word}</span
  >`;
}

/** A heading and its lines; nothing where there are none. */
export function listHtml(title: string, lines: readonly HtmlValue[]): SafeHtml | null {
  if (lines.length === 0) return null;
  return html`<h4>${title}</h4>
    <ul class="plain">
      ${lines.map((line) => html`<li>${line}</li>`)}
    </ul>`;
}

/** Syncs that protect nothing, where that was asked. */
export function redundantHtml({ redundant, runs }: LabResult, cwd: string): SafeHtml | null {
  if (redundant === null) return null;
  const lines = redundant.map(({ sync, could, models }) => {
    const words = could === 'go' ? 'protects nothing in this run' : 'could be fdatasync here';
    const on = models.length === runs.length ? 'every model asked' : models.join(', ');
    return html`<code>${placeText(sync, cwd) ?? 'an unknown place'}</code>: the ${sync.what}
      ${words} (on ${on})`;
  });
  const none =
    lines.length === 0 ? html`<p class="note">Every sync of this run is needed.</p>` : null;
  return html`<section aria-labelledby="redundant">
    <div class="panel">
      <h2 id="redundant">Syncs that protect nothing</h2>
      ${none}
      <ul class="plain">
        ${lines.map((line) => html`<li>${line}</li>`)}
      </ul>
    </div>
  </section>`;
}
