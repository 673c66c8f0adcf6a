/**
 * Broken programs that the lab must catch, each with one defect, and their corrected twins, which must pass: a lab
 * that finds nothing in the former, or something in the latter, fails the build. The line that is named must be
 * the one that carries the comment.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { auditTrace, type AuditFinding } from '../../src/lab/audit/audit-trace.ts';
import type { AuditRuleName } from '../../src/lab/audit/audit-rule.ts';
import type { Checker } from '../../src/lab/check/checker.ts';
import { OldOrNewOracle } from '../../src/lab/check/old-or-new-oracle.ts';
import type { LabResult } from '../../src/lab/lab-run.ts';
import { runLab } from '../../src/lab/lab-run.ts';
import { listModels } from '../../src/lab/model/model-list.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import { recordProgram } from '../../src/lab/record/record-program.ts';
import { CANARY_FILES, indexPointsToRecords } from './canary-root.ts';

const programs = fileURLToPath(new URL('../../../test/canary/programs/', import.meta.url));

interface Canary {
  readonly name: string;
  readonly missing: 'fsync' | 'fdatasync' | 'not-atomic';
  /** Models under which it must be caught; no other may complain. */
  readonly models: readonly string[];
  /** What the audit says of it, without a checker. */
  readonly rule: AuditRuleName;
  readonly checker?: (trace: Trace) => Checker;
}

/** Models on which software can be written: a rename is atomic, and a returned sync means something. */
const MODELS = listModels().filter((model) => model.rename !== 'split' && model.syncIsDurable);
const ALL = MODELS.map(({ name }) => name);
/** Data and names are in one order there. */
const IN_ORDER = ['prefix', 'ext4-nodelalloc', 'ext4-journal'];
const DELAYED = ALL.filter((name) => !IN_ORDER.includes(name));

const CANARIES: readonly Canary[] = [
  { name: 'no-file-sync', missing: 'fdatasync', models: DELAYED, rule: 'rename-before-sync' },
  { name: 'no-directory-sync', missing: 'fsync', models: ALL, rule: 'name-not-durable' },
  { name: 'rename-before-sync', missing: 'fdatasync', models: DELAYED, rule: 'rename-before-sync' },
  { name: 'truncate-then-write', missing: 'not-atomic', models: ALL, rule: 'overwrite-in-place' },
  {
    name: 'unlink-before-replacement',
    missing: 'not-atomic',
    models: ALL,
    rule: 'removed-before-replacement',
  },
  {
    name: 'two-files-ordered',
    missing: 'fdatasync',
    // An append into a block that is there is ordered by nothing, with nodelalloc neither.
    models: ALL.filter((name) => DELAYED.includes(name) || name === 'ext4-nodelalloc'),
    rule: 'files-not-ordered',
    checker: () => indexPointsToRecords,
  },
  {
    name: 'acknowledged-before-durable',
    missing: 'fdatasync',
    models: ALL,
    rule: 'acknowledged-before-durable',
  },
  {
    name: 'write-not-awaited',
    missing: 'fdatasync',
    models: ALL,
    rule: 'acknowledged-before-durable',
  },
];

interface Examined {
  readonly result: LabResult;
  readonly audit: readonly AuditFinding[];
}

async function examine(program: string, canary: Canary): Promise<Examined> {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'holdfast-canary-'));
  try {
    for (const [name, text] of Object.entries(CANARY_FILES)) writeFileSync(join(root, name), text);
    const command = ['node', program];
    const trace = await recordProgram({ root, command, cwd: root, output: 'ignore' });
    const checker = canary.checker?.(trace) ?? new OldOrNewOracle(trace);
    const result = await runLab(trace, { models: MODELS, checker });
    return { result, audit: auditTrace(trace, MODELS).findings };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function markedLine(program: string): number {
  const lines = readFileSync(program, 'utf8').split('\n');
  return lines.findIndex((line) => /the sync is missing here|not atomic from here/.test(line)) + 1;
}

for (const canary of CANARIES) {
  const { name, missing, models } = canary;

  void test(`canary ${name} is caught, at its line, and nothing else is said`, async () => {
    const program = join(programs, `${name}.broken.mjs`);
    const { result, audit } = await examine(program, canary);
    assert.equal(result.verdict, 'found');
    const caught = result.runs.filter(({ exploration }) => exploration.violationCount > 0);
    const findings = caught.flatMap((run) => run.findings);
    assert.deepEqual(
      caught.map(({ exploration }) => exploration.model.name),
      ALL.filter((model) => models.includes(model)),
    );
    for (const { kind, sync, crashAfter, message, proof } of findings) {
      const place = sync === null ? crashAfter : sync.after;
      const told = `${kind} ${sync?.call ?? ''} ${sync?.path ?? ''} ${place?.what ?? ''}: ${message}`;
      assert.equal(sync?.call ?? kind, missing, told);
      assert.equal(place?.stack[place.site]?.line, markedLine(program), told);
      if (sync !== null) assert.equal(proof?.complete, true, told);
    }
    assert.equal(findings.length, caught.length, 'one finding for each model that catches it');
    assert.deepEqual(
      audit.map(({ rule }) => rule),
      [canary.rule],
    );
    const lines = [audit[0]?.at, audit[0]?.other].map((told) => told?.stack[told.site]?.line);
    assert.ok(lines.includes(markedLine(program)), `the audit names lines ${lines.join(' and ')}`);
  });

  void test(`the corrected twin of ${name} passes under every model`, async () => {
    const program = join(programs, `${name}.right.mjs`);
    const { result, audit } = await examine(program, canary);
    assert.deepEqual(audit, []);
    assert.deepEqual(
      result.runs.flatMap((run) => run.findings),
      [],
    );
    assert.equal(result.verdict, 'passed');
  });
}
