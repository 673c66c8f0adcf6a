/**
 * The words of the doctor's answer: claims about files, promises and policies of Holdfast that rest on them, and the
 * reasons that take a claim away. How reasons become verdicts is here and nowhere else. The JSON form of the answer
 * is documented in `docs/doctor.md`.
 */

/**
 * `holds`: under the standing assumptions of `docs/assumptions.md` (a drive that keeps what it said it flushed);
 * `assumed`: only if something is true that cannot be seen from here; `fails`: a power cut can break it.
 */
export type Verdict = 'holds' | 'assumed' | 'fails';

/** What a file system can be asked to keep. */
export type ClaimId = 'bytes' | 'names' | 'renames' | 'order' | 'locks';

export type PolicyId = 'sync' | 'batch' | 'none';

/** The promises of `docs/guarantees.md`. */
export type PromiseId = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P8';

/** Why something does not hold, or is only assumed. */
export interface Reason {
  /** Stable: also the anchor in `docs/doctor.md`. */
  readonly id: string;
  readonly verdict: 'assumed' | 'fails';
  readonly claims: readonly ClaimId[];
  /** Nothing at all is left after a power cut: so nothing wrong is left either, and P2 to P5 are not touched. */
  readonly leavesNothing?: boolean;
  /** One or two plain sentences. */
  readonly text: string;
}

/** Worth knowing, and no danger to a promise. */
export interface Note {
  readonly id: string;
  readonly text: string;
}

/** A crash model of the laboratory. */
export interface ModelChoice {
  /** With its modifiers: `ext4+nobarrier`. A name that `holdfast models` lists. */
  readonly name: string;
  /** The model to test against where the reasons of kind `assumed` are not true; null when there is none. */
  readonly otherwise: string | null;
}

/** What one part of the stack (a file system, a device) has to say. */
export interface Findings {
  readonly reasons: readonly Reason[];
  readonly notes: readonly Note[];
}

/** One claim, policy or promise, judged. */
export interface Judged<Id extends string> {
  readonly id: Id;
  readonly verdict: Verdict;
  /** Ids of the reasons, the worst first. */
  readonly reasons: readonly string[];
}

/** Page and section where a reason or note is explained. */
export function pageOf(id: string): string {
  return `docs/doctor.md#${id}`;
}

const CLAIMS: readonly ClaimId[] = ['bytes', 'names', 'renames', 'order', 'locks'];

const STORED: readonly ClaimId[] = ['bytes', 'names', 'renames', 'order'];

/** Which claims each promise rests on. P7 is about what Holdfast does itself, so nothing here can break it. */
const PROMISES: Readonly<Record<PromiseId, readonly ClaimId[]>> = {
  P1: STORED,
  P2: STORED,
  P3: STORED,
  P4: STORED,
  P5: STORED,
  P6: STORED,
  P7: [],
  P8: ['locks'],
};

const KEPT_BY_AN_EMPTY_DISK: readonly PromiseId[] = ['P2', 'P3', 'P4', 'P5'];

const RANK: Readonly<Record<Verdict, number>> = { holds: 0, assumed: 1, fails: 2 };

/** The worst of the verdicts; `holds` when there are none. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>((a, b) => (RANK[b] > RANK[a] ? b : a), 'holds');
}

/** Each claim against the reasons that touch it. */
export function judgeClaims(reasons: readonly Reason[]): Judged<ClaimId>[] {
  return CLAIMS.map((claim) => judge(claim, touching(reasons, [claim])));
}

/** The three sync policies. All rest on the same claims: a policy decides when to sync, not what a sync is worth. */
export function judgePolicies(reasons: readonly Reason[]): Judged<PolicyId>[] {
  const ids: readonly PolicyId[] = ['sync', 'batch', 'none'];
  return ids.map((policy) => judge(policy, touching(reasons, STORED)));
}

/** The eight promises. */
export function judgePromises(reasons: readonly Reason[]): Judged<PromiseId>[] {
  return Object.entries(PROMISES).map(([key, claims]) => {
    const promise = key as PromiseId;
    const counted = KEPT_BY_AN_EMPTY_DISK.includes(promise)
      ? reasons.filter((reason) => reason.leavesNothing !== true)
      : reasons;
    return judge(promise, touching(counted, claims));
  });
}

function touching(reasons: readonly Reason[], claims: readonly ClaimId[]): Reason[] {
  return reasons.filter((reason) => reason.claims.some((claim) => claims.includes(claim)));
}

function judge<Id extends string>(id: Id, reasons: readonly Reason[]): Judged<Id> {
  const sorted = reasons.toSorted((a, b) => RANK[b.verdict] - RANK[a.verdict]);
  return {
    id,
    verdict: worst(sorted.map((reason) => reason.verdict)),
    reasons: sorted.map((reason) => reason.id),
  };
}
