/** Findings of all models, faults and depths put together by cause: one cause, one finding, the plainest example. */

import type { Finding, ToldOperation } from '../explain/finding.ts';
import type { CrashTestFinding } from './crash-test.ts';

/** A finding and where it came from. */
export interface RawFinding {
  readonly finding: Finding;
  readonly depth: number;
  readonly fault: string | null;
  readonly token: () => Promise<string | null>;
}

/** Groups, those of fewer crashes and no fault first. REQUIRES: given in the order of exploration. */
export async function groupRawFindings(raw: readonly RawFinding[]): Promise<CrashTestFinding[]> {
  const groups = new Map<string, RawFinding[]>();
  for (const found of raw) {
    const cause = causeOf(found);
    const known = groups.get(cause);
    if (known === undefined) groups.set(cause, [found]);
    else known.push(found);
  }
  const findings: CrashTestFinding[] = [];
  for (const all of groups.values()) {
    const [first] = all;
    if (first === undefined) continue;
    findings.push({
      models: [...new Set(all.map(({ finding }) => finding.model))],
      depth: first.depth,
      fault: first.fault,
      example: first.finding,
      token: await first.token(),
    });
  }
  return findings;
}

/** By source lines, not by operations: each faulted run and each recovery is a trace of its own. */
function causeOf({ finding }: RawFinding): string {
  const { kind, sync, crashAfter } = finding;
  if (sync === null) return `${kind} ${lineOf(crashAfter)}`;
  return `${kind} ${sync.call} ${sync.of} ${lineOf(sync.after)}`;
}

function lineOf(told: ToldOperation | null): string {
  if (told === null) return 'the start';
  const frame = told.stack[told.site];
  return frame === undefined ? told.what : `${frame.file}:${frame.line}:${frame.column}`;
}
