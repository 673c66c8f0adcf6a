/** What an exploration found as a SARIF log, which code hosts show beside the lines of a change. */

import type { Finding } from '../explain/finding.ts';
import type { LabResult } from '../lab-run.ts';
import { groupFindings, type ReportedFinding } from './lab-report.ts';
import {
  sarifLocation,
  sarifLog,
  sarifPlace,
  sarifPlaceKey,
  sarifRule,
  type SarifLog,
  type SarifResult,
  type SarifRule,
} from './sarif-log.ts';

const HELP =
  'docs/lab.md tells how a finding comes about, and how to try the disk that it is about.';

const RULES: SarifRule[] = [
  sarifRule('missing-sync', 'a power cut can take what a sync would have kept', HELP, 'error'),
  sarifRule(
    'not-atomic',
    'an update passes through states that recovery does not accept',
    HELP,
    'error',
  ),
];

/** The findings of a run, one result for each cause. */
export function sarifReport(result: LabResult, cwd: string, version: string): SarifLog {
  const results = groupFindings(result).flatMap((group) => sarifResult(group, cwd) ?? []);
  return sarifLog(version, RULES, results, cwd);
}

function sarifResult({ example, models, all }: ReportedFinding, cwd: string): SarifResult | null {
  const { kind, sync, crashAfter, lost } = example;
  const told = sync?.after ?? crashAfter ?? lost[0];
  if (told === undefined) return null;
  const path = sync?.path ?? '.';
  const related = [sync?.misplaced ?? null, ...lost]
    .filter((one) => one !== null && one.operation !== told.operation)
    .flatMap((one) => {
      const place = one === null ? null : sarifPlace(one, cwd);
      return one === null || place === null ? [] : [{ ...place, message: { text: one.what } }];
    });
  return {
    ruleId: kind,
    ruleIndex: RULES.findIndex(({ id }) => id === kind),
    level: 'error',
    message: { text: `${sentenceOf(example)} (on ${models.join(', ')}).` },
    locations: [sarifLocation(told, path, cwd)],
    relatedLocations: related.map((place, index) => ({ id: index + 1, ...place })),
    partialFingerprints: { 'holdfastCheck/v1': `${kind}:${path}:${sarifPlaceKey(told, cwd)}` },
    occurrenceCount: all.length,
  };
}

function sentenceOf({ sync, message }: Finding): string {
  if (sync === null) return `Not atomic, and no sync repairs it: after a power cut, ${message}`;
  const what = sync.of === 'directory' ? 'the directory' : 'the file';
  return `Missing ${sync.call} of ${what} ${sync.path} after this call: after a power cut, ${message}`;
}
