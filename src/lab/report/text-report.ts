/** The result of a run as text for people: what each model allowed, then each finding with its place. */

import type { Finding, RepairProof } from '../explain/finding.ts';
import type { LabResult } from '../lab-run.ts';
import type { ModelRun } from '../model-run.ts';
import { certificateLines, shortCount } from './certificate-lines.ts';
import { callersText, groupFindings, placeText } from './lab-report.ts';
import type { ReportedFinding } from './lab-report.ts';

/** How a report looks: colour and columns are the caller's, names are made safe to print by `printable`. */
export interface TextStyle {
  readonly table: (
    rows: readonly (readonly string[])[],
    alignments: readonly ('left' | 'right')[],
  ) => string;
  readonly bold: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly printable: (text: string) => string;
}

export interface TextReportOptions {
  readonly style: TextStyle;
  /** Files are named from here. */
  readonly cwd: string;
  /** A line that reproduces the finding's disk, where there is one. */
  readonly replay?: (finding: Finding) => string | null;
}

export function textReport(result: LabResult, options: TextReportOptions): string {
  const { style } = options;
  const parts = [certificateTable(result, style)];
  groupFindings(result).forEach((finding, index) => {
    parts.push(...findingLines(finding, index + 1, result, options), '');
  });
  parts.push(...certificateLines(result), '');
  for (const what of result.unmodelled) {
    const label = result.doubts.includes(what) ? 'not to be trusted' : 'not modelled';
    parts.push(`${label}: ${style.printable(what)}`);
  }
  for (const { sync, could, models } of result.redundant ?? []) {
    const place = placeText(sync, options.cwd) ?? 'an unknown place';
    const words = could === 'go' ? 'protects nothing in this trace' : 'could be fdatasync here';
    const on = models.length === result.runs.length ? 'every model asked' : models.join(', ');
    parts.push(style.printable(`${place}: the ${sync.what} ${words} (on ${on})`));
  }
  if (result.redundant?.length === 0) parts.push('every sync of this trace is needed');
  parts.push(verdictLine(result, style));
  return `${parts.join('\n')}\n`;
}

function certificateTable(result: LabResult, style: TextStyle): string {
  const head = ['model', 'crash points', 'states allowed', 'distinct disks', 'failing', ''];
  const rows = result.runs.map((run) => certificateRow(run, style));
  return style.table(
    [head.map(style.bold), ...rows],
    ['left', 'right', 'right', 'right', 'right', 'left'],
  );
}

function certificateRow({ exploration }: ModelRun, style: TextStyle): string[] {
  const { model, crashPoints, rawStates, distinct, violationCount, complete } = exploration;
  const verdict =
    violationCount > 0
      ? style.red('fails')
      : complete
        ? style.green('holds')
        : style.yellow('incomplete');
  const allowed = rawStates === null ? 'uncounted' : shortCount(rawStates);
  const counts = [String(crashPoints), allowed, String(distinct), String(violationCount)];
  return [model.name, ...counts, complete || violationCount === 0 ? verdict : `${verdict} (cut)`];
}

function findingLines(
  { example, models }: ReportedFinding,
  number: number,
  result: LabResult,
  { style, cwd, replay }: TextReportOptions,
): string[] {
  const { sync, lost, crashAfter, message, proof } = example;
  const line = (label: string, text: string | null): string[] =>
    text === null || text === '' ? [] : [`   ${label.padEnd(9)}${style.printable(text)}`];
  const title =
    sync === null
      ? `not atomic: no sync can repair this; ${adviceFor(example, result)}`
      : `missing ${sync.call} of ${sync.of === 'directory' ? 'the directory' : 'the file'} ${sync.path}`;
  const place = sync === null ? crashAfter : sync.after;
  const lostText = lost.map(({ what }) => what).join(', ');
  const misplaced = sync?.misplaced ?? null;
  const misplacedText =
    misplaced === null
      ? null
      : `${misplaced.what} at ${placeText(misplaced, cwd) ?? '?'} does not cover it`;
  return [
    `${number}. ${style.red(style.printable(title))}`,
    ...line('after', place === null ? null : (placeText(place, cwd) ?? 'an unknown place')),
    ...line('', place === null ? null : place.what),
    ...line('called', place === null ? null : callersText(place, cwd)),
    ...line('lost', lostText),
    ...line('shows', message),
    ...line('too late', misplacedText),
    ...line('on', models.join(', ')),
    ...line('proof', proof === null ? null : proofText(example)),
    ...line('replay', replay?.(example) ?? null),
  ];
}

/** What a program can do where no sync helps it, in a clause. */
export function adviceFor({ model, crashAfter, lost }: Finding, { runs }: LabResult): string {
  const rename = runs.find(({ exploration }) => exploration.model.name === model)?.exploration.model
    .rename;
  const isRename = [crashAfter, ...lost].some((told) => told?.what.startsWith('rename ') === true);
  if (rename === 'split' && isRename) {
    return `under ${model} a rename can be half done; keep the old content elsewhere until the new one is durable`;
  }
  if (rename === 'split') {
    return `write a new file and sync it; under ${model} a rename over the old one can be half done, too`;
  }
  return 'write a new file, sync it and rename it';
}

function proofText({ proof, model }: Finding): string {
  if (proof === null) return '';
  return `${repairText(proof)} under ${model}`;
}

/** What became of the exploration with all missing syncs added. */
export function repairText({ added, distinct, complete }: RepairProof): string {
  const what = `with ${addedText(added)}`;
  const disks = distinct === 1 ? 'the one disk that is left' : `none of ${distinct} disks`;
  if (complete) return `${what}, ${disks} ${distinct === 1 ? 'passes' : 'fails'}`;
  return `${what}, some of ${distinct} disks still fail or could not be looked at`;
}

/** The finding's sync, and those of other findings that were added with it. */
function addedText(added: number): string {
  if (added === 1) return 'this sync added';
  const others = added === 2 ? 'the other one' : `the ${added - 1} others`;
  return `this sync and ${others} of these findings added`;
}

function modelCount({ runs }: LabResult): string {
  return runs.length === 1 ? '1 model' : `${runs.length} models`;
}

function verdictLine(result: LabResult, style: TextStyle): string {
  const disks = result.runs.reduce((sum, { exploration }) => sum + exploration.distinct, 0);
  if (result.verdict === 'passed') {
    return style.green(`passed: ${disks} disks under ${modelCount(result)}, none fails`);
  }
  if (result.verdict === 'found') {
    const count = groupFindings(result).length;
    if (count === 0) return style.red('found: disks fail; the causes were not worked out');
    return style.red(`found: ${count} cause${count === 1 ? '' : 's'} of loss`);
  }
  const { doubts, unmodelled, runs } = result;
  const isDoubt =
    doubts.length === unmodelled.length && runs.every((run) => run.exploration.complete);
  const why = isDoubt ? 'the checker cannot be trusted' : 'not every disk could be looked at';
  return style.yellow(`incomplete: nothing failed, but ${why}`);
}
