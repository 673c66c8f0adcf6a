/**
 * The audit of programs that are not Node: nothing of one that is known to be right, SQLite as safe as it can be
 * set; and an answer over a connection counts as a promise.
 */

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

/** A server that stores what it is sent, and its client, which are one process here: both ends of a TCP connection. */
const SERVER = `
import os, socket, sys
listening = socket.socket(); listening.bind(('127.0.0.1', 0)); listening.listen()
client = socket.create_connection(listening.getsockname()); server, _ = listening.accept()
stored = os.open('root/stored', os.O_WRONLY | os.O_CREAT)
os.write(stored, b'value')
directory = os.open('root', os.O_RDONLY)
os.fsync(directory)
if sys.argv[1] == 'late': server.send(b'stored')
os.fsync(stored)
if sys.argv[1] == 'durable': server.send(b'stored')
`;

for (const when of ['late', 'durable'] as const) {
  const name = when === 'late' ? 'before the file is synced is told' : 'after the sync is not';
  test(`an answer over a connection ${name}`, { skip: programMissing('python3') }, async (t) => {
    const { trace } = await recordCommand(t, ['python3', '-c', SERVER, when]);
    const { findings } = auditTrace(trace, [modelByName('ext4')]);
    const early = findings.filter(({ rule }) => rule === 'acknowledged-before-durable');
    assert.equal(early.length, when === 'late' ? 1 : 0);
  });
}
