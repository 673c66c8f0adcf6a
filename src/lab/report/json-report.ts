/** The result of a run as JSON: `docs/formats/report.md` describes every field. */

import type { Finding, ToldOperation } from '../explain/finding.ts';
import { encodeState } from '../explore/crash-state.ts';
import type { LabResult } from '../lab-run.ts';
import { RECORDED_RUN } from './certificate-lines.ts';
import { groupFindings } from './lab-report.ts';
import { skippedIn } from './skipped.ts';

export const JSON_REPORT_VERSION = 1;

/** `token` gives what `holdfast replay` takes, where the trace is kept. */
export function jsonReport(
  result: LabResult,
  command: readonly string[],
  token: (finding: Finding) => string | null = () => null,
): unknown {
  return {
    format: 'holdfast-report',
    version: JSON_REPORT_VERSION,
    command,
    verdict: result.verdict,
    checker: result.checker,
    unmodelled: result.unmodelled,
    doubts: result.doubts,
    models: result.runs.map(({ exploration }) => ({
      model: exploration.model.name,
      kernel: exploration.model.kernel,
      crashPoints: exploration.crashPoints,
      crashPointsDeciding: exploration.decidingPoints,
      crashPointsWalked: exploration.walkedPoints,
      statesAllowed: exploration.rawStates === null ? null : String(exploration.rawStates),
      statesSampled: exploration.sampled,
      seed: exploration.sampled === 0 ? null : exploration.seed,
      sampledShare: exploration.sampledShare,
      decidedBy: exploration.decidedBy,
      statesWalked: exploration.walked,
      disksDistinct: exploration.distinct,
      disksChecked: exploration.checked,
      verdictsReused: exploration.reused,
      violations: exploration.violationCount,
      complete: exploration.complete,
      skipped: skippedIn(exploration),
      runs: exploration.runs,
    })),
    certificate: {
      seed: result.seed,
      verdictsRemembered: result.remembered,
      ...RECORDED_RUN,
    },
    redundantSyncs:
      result.redundant?.map(({ sync, could, models }) => ({
        sync: toldJson(sync),
        could,
        models,
      })) ?? null,
    findings: groupFindings(result).map(({ models, all }) => ({
      models,
      examples: all.map((finding) => findingJson(finding, token(finding))),
    })),
  };
}

/** One example of a cause. */
export function findingJson(finding: Finding, replayToken: string | null): unknown {
  const { model, kind, message, lost, crashAfter, sync, state, proof } = finding;
  return {
    model,
    kind,
    message,
    lost: lost.map(toldJson),
    crashAfter: crashAfter === null ? null : toldJson(crashAfter),
    missingSync:
      sync === null
        ? null
        : {
            call: sync.call,
            of: sync.of,
            path: sync.path,
            after: toldJson(sync.after),
            misplaced: sync.misplaced === null ? null : toldJson(sync.misplaced),
          },
    state: encodeState(state),
    replayToken,
    proof,
  };
}

function toldJson({ operation, what, stack, site }: ToldOperation): unknown {
  return { operation, what, stack, site };
}
