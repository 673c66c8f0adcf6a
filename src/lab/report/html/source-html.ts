/** Lines of the program around a call, with the line to look at marked and the call that is missing written after it. */

import type { ToldOperation } from '../../explain/finding.ts';
import type { StackFrame } from '../../record/operation.ts';
import { frameText } from '../lab-report.ts';
import { html, type HtmlValue, type SafeHtml } from './safe-html.ts';
import { shortened } from './visible-text.ts';

/** The lines of a source file, or null where it cannot be read. */
export type ReadLines = (file: string) => readonly string[] | null;

const LINES_BEFORE = 4;
const LINES_AFTER = 4;
const COLUMNS_MAX = 160;

/** @param added what is missing after the line, in words; null where nothing is to be added */
export function sourceHtml(
  told: ToldOperation,
  added: string | null,
  readLines: ReadLines,
  cwd: string,
): SafeHtml {
  const frame = told.stack[told.site];
  if (frame === undefined) {
    return html`<p class="note">The line of the program is not known: ${told.what}.</p>`;
  }
  const lines = frame.line < 1 ? null : readLines(frame.file);
  return html`<div class="source">
      <p class="file">
        <bdi>${frameText(frame, cwd)}</bdi
        >${isNamed(frame) ? html` in ${shortened(frame.function, 80)}` : null}
      </p>
      ${
        lines === null || lines[frame.line - 1] === undefined
          ? null
          : html`<div class="code" tabindex="0" role="group" aria-label="source">
              <table>
                <thead class="unseen">
                  <tr>
                    <th scope="col">line</th>
                    <th scope="col">source</th>
                  </tr>
                </thead>
                ${rowsOf(lines, frame.line, added)}
              </table>
            </div>`
      }
    </div>
    ${callersHtml(told, cwd)}`;
}

function rowsOf(lines: readonly string[], here: number, added: string | null): HtmlValue[] {
  const rows: HtmlValue[] = [];
  const from = Math.max(1, here - LINES_BEFORE);
  for (let line = from; line <= Math.min(lines.length, here + LINES_AFTER); line++) {
    const text = plain(lines[line - 1] ?? '');
    const row = html`<td class="number">${line}</td>
      <td>${text}</td>`;
    rows.push(
      line === here
        ? html`<tr class="here">
            ${row}
          </tr>`
        : html`<tr>
            ${row}
          </tr>`,
    );
    if (line !== here || added === null) continue;
    const indent = /^ */.exec(text)?.[0] ?? '';
    rows.push(
      html`<tr class="added">
        <td class="number">+</td>
        <td>${`${indent}← missing after this call: ${added}`}</td>
      </tr>`,
    );
  }
  return rows;
}

function plain(line: string): string {
  return shortened(line.replace(/\r$/, '').replaceAll('\t', '  '), COLUMNS_MAX);
}

/** How the program came there, outwards. */
function callersHtml({ stack, site }: ToldOperation, cwd: string): SafeHtml | null {
  const callers = stack.slice(site + 1);
  if (callers.length === 0) return null;
  return html`<details>
    <summary>
      called from
      ${shortened(frameText(callers[0] ?? { function: '', file: '', line: 0, column: 0 }, cwd), 120)}
    </summary>
    <ol class="stack">
      ${callers.map((frame) => html`<li><bdi>${frameText(frame, cwd)}</bdi> ${isNamed(frame) ? shortened(frame.function, 80) : null}</li>`)}
    </ol>
  </details>`;
}

/** Most functions that are called back have no name, and saying so helps nobody. */
function isNamed({ function: name }: StackFrame): boolean {
  return name !== '' && name !== '(anonymous)';
}
