/** The page of an audit: each finding with its line and its calls, the rules, and every sync counted by kind. */

import type { AuditReportInput } from '../../audit/audit-report.ts';
import { AUDIT_RULES, type AuditSeverity } from '../../audit/audit-rule.ts';
import type { AuditFinding } from '../../audit/audit-trace.ts';
import type { SyncCounts } from '../../audit/sync-counts.ts';
import type { Trace } from '../../record/operation.ts';
import { placeText } from '../lab-report.ts';
import { levelHtml, listHtml } from './certificate-html.ts';
import { chooseLanes, LaneNames } from './lanes.ts';
import { lanesHtml } from './lanes-html.ts';
import { page, type Figure, type Verdict } from './page.ts';
import { html, type SafeHtml } from './safe-html.ts';
import { sourceHtml, type ReadLines } from './source-html.ts';
import { tabsHtml } from './tabs-html.ts';
import { shortened } from './visible-text.ts';

/** Findings on one page; those after them are counted. */
const FINDINGS_MAX = 60;

const LEVELS: Readonly<Record<AuditSeverity, readonly [string, string]>> = {
  error: ['error', 'i-bad'],
  warning: ['warning', 'i-unsure'],
  note: ['note-level', 'i-other'],
};

export interface AuditPageInput extends AuditReportInput {
  readonly trace: Trace;
  readonly readLines: ReadLines;
}

/** The whole file. */
export function auditPage(input: AuditPageInput): string {
  const { findings, command, result } = input;
  return page({
    title: `Holdfast audit: ${verdictOf(input).word}`,
    verdict: verdictOf(input),
    command,
    figures: figuresOf(input),
    sections: [
      findings.length === 0 ? runHtml(input) : findingsHtml(input),
      syncsHtml(result.syncs),
      rulesHtml(input),
      html`<footer class="foot">
        An audit proves nothing: each finding is a question with a line.
        <code>holdfast check</code> tries the disks themselves.
      </footer>`,
    ],
  });
}

function verdictOf({ findings, result }: AuditReportInput): Verdict {
  const count = (severity: AuditSeverity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const told = (['error', 'warning', 'note'] as const)
    .filter((severity) => count(severity) > 0)
    .map((severity) => `${count(severity)} ${severity}${count(severity) === 1 ? '' : 's'}`);
  if (count('error') + count('warning') > 0) {
    return { kind: 'bad', word: 'Found.', sentence: `${told.join(', ')}.` };
  }
  if (result.unmodelled.length > 0) {
    return {
      kind: 'unsure',
      word: 'Incomplete.',
      sentence: 'No rule found anything, but not everything could be seen.',
    };
  }
  const notes = told.length === 0 ? 'No rule found anything' : told.join(', ');
  return {
    kind: 'good',
    word: 'Nothing wrong.',
    sentence: `${notes}, on ${result.models.join(', ')}.`,
  };
}

function figuresOf({ findings, silenced, result, trace }: AuditPageInput): Figure[] {
  const { fileData, file, directory, all } = result.syncs;
  return [
    { value: String(findings.length), label: findings.length === 1 ? 'finding' : 'findings' },
    { value: String(silenced), label: 'silenced' },
    { value: String(fileData + file + directory + all), label: 'syncs' },
    { value: String(result.models.length), label: 'models' },
    { value: String(trace.operations.length), label: 'recorded calls' },
  ];
}

function findingsHtml(input: AuditPageInput): SafeHtml {
  const names = new LaneNames(input.trace);
  const shown = input.findings.slice(0, FINDINGS_MAX);
  const tabs = shown.map((finding) => ({
    label: html`${levelOf(finding.severity)}<b>${finding.rule}</b
      ><span class="where">${placeText(finding.at, input.cwd) ?? finding.at.what}</span
      ><span class="on">${shortened(finding.path, 80)}</span>`,
    panel: panelHtml(finding, input, names),
  }));
  const { list, panels } = tabsHtml(tabs, { id: 'finding', name: 'Findings', isUpright: true });
  const more = input.findings.length - shown.length;
  return html`<section aria-labelledby="findings">
    <h2 id="findings">Findings</h2>
    <div class="findings">
      <div>
        ${list}${more > 0 ? html`<p class="more">${more} more findings are not on this page; the text and the JSON report have them.</p>` : null}
      </div>
      <div class="panel">${panels}</div>
    </div>
  </section>`;
}

function levelOf(severity: AuditSeverity): SafeHtml {
  const [kind, icon] = LEVELS[severity];
  return levelHtml(kind, icon, severity);
}

function panelHtml(finding: AuditFinding, input: AuditPageInput, names: LaneNames): SafeHtml {
  const { trace, cwd, readLines } = input;
  const { rule, severity, message, at, other, path, times, models } = finding;
  const summary = AUDIT_RULES.find(({ name }) => name === rule)?.summary ?? '';
  const focus = [at.operation, ...(other === null ? [] : [other.operation])];
  const lanes = chooseLanes(trace, names, { focus, crash: null, ghost: null });
  const facts: readonly (readonly [string, string | null])[] = [
    ['Call', at.what],
    ['Shown by', other === null ? null : `${other.what}${placeAt(input, finding)}`],
    ['Path', path === '' ? '.' : path],
    ['Times', times === 1 ? null : `${times} calls of this line`],
    ['Matters on', models.join(', ')],
  ];
  return html`<h3>${message}</h3>
    <p>${levelOf(severity)} <span class="label">${rule}: ${summary}</span></p>
    <dl class="facts">
      ${facts.map(([name, text]) =>
        text === null
          ? null
          : html`<dt>${name}</dt>
              <dd>${text}</dd>`,
      )}
    </dl>
    ${sourceHtml(at, null, readLines, cwd)}
    <h4>The calls</h4>
    ${lanesHtml({ trace, lanes, stateOf: (index) => (focus.includes(index) ? 'shown' : 'plain'), cwd, legend: false })}
    <p class="more">
      Not a fault? A comment on the line, <code>holdfast-audit-ignore ${rule}</code>, silences it.
    </p>`;
}

function placeAt({ cwd }: AuditPageInput, { other }: AuditFinding): string {
  const place = other === null ? null : placeText(other, cwd);
  return place === null ? '' : ` at ${place}`;
}

function runHtml({ trace, cwd }: AuditPageInput): SafeHtml {
  const lanes = chooseLanes(trace, new LaneNames(trace), { focus: [], crash: null, ghost: null });
  return html`<section aria-labelledby="run">
    <div class="panel">
      <h2 id="run">The recorded run</h2>
      ${lanesHtml({ trace, lanes, stateOf: () => 'plain', cwd, legend: false })}
    </div>
  </section>`;
}

function syncsHtml({ fileData, file, directory, all, failed }: SyncCounts): SafeHtml {
  const rows: readonly (readonly [string, number, string])[] = [
    ['file data', fileData, 'fdatasync, and writes with O_DSYNC'],
    ['file', file, 'fsync, and writes with O_SYNC'],
    ['directory', directory, 'fsync of a directory: its names'],
    ['file system', all, 'sync and syncfs'],
    ['failed', failed, 'of all of these'],
  ];
  return html`<section aria-labelledby="syncs">
    <div class="panel">
      <h2 id="syncs">Syncs of this run</h2>
      <div class="wide" tabindex="0" role="group" aria-label="table">
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">of</th>
              <th scope="col" class="number">count</th>
              <th scope="col">what counts</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ([name, count, what]) =>
                html`<tr>
                  <th scope="row">${name}</th>
                  <td class="number">${count}</td>
                  <td>${what}</td>
                </tr> `,
            )}
          </tbody>
        </table>
      </div>
    </div>
  </section>`;
}

function rulesHtml({ findings, result, silenced }: AuditReportInput): SafeHtml {
  const rows = AUDIT_RULES.map(({ name, summary }) => {
    // Findings of one rule may weigh differently: a name that was told about is an error.
    const found = findings.filter(({ rule }) => rule === name);
    const shown = (['error', 'warning', 'note'] as const)
      .map((severity) => ({ severity, count: found.filter((f) => f.severity === severity).length }))
      .filter(({ count }) => count > 0)
      .map(({ severity, count }) => html`${levelOf(severity)} ${count} `);
    return html`<tr>
      <th scope="row">${name}</th>
      <td>${summary}</td>
      <td>${shown.length === 0 ? html`<span class="label">nothing</span>` : shown}</td>
    </tr> `;
  });
  return html`<section aria-labelledby="rules">
    <div class="panel">
      <h2 id="rules">Rules</h2>
      <p class="note">
        Asked on ${result.models.join(', ')}.${silenced > 0 ? ` ${silenced} silenced.` : ''}
      </p>
      <div class="wide" tabindex="0" role="group" aria-label="table">
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">rule</th>
              <th scope="col">what it looks for</th>
              <th scope="col">found</th>
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
      ${listHtml('Not modelled', result.unmodelled)}
    </div>
  </section>`;
}
