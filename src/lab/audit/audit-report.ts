/** The result of an audit for machines: JSON (`docs/formats/audit.md`) and SARIF 2.1.0. */

import type { ToldOperation } from '../explain/finding.ts';
import {
  sarifLocation,
  sarifLog,
  sarifPlace,
  sarifPlaceKey,
  sarifRule,
  type SarifLog,
  type SarifResult,
  type SarifRule,
} from '../report/sarif-log.ts';
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

/** The findings as a SARIF log, which code hosts show beside the lines of a change. */
export function auditSarif({ findings, cwd }: AuditReportInput, version: string): SarifLog {
  const results = findings.map((finding) => sarifResult(finding, cwd));
  return sarifLog(version, sarifRules(), results, cwd);
}

function sarifRules(): SarifRule[] {
  return AUDIT_RULES.map(({ name, summary, severity }) => {
    const help = `The page docs/audit/${name}.md has the reason, and a bad and a good example.`;
    return sarifRule(name, summary, help, severity);
  });
}

function sarifResult(finding: AuditFinding, cwd: string): SarifResult {
  const { rule, severity, message, models, at, other, path, times } = finding;
  const related = other === null ? null : sarifPlace(other, cwd);
  const text = other === null ? '' : other.what;
  return {
    ruleId: rule,
    ruleIndex: AUDIT_RULES.findIndex(({ name }) => name === rule),
    level: severity,
    message: { text: `${message} (on ${models.join(', ')}).` },
    locations: [sarifLocation(at, path, cwd)],
    relatedLocations: related === null ? [] : [{ id: 1, ...related, message: { text } }],
    partialFingerprints: { 'holdfastAudit/v1': `${rule}:${path}:${sarifPlaceKey(at, cwd)}` },
    occurrenceCount: times,
  };
}
