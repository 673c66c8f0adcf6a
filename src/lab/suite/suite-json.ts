/** The result of a crash test as JSON, certificate included: `docs/formats/crash-test.md` describes every field. */

import { findingJson } from '../report/json-report.ts';
import type { CrashTestResult } from './crash-test.ts';

/** Plain data for `JSON.stringify`: counts beyond 2^53 are decimal strings. */
export function crashTestJson({ verdict, certificate, findings }: CrashTestResult): unknown {
  const models = certificate.models.map(({ rawStates, ...rest }) => {
    return { ...rest, statesAllowed: rawStates === null ? null : String(rawStates) };
  });
  return {
    format: 'holdfast-crash-test',
    version: 1,
    verdict,
    certificate: { ...certificate, models },
    findings: findings.map(({ models: on, depth, fault, example, token }) => {
      return { models: on, depth, fault, example: findingJson(example, token) };
    }),
  };
}
