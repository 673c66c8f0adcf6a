/** The result of a crash test as plain text, for the message of an assertion and for logs. */

import type { CrashTestCertificate, CrashTestFinding, CrashTestResult } from './crash-test.ts';
import { printable } from '../check/printable.ts';
import type { Finding, ToldOperation } from '../explain/finding.ts';
import { callersText, placeText } from '../report/lab-report.ts';
import { repairText } from '../report/text-report.ts';

/** The environment variable that makes `assertCrashSafe` run one state again. */
export const REPLAY_VARIABLE = 'HOLDFAST_REPLAY';

/** Several lines: verdict, each finding with its line, what was explored, and one line to reproduce the first. */
export function crashTestReport(result: CrashTestResult, cwd: string): string {
  const parts = [headline(result), ''];
  result.findings.forEach((finding, index) => {
    parts.push(...findingLines(finding, index + 1, cwd), '');
  });
  parts.push(...certificateLines(result.certificate));
  const token = result.findings.find((finding) => finding.token !== null)?.token ?? null;
  if (token !== null) parts.push('', `${REPLAY_VARIABLE}=${token}`);
  return parts.join('\n');
}

function headline({ verdict, findings, certificate }: CrashTestResult): string {
  if (verdict === 'found') {
    const count = findings.length;
    return `not crash-safe: ${count} cause${count === 1 ? '' : 's'} of loss`;
  }
  const disks = `${certificate.disksChecked} disks, none fails`;
  return verdict === 'passed'
    ? `crash-safe: ${disks}`
    : `incomplete: ${disks}, but not every disk could be looked at`;
}

function findingLines(found: CrashTestFinding, number: number, cwd: string): string[] {
  const { example, models, depth, fault } = found;
  const { sync, crashAfter, lost, message, proof } = example;
  const line = (label: string, text: string | null): string[] =>
    text === null || text === '' ? [] : [`   ${label.padEnd(8)}${printable(text)}`];
  const title =
    sync === null
      ? 'not atomic: no sync can repair this'
      : `missing ${sync.call} of ${sync.of === 'directory' ? 'the directory' : 'the file'} ${sync.path}`;
  const place = sync === null ? crashAfter : sync.after;
  return [
    `${number}. ${printable(title)}${depthText(depth)}`,
    ...line('after', place === null ? 'the start' : (placeText(place, cwd) ?? 'an unknown place')),
    ...line('', place === null ? null : place.what),
    ...line('called', place === null ? null : callersText(place, cwd)),
    ...line('fault', fault),
    ...line('lost', lost.map(({ what }) => what).join(', ')),
    ...line('crash', crashText(example, cwd)),
    ...line('shows', message),
    ...line('too late', sync?.misplaced?.what ?? null),
    ...line('on', models.join(', ')),
    ...line('proof', proof === null ? null : repairText(proof)),
  ];
}

function depthText(depth: number): string {
  if (depth === 0) return '';
  return depth === 1 ? ', in recovery' : ', in the recovery from a crash in recovery';
}

function crashText({ crashAfter, sync }: Finding, cwd: string): string | null {
  if (crashAfter === null || sync === null) return null;
  return `after ${crashAfter.what}${atPlace(crashAfter, cwd)}`;
}

function atPlace(told: ToldOperation, cwd: string): string {
  const place = placeText(told, cwd);
  return place === null ? '' : ` at ${place}`;
}

function certificateLines(certificate: CrashTestCertificate): string[] {
  const { models, faults, nested, seed, disksChecked, unmodelled } = certificate;
  const cut = (complete: boolean): string => (complete ? '' : ', cut');
  const lines = models.map((model) => {
    const states = model.rawStates === null ? 'uncounted' : String(model.rawStates);
    const sampled = model.statesSampled === 0 ? '' : `, ${model.statesSampled} states drawn`;
    return (
      `explored ${model.model}: ${model.crashPoints} crash points, ${states} states, ` +
      `${model.disksDistinct} ${model.decidedBy === 'reads' ? 'readings' : 'disks'}, ${model.disksFailing} failing${sampled}${cut(model.complete)}`
    );
  });
  if (faults.runs > 0) {
    lines.push(
      `with faults: ${faults.runs} runs (${faults.threw} threw), ${faults.disksDistinct} disks, ` +
        `${faults.disksFailing} failing${explainedText(faults)}${cut(faults.complete)}`,
    );
  }
  for (const level of nested) {
    if (level.recoveries === 0) continue;
    lines.push(
      `crashes in recovery, depth ${level.depth}: ${level.explored} of ${level.recoveries} recoveries, ` +
        `${level.disksDistinct} disks, ${level.disksFailing} failing${explainedText(level)}${cut(level.complete)}`,
    );
  }
  lines.push(`${disksChecked} disks checked, seed ${seed}`);
  for (const what of unmodelled) lines.push(`not modelled: ${printable(what)}`);
  return lines;
}

/** What fails and is not among the findings must not look as if nothing failed. */
function explainedText(stage: { readonly failed: number; readonly explained: number }): string {
  if (stage.explained === stage.failed) return '';
  return ` (findings of ${stage.explained} of ${stage.failed} explorations that fail)`;
}
