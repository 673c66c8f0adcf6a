/** The result of an audit for machines: JSON (`docs/formats/audit.md`) and SARIF 2.1.0. */

import { isAbsolute, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { ToldOperation } from '../explain/finding.ts';
import type { StackFrame } from '../record/operation.ts';
import type { AuditFinding, AuditResult } from './audit-trace.ts';
import { AUDIT_RULES } from './audit-rule.ts';

export const AUDIT_REPORT_VERSION = 1;

/** What became of the findings before they are told. */
export interface AuditReportInput {
  readonly result: AuditResult;
  readonly findings: readonly AuditFinding[];
  readonly silenced: number;
  readonly command: readonly string[];
  /** Source files below it are named from it. */
  readonly cwd: string;
}

export function auditJson({ result, findings, silenced, command }: AuditReportInput): unknown {
  return {
    format: 'holdfast-audit',
    version: AUDIT_REPORT_VERSION,
    command,
    models: result.models,
    unmodelled: result.unmodelled,
    syncs: result.syncs,
    silenced,
    findings: findings.map(({ rule, severity, message, models, path, times, at, other }) => ({
      rule,
      severity,
      message,
      models,
      path,
      times,
      at: toldJson(at),
      other: other === null ? null : toldJson(other),
    })),
  };
}

function toldJson({ operation, what, stack, site }: ToldOperation): unknown {
  return { operation, what, place: stack[site] ?? null, stack };
}

/** The parts of SARIF that an audit uses. @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
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
  readonly rules: {
    readonly id: string;
    readonly name: string;
    readonly shortDescription: { readonly text: string };
    readonly help: { readonly text: string };
    readonly defaultConfiguration: { readonly level: 'error' | 'warning' | 'note' };
  }[];
}

interface SarifLocation {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
    readonly region?: { readonly startLine: number; readonly startColumn?: number };
  };
  readonly message?: { readonly text: string };
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: 'error' | 'warning' | 'note';
  readonly message: { readonly text: string };
  readonly locations: SarifLocation[];
  readonly relatedLocations: (SarifLocation & { readonly id: number })[];
  readonly partialFingerprints: Record<string, string>;
  readonly occurrenceCount: number;
}

/** The findings as a SARIF log, which code hosts show beside the lines of a change. */
export function auditSarif({ findings, cwd }: AuditReportInput, version: string): SarifLog {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Holdfast', version, rules: sarifRules() } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { uri: pathToFileURL(`${cwd}/`).href } },
        results: findings.map((finding) => sarifResult(finding, cwd)),
      },
    ],
  };
}

function sarifRules(): SarifDriver['rules'] {
  return AUDIT_RULES.map(({ name, summary, severity }) => ({
    id: name,
    name: name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.` },
    help: { text: `The page docs/audit/${name}.md has the reason, and a bad and a good example.` },
    defaultConfiguration: { level: severity },
  }));
}

function sarifResult(finding: AuditFinding, cwd: string): SarifResult {
  const { rule, severity, message, models, at, other, path, times } = finding;
  const related = other === null ? null : locationOf(other, cwd);
  const text = other === null ? '' : other.what;
  return {
    ruleId: rule,
    ruleIndex: AUDIT_RULES.findIndex(({ name }) => name === rule),
    level: severity,
    message: { text: `${message} (on ${models.join(', ')}).` },
    locations: [
      locationOf(at, cwd) ?? { physicalLocation: { artifactLocation: { uri: encodeURI(path) } } },
    ],
    relatedLocations: related === null ? [] : [{ id: 1, ...related, message: { text } }],
    partialFingerprints: { 'holdfastAudit/v1': `${rule}:${path}:${placeKey(at, cwd)}` },
    occurrenceCount: times,
  };
}

/** The innermost line that can be shown: of a binary there is none. */
function frameOf({ stack, site }: ToldOperation): StackFrame | null {
  const frame = stack[site];
  return frame === undefined || frame.line < 1 ? null : frame;
}

function placeKey(told: ToldOperation, cwd: string): string {
  const frame = frameOf(told);
  // Without the line: what is added above it makes it no other finding.
  return frame === null ? '' : `${uriOf(frame.file, cwd).uri}#${frame.function}`;
}

function locationOf(told: ToldOperation, cwd: string): SarifLocation | null {
  const frame = frameOf(told);
  if (frame === null) return null;
  const { line: startLine, column } = frame;
  const region = column > 0 ? { startLine, startColumn: column } : { startLine };
  return { physicalLocation: { artifactLocation: uriOf(frame.file, cwd), region } };
}

function uriOf(file: string, cwd: string): { uri: string; uriBaseId?: string } {
  const here = relative(cwd, file);
  if (!isAbsolute(file)) return { uri: encodeURI(file) };
  if (here.startsWith('..') || isAbsolute(here)) return { uri: pathToFileURL(file).href };
  return { uri: encodeURI(here.replaceAll('\\', '/')), uriBaseId: 'SRCROOT' };
}
