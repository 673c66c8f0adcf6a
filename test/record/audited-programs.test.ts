/** The audit says nothing of a program that is known to be right: SQLite, as safe as it can be set. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { auditTrace, type AuditResult } from '../../src/lab/audit/audit-trace.ts';
import { DEFAULT_MODELS, modelByName } from '../../src/lab/model/model-list.ts';
import { programMissing, recordCommand } from '../support/recorded-programs.ts';

const skip = programMissing('sqlite3');

async function audited(t: TestContext, sql: string): Promise<AuditResult> {
  const { trace } = await recordCommand(t, ['sqlite3', 'root/db', sql]);
  return auditTrace(
    trace,
    DEFAULT_MODELS.map((name) => modelByName(name)),
  );
}

/** Small and large transactions, a change of many pages in place, checkpoints in between. */
const WORK = `create table t(a); insert into t values('one'); insert into t values('two'); select 'done';
  with recursive c(x) as (values(1) union all select x + 1 from c where x < 300)
    insert into t select randomblob(500) from c; select 'large';
  begin; update t set a = a || 'x'; delete from t where rowid % 3 = 0; commit; select 'again';`;

test('sqlite3 with a write-ahead log and synchronous=FULL', { skip }, async (t) => {
  const full = 'pragma journal_mode=wal; pragma synchronous=full;';
  const checkpoint = `pragma wal_checkpoint(truncate); insert into t values('more'); select 'more';`;
  const exclusive = await audited(
    t,
    `pragma locking_mode=exclusive; ${full} ${WORK} ${checkpoint}`,
  );
  assert.deepEqual(exclusive.findings, []);
  assert.deepEqual(exclusive.unmodelled, []);
  assert.ok(exclusive.syncs.fileData > 5 && exclusive.syncs.directory > 0);
  const shared = await audited(t, `${full} ${WORK}`);
  assert.deepEqual(shared.findings, []);
  assert.deepEqual(shared.unmodelled, ['a shared writable mapping: db-shm']);
});

test('sqlite3 with a rollback journal and synchronous=EXTRA', { skip }, async (t) => {
  const { findings, unmodelled } = await audited(t, `pragma synchronous=extra; ${WORK}`);
  assert.deepEqual(findings, []);
  assert.deepEqual(unmodelled, []);
});

test('sqlite3 with synchronous=OFF tells before it is durable', { skip }, async (t) => {
  const { findings } = await audited(t, `pragma synchronous=off; ${WORK}`);
  const rules = new Set(findings.map(({ rule }) => rule));
  assert.ok(rules.has('acknowledged-before-durable'), [...rules].join());
});
