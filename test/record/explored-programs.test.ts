/**
 * Programs that nobody here wrote, recorded through strace and explored: each verdict is one that can be told from
 * the program's own documentation or source, with the line of reason beside it.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { Checker } from '../../src/lab/check/checker.ts';
import { OldOrNewOracle } from '../../src/lab/check/old-or-new-oracle.ts';
import { RebuiltChecker, RebuiltFiles } from '../../src/lab/check/rebuilt-files.ts';
import { ProcessChecker } from '../../src/lab/check/process-checker.ts';
import { runLab, type LabResult } from '../../src/lab/lab-run.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import { recordProgram } from '../../src/lab/record/record-program.ts';
import { programMissing } from '../support/recorded-programs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Explored {
  readonly trace: Trace;
  readonly result: LabResult;
  /** `MODEL: DISKS disks`, for a walk that was complete and found nothing. */
  readonly held: readonly string[];
  /** What is to be synced, for each cause. */
  readonly missing: readonly string[];
}

async function explored(
  t: TestContext,
  prepare: string,
  command: readonly string[],
  options: {
    readonly models: readonly string[];
    readonly check?: string;
    readonly rebuilt?: RebuiltFiles;
  },
): Promise<Explored> {
  const directory = temporaryDirectory(t);
  const root = join(directory, 'root');
  fs.mkdirSync(root);
  execFileSync('sh', ['-ec', prepare], { cwd: root, stdio: 'ignore' });
  const trace = await recordProgram({
    root,
    command,
    via: 'strace',
    cwd: directory,
    output: 'ignore',
  });
  const { check, rebuilt = null } = options;
  const plain: Checker =
    check === undefined
      ? new OldOrNewOracle(trace)
      : new ProcessChecker({ command: check, timeLimitMs: 30_000 });
  const checker = rebuilt === null ? plain : new RebuiltChecker(plain, rebuilt);
  const models = options.models.map((name) => modelByName(name));
  const result = await runLab(trace, { models, checker, rebuilt, disksMax: 40 });
  const held = result.runs
    .filter(({ exploration }) => exploration.complete && exploration.violations.length === 0)
    .map(({ exploration }) => exploration.model.name);
  const causes = result.runs.flatMap(({ findings }) => findings);
  const missing = causes.map(({ sync }) => sync?.path ?? 'none');
  return { trace, result, held, missing: [...new Set(missing)] };
}

const SQLITE_CHECK = `out=$(sqlite3 db 'pragma integrity_check; select count(*) from t') || exit 1
case "$out" in
  *ok*1) ! grep -q done "$HOLDFAST_ACKS" ;;
  *ok*2) ;;
  *) echo "$out"; exit 1 ;;
esac`;

const TABLE = `sqlite3 db "create table t(a); insert into t values('zero');"`;

function insert(before: string): string[] {
  return ['sqlite3', 'root/db', `${before} insert into t values('one'); select 'done';`];
}

test(
  'sqlite3 with a rollback journal: FULL may roll a commit back, EXTRA does not',
  { skip: programMissing('sqlite3') },
  async (t) => {
    // "EXTRA synchronous is like FULL with the addition that the directory containing a rollback journal is
    // synced after that journal is unlinked to commit a transaction" @see https://sqlite.org/pragma.html
    const options = { models: ['ext4-journal'], check: SQLITE_CHECK };
    const full = await explored(t, TABLE, insert('pragma synchronous=full;'), options);
    assert.deepEqual(full.missing, ['.']);
    const extra = await explored(t, TABLE, insert('pragma synchronous=extra;'), options);
    assert.deepEqual(extra.held, ['ext4-journal']);
  },
);

test(
  'sqlite3 with a write-ahead log and synchronous=FULL keeps what it said',
  { skip: programMissing('sqlite3') },
  async (t) => {
    // Exclusive locking needs no shared memory, so that nothing is left unmodelled.
    const prepare = `${TABLE}; sqlite3 db 'pragma journal_mode=wal;'`;
    const command = insert('pragma locking_mode=exclusive; pragma synchronous=full;');
    const options = { models: ['ext4-journal', 'ext4'], check: SQLITE_CHECK };
    const { held, result } = await explored(t, prepare, command, options);
    assert.deepEqual(result.unmodelled, []);
    assert.deepEqual(held, ['ext4-journal', 'ext4']);
  },
);

test(
  'a sqlite3 transaction with a log in shared memory holds, whatever a crash leaves of the index',
  { skip: programMissing('sqlite3') },
  async (t) => {
    const prepare = `${TABLE}; sqlite3 db 'pragma journal_mode=wal;'`;
    const rebuilt = new RebuiltFiles(['*-shm']);
    const options = { models: ['ext4-journal'], check: SQLITE_CHECK };
    const command = insert('pragma synchronous=full;');
    const without = await explored(t, prepare, command, options);
    assert.deepEqual(without.result.unmodelled, ['a shared writable mapping: db-shm']);
    const { held, result } = await explored(t, prepare, command, { ...options, rebuilt });
    assert.deepEqual(result.unmodelled, []);
    assert.deepEqual(held, ['ext4-journal']);
  },
);

test(
  'git commit syncs its objects, and not the directory of the branch it moves',
  { skip: programMissing('git') },
  async (t) => {
    const prepare = `git init -q .; git config user.name n; git config user.email e@x
      git config core.fsync all; git config core.fsyncMethod fsync
      echo a > a; git add a; git commit -qm zero; echo b > b`;
    const check = `git fsck --strict > /dev/null || exit 1
      count=$(git rev-list --count HEAD) || exit 1
      if grep -q done "$HOLDFAST_ACKS"; then test "$count" = 2; else test "$count" -ge 1; fi`;
    const command = ['sh', '-c', 'cd root && git add b && git commit -qm one && echo done'];
    const { missing } = await explored(t, prepare, command, { models: ['ext4-journal'], check });
    assert.deepEqual(missing, ['.git/refs/heads']);
  },
);

const PYTHON = `
import os, sys
safe = sys.argv[1] == 'safe'
with open('root/settings.new', 'w') as file:
    file.write('new settings')
    file.flush()
    if safe: os.fsync(file.fileno())
os.rename('root/settings.new', 'root/settings')
if safe:
    directory = os.open('root', os.O_RDONLY)
    os.fsync(directory)
print('saved')
`;

test(
  'a Python script that replaces a file, with its syncs and without',
  { skip: programMissing('python3') },
  async (t) => {
    const prepare = 'echo old settings > settings';
    const models = ['ext4', 'posix'];
    const safe = await explored(t, prepare, ['python3', '-c', PYTHON, 'safe'], { models });
    assert.deepEqual(safe.held, models);
    const unsafe = await explored(t, prepare, ['python3', '-c', PYTHON, 'unsafe'], { models });
    assert.deepEqual(unsafe.held, []);
    assert.ok(unsafe.missing.includes('.'), unsafe.missing.join());
  },
);

/** Statically linked, and part of every Debian. */
const STATIC = '/sbin/ldconfig';

test(
  'a static binary syncs its file before the rename, and not the directory after it',
  { skip: programMissing(STATIC) },
  async (t) => {
    const command = [STATIC, '-X', '-C', 'root/cache'];
    const { missing, result } = await explored(t, 'echo old > cache', command, {
      models: ['ext4'],
    });
    assert.deepEqual(result.unmodelled, []);
    assert.deepEqual(missing, ['.']);
  },
);
