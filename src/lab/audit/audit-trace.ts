/**
 * What can be said of a recorded run without a checker: patterns that lose data on some file system, found by rules.
 * Nothing is explored, and no rule knows what a program means: a finding is a question with a line, not a proof.
 */

import type { ToldOperation } from '../explain/finding.ts';
import { tellOperation } from '../explain/tell-operation.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { InodeNumber, Trace } from '../record/operation.ts';
import type { AuditCase, AuditCheck, AuditContext } from './audit-context.ts';
import { AUDIT_RULES, type AuditRuleName, type AuditSeverity } from './audit-rule.ts';
import { DurableTimes } from './durable-times.ts';
import { failuresIgnored } from './failure-rule.ts';
import { FileLife } from './file-life.ts';
import { namesNotDurable, removalsBeforeReplacement, renamesBeforeSync } from './name-rules.ts';
import { overwritesInPlace } from './overwrite-rule.ts';
import { acknowledgedEarly, filesNotOrdered } from './promise-rules.ts';
import { countSyncs, type SyncCounts } from './sync-counts.ts';
import { fsyncsOfBytesAlone, redundantSyncsAgain } from './sync-rules.ts';

/** One line of the program that a rule speaks of, however often it ran. */
export interface AuditFinding {
  readonly rule: AuditRuleName;
  readonly severity: AuditSeverity;
  readonly message: string;
  /** The models on which it matters. */
  readonly models: readonly string[];
  /** The call to change, the first time it was made. */
  readonly at: ToldOperation;
  /** The path below the root that the call was about. */
  readonly path: string;
  /** The call that shows it, if another one does. */
  readonly other: ToldOperation | null;
  /** How many calls of that line it was found for. */
  readonly times: number;
}

export interface AuditResult {
  /** In the order of the calls. */
  readonly findings: readonly AuditFinding[];
  readonly syncs: SyncCounts;
  readonly models: readonly string[];
  /** What the recorder saw and could not model, by name. */
  readonly unmodelled: readonly string[];
}

/** The first rule that speaks of bytes or a name keeps the later ones from saying the same in other words. */
const CHECKS: readonly AuditCheck[] = [
  failuresIgnored,
  removalsBeforeReplacement,
  overwritesInPlace,
  renamesBeforeSync,
  namesNotDurable,
  acknowledgedEarly,
  filesNotOrdered,
  redundantSyncsAgain,
  fsyncsOfBytesAlone,
];

/** Told only where they hold on every model that was asked for. */
const ON_ALL: ReadonlySet<AuditRuleName> = new Set(['redundant-sync', 'fsync-could-be-fdatasync']);

interface Case extends AuditCase {
  readonly models: string[];
}

/** Audits a trace under these models. */
export function auditTrace(trace: Trace, models: readonly CrashModel[]): AuditResult {
  const life = new FileLife(trace);
  const contexts = models.map((model) => ({ trace, life, times: new DurableTimes(trace, model) }));
  const cases = CHECKS.reduce<Case[]>(
    (before, check) => [...before, ...casesOf(check, contexts, spokenOf(trace, before))],
    [],
  );
  const told = cases.filter((one) => !ON_ALL.has(one.rule) || one.models.length === models.length);
  return {
    findings: byLine(trace, told),
    syncs: countSyncs(trace, life),
    models: models.map(({ name }) => name),
    unmodelled: trace.operations.flatMap((one) => (one.kind === 'unmodelled' ? [one.what] : [])),
  };
}

/** What one rule says on all models together of what no rule before it spoke of. */
function casesOf(
  check: AuditCheck,
  contexts: readonly AuditContext[],
  spoken: ReadonlySet<string>,
): Case[] {
  const cases = new Map<number, Case>();
  for (const context of contexts) {
    for (const found of check(context)) {
      if (spoken.has(`${found.aspect} ${found.operation}`)) continue;
      const { name } = context.times.model;
      const known = cases.get(found.operation);
      if (known === undefined) cases.set(found.operation, { ...found, models: [name] });
      else known.models.push(name);
    }
  }
  return [...cases.values()];
}

function spokenOf(trace: Trace, cases: readonly Case[]): Set<string> {
  const spoken = new Set<string>();
  /** Of each file that got a name too early: until when its bytes were late for one. */
  const late = new Map<InodeNumber, number>();
  for (const { rule, aspect, operation, other } of cases) {
    spoken.add(`${aspect} ${operation}`);
    const change = trace.operations[other ?? -1];
    if (rule !== 'rename-before-sync' || change === undefined || !('inode' in change)) continue;
    late.set(change.inode, Math.max(change.start, late.get(change.inode) ?? 0));
  }
  // Bytes that are late for their name are no news where they are late for a promise, too.
  for (const [index, one] of trace.operations.entries()) {
    if ('inode' in one && one.start <= (late.get(one.inode) ?? -1)) spoken.add(`bytes ${index}`);
  }
  return spoken;
}

/** Cases of one line of the program as one finding; where no line is known, of one path. */
function byLine(trace: Trace, cases: readonly Case[]): AuditFinding[] {
  const findings = new Map<string, { -readonly [Key in keyof AuditFinding]: AuditFinding[Key] }>();
  for (const one of cases.toSorted((a, b) => a.operation - b.operation)) {
    const { rule, operation, other, message, models } = one;
    const at = tellOperation(trace, operation);
    const path = trace.operations[operation]?.path ?? '';
    const frame = at.stack[at.site];
    const place = frame === undefined ? path : `${frame.file}:${frame.line}:${frame.column}`;
    const severity = one.severity ?? defaultSeverity(rule);
    const known = findings.get(`${rule} ${place}`);
    if (known === undefined) {
      const shown = other === null ? null : tellOperation(trace, other);
      const finding = { rule, severity, message, models, at, path, other: shown, times: 1 };
      findings.set(`${rule} ${place}`, finding);
      continue;
    }
    known.times += 1;
    known.models = [...new Set([...known.models, ...models])];
    if (rank(severity) < rank(known.severity)) known.severity = severity;
  }
  return [...findings.values()];
}

function defaultSeverity(rule: AuditRuleName): AuditSeverity {
  return AUDIT_RULES.find(({ name }) => name === rule)?.severity ?? 'warning';
}

function rank(severity: AuditSeverity): number {
  return ['error', 'warning', 'note'].indexOf(severity);
}
