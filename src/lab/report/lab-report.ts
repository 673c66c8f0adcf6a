/**
 * The result of a run as plain data for reports: findings of all models put together by cause, one cause once,
 * with the places as a reader of the program's source would name them.
 */

import { relative, sep } from 'node:path';

import type { Finding, ToldOperation } from '../explain/finding.ts';
import type { LabResult } from '../lab-run.ts';
import type { StackFrame } from '../record/operation.ts';

/** One cause of losses, on all models where it matters. */
export interface ReportedFinding {
  /** The model with the plainest example first. */
  readonly models: readonly string[];
  /** The example that is shown. */
  readonly example: Finding;
  readonly all: readonly Finding[];
}

/** Findings by cause, in the order of the calls that they follow. */
export function groupFindings(result: LabResult): ReportedFinding[] {
  const groups = new Map<string, Finding[]>();
  for (const { findings } of result.runs) {
    for (const finding of findings) {
      const key = causeOf(finding);
      const known = groups.get(key);
      if (known === undefined) groups.set(key, [finding]);
      else known.push(finding);
    }
  }
  return [...groups.values()]
    .flatMap((all) => {
      const [example] = all;
      return example === undefined ? [] : [{ models: modelsOf(all), example, all }];
    })
    .toSorted((a, b) => placeOf(a.example) - placeOf(b.example));
}

/** One line of the program that forgets one thing is one cause, however often it runs. */
function causeOf({ kind, sync, crashAfter, message }: Finding): string {
  if (sync === null) return `${kind} ${siteOf(crashAfter)} ${message}`;
  return `${kind} ${sync.of} ${sync.path} ${siteOf(sync.after)}`;
}

function siteOf(told: ToldOperation | null): string {
  const frame = told?.stack[told.site];
  if (frame === undefined) return String(told?.operation ?? '');
  return `${frame.file}:${frame.line}:${frame.column}`;
}

function modelsOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ model }) => model))];
}

function placeOf({ sync, crashAfter }: Finding): number {
  return sync?.after.operation ?? crashAfter?.operation ?? -1;
}

/** `write-file-atomic/lib/index.js:161`: the line to name, packages by name, other files from `cwd`. */
export function placeText(told: ToldOperation, cwd: string): string | null {
  const frame = told.stack[told.site];
  return frame === undefined ? null : frameText(frame, cwd);
}

/** How the program came to that line, outwards; empty where it was called from nowhere known. */
export function callersText(told: ToldOperation, cwd: string): string {
  const callers = told.stack.slice(told.site + 1).map((frame) => frameText(frame, cwd));
  return callers.slice(0, 3).join(', from ');
}

export function frameText(frame: StackFrame, cwd: string): string {
  return `${fileText(frame.file, cwd)}:${frame.line}`;
}

function fileText(file: string, cwd: string): string {
  const modules = `${sep}node_modules${sep}`;
  const inPackage = file.lastIndexOf(modules);
  if (inPackage >= 0) return file.slice(inPackage + modules.length);
  const fromHere = relative(cwd, file);
  return fromHere.startsWith('..') || fromHere === '' ? file : fromHere;
}
