/**
 * The parts of SARIF 2.1.0 that reports use, and how places are told in it. What a result says is in
 * `sarif-report.ts` (explorations) and in `audit/audit-report.ts`.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/
 */

import { isAbsolute, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { ToldOperation } from '../explain/finding.ts';
import type { StackFrame } from '../record/operation.ts';

export type SarifLevel = 'error' | 'warning' | 'note';

/** A log with one run. */
export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: SarifRun[];
}

interface SarifRun {
  readonly tool: { readonly driver: SarifDriver };
  readonly columnKind: 'utf16CodeUnits';
  readonly originalUriBaseIds: Record<string, { readonly uri: string }>;
  readonly results: SarifResult[];
}

interface SarifDriver {
  readonly name: string;
  readonly version: string;
  readonly rules: SarifRule[];
}

export interface SarifRule {
  readonly id: string;
  readonly name: string;
  readonly shortDescription: { readonly text: string };
  readonly help: { readonly text: string };
  readonly defaultConfiguration: { readonly level: SarifLevel };
}

export interface SarifLocation {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
    readonly region?: { readonly startLine: number; readonly startColumn?: number };
  };
  readonly message?: { readonly text: string };
}

export interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: SarifLevel;
  readonly message: { readonly text: string };
  readonly locations: SarifLocation[];
  readonly relatedLocations: (SarifLocation & { readonly id: number })[];
  readonly partialFingerprints: Record<string, string>;
  readonly occurrenceCount: number;
}

/** A log of these results; files below `cwd` are named from it. */
export function sarifLog(
  version: string,
  rules: SarifRule[],
  results: SarifResult[],
  cwd: string,
): SarifLog {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Holdfast', version, rules } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { uri: pathToFileURL(`${cwd}/`).href } },
        results,
      },
    ],
  };
}

/** `missing-sync` is `MissingSync` to those who want a name. */
export function sarifRule(id: string, summary: string, help: string, level: SarifLevel): SarifRule {
  return {
    id,
    name: id.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.` },
    help: { text: help },
    defaultConfiguration: { level },
  };
}

/** The line of the call, or the path that it was about where no line is known. */
export function sarifLocation(told: ToldOperation, path: string, cwd: string): SarifLocation {
  return (
    sarifPlace(told, cwd) ?? { physicalLocation: { artifactLocation: { uri: encodeURI(path) } } }
  );
}

/** The line of the call; null where it is not known. */
export function sarifPlace(told: ToldOperation, cwd: string): SarifLocation | null {
  const frame = frameOf(told);
  if (frame === null) return null;
  const { line: startLine, column } = frame;
  const region = column > 0 ? { startLine, startColumn: column } : { startLine };
  return { physicalLocation: { artifactLocation: uriOf(frame.file, cwd), region } };
}

/** Tells a result from others, without the line: what is added above it makes it no other finding. */
export function sarifPlaceKey(told: ToldOperation, cwd: string): string {
  const frame = frameOf(told);
  return frame === null ? '' : `${uriOf(frame.file, cwd).uri}#${frame.function}`;
}

/** The innermost line that can be shown: of a binary there is none. */
function frameOf({ stack, site }: ToldOperation): StackFrame | null {
  const frame = stack[site];
  return frame === undefined || frame.line < 1 ? null : frame;
}

function uriOf(file: string, cwd: string): { uri: string; uriBaseId?: string } {
  const here = relative(cwd, file);
  if (!isAbsolute(file)) return { uri: encodeURI(file) };
  if (here.startsWith('..') || isAbsolute(here)) return { uri: pathToFileURL(file).href };
  return { uri: encodeURI(here.replaceAll('\\', '/')), uriBaseId: 'SRCROOT' };
}
