import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { assertCrashSafe, CrashSafetyError } from '../../../../src/lab/suite/assert-crash-safe.ts';
import type { CrashTest } from '../../../../src/lab/suite/crash-test.ts';
import { readWholeFileSync, writeFullySync } from '../../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../../src/vfs/vfs.ts';
import { fileTree } from '../../../support/file-tree-builder.ts';

function writeFile(vfs: Vfs, path: string, text: string, sync: boolean): void {
  const file = vfs.openSync(path, { write: true, create: true, truncate: true });
  writeFullySync(file, Buffer.from(text), 0);
  if (sync) file.syncSync();
  file.closeSync();
}

function syncRoot(vfs: Vfs): void {
  const directory = vfs.openDirectorySync('/');
  directory.syncSync();
  directory.closeSync();
}

function textOf(vfs: Vfs, path: string): string {
  return Buffer.from(readWholeFileSync(vfs, path)).toString();
}

/** Replaces a file; its temporary name differs from run to run, as real ones do. */
function replacing(sync: boolean, checks: string[] = []): CrashTest {
  return {
    tree: fileTree({ a: 'old' }),
    workload: (vfs, { mark }) => {
      const temporary = `/a.${Math.trunc(Math.random() * 1e9)}`;
      writeFile(vfs, temporary, 'new', sync);
      vfs.renameSync(temporary, '/a');
      syncRoot(vfs);
      mark('saved');
    },
    check: (vfs, { marks }) => {
      const found = textOf(vfs, '/a');
      checks.push(`${found} ${marks.join(',')}`);
      assert.ok(found === 'new' || (found === 'old' && marks.length === 0), `found "${found}"`);
    },
  };
}

async function failureOf(crashTest: CrashTest): Promise<CrashSafetyError> {
  try {
    await assertCrashSafe(crashTest);
  } catch (error) {
    assert.ok(error instanceof CrashSafetyError, String(error));
    return error;
  }
  return assert.fail('nothing was found');
}

async function replaying<T>(token: string, run: () => Promise<T>): Promise<T> {
  process.env['HOLDFAST_REPLAY'] = token;
  try {
    return await run();
  } finally {
    delete process.env['HOLDFAST_REPLAY'];
  }
}

function tokenIn({ message }: Error): string {
  const lines = message.split('\n').filter((line) => line.startsWith('HOLDFAST_REPLAY='));
  assert.equal(lines.length, 1, message);
  return lines[0]?.slice('HOLDFAST_REPLAY='.length) ?? '';
}

test('what is safe resolves to the result', async () => {
  const result = await assertCrashSafe(replacing(true));
  assert.equal(result?.verdict, 'passed');
});

test('what is not safe rejects with an AssertionError that has the report and one token', async () => {
  const error = await failureOf(replacing(false));
  assert.ok(error instanceof assert.AssertionError);
  assert.match(error.message, /^not crash-safe: 1 cause of loss\n/);
  assert.match(error.message, /missing fdatasync of the file/);
  assert.match(error.message, /after {3}.*assert-crash-safe\.test\.[jt]s:\d+/);
  assert.match(error.message, /explored posix: \d+ crash points, \d+ states/);
  assert.equal(error.result?.verdict, 'found');
  tokenIn(error);
});

test('with the token in the environment that one state is checked, in another run of the workload', async () => {
  const token = tokenIn(await failureOf(replacing(false)));
  const checks: string[] = [];
  const error = await replaying(token, () => failureOf(replacing(false, checks)));
  assert.equal(checks.length, 1);
  assert.match(error.message, /replayed under \w+/);
  assert.match(error.message, /found "(?:\\x00)*"/);
  assert.equal(error.result, null);
});

test('a replayed state that passes now passes, and other tests run as ever', async () => {
  const broken = replacing(false);
  const token = tokenIn(await failureOf(broken));
  const mended = { ...broken, check: () => undefined };
  assert.equal(await replaying(token, () => assertCrashSafe(mended)), null);
  const other = await replaying(token, () => assertCrashSafe(replacing(true)));
  assert.equal(other?.verdict, 'passed');
  await assert.rejects(
    replaying('hf1.nonsense', () => assertCrashSafe(broken)),
    { code: 'HOLDFAST_USAGE' },
  );
});

test('an incomplete exploration rejects, unless the budget was asked for', async () => {
  const many: CrashTest = {
    workload: (vfs) => {
      for (let index = 0; index < 15; index++) writeFile(vfs, `/f${index}`, '', false);
    },
    check: (vfs) => vfs.readDirectorySync('/'),
    models: ['posix'],
  };
  const result = await assertCrashSafe({ ...many, budget: 50 });
  assert.equal(result?.verdict, 'incomplete');
  assert.match((await failureOf(many)).message, /give a budget to accept a sample/);
});

/** Recovery takes `/next` over and forgets it, without a sync between. */
function forgetful(checks: string[] = []): CrashTest {
  return {
    tree: fileTree({ value: 'one' }),
    workload: (vfs, { mark }) => {
      writeFile(vfs, '/next.tmp', 'two', true);
      vfs.renameSync('/next.tmp', '/next');
      syncRoot(vfs);
      mark('two');
    },
    recover: (vfs) => {
      if (!vfs.readDirectorySync('/').some(({ name }) => name === 'next')) return;
      writeFile(vfs, '/value', textOf(vfs, '/next'), false);
      vfs.unlinkSync('/next');
    },
    check: (vfs, { marks }) => {
      const found = textOf(vfs, '/value');
      checks.push(found);
      assert.ok(found === 'two' || (found === 'one' && marks.length === 0), `value "${found}"`);
    },
  };
}

test('a crash inside recovery is replayed with the crashes before it', async () => {
  const error = await failureOf(forgetful());
  assert.match(error.message, /, in recovery\n/);
  const checks: string[] = [];
  const again = await replaying(tokenIn(error), () => failureOf(forgetful(checks)));
  assert.equal(checks.length, 1);
  assert.match(again.message, /value "/);
});

/** Takes a failed sync for nothing, and acknowledges. */
function deaf(checks: string[] = []): CrashTest {
  return {
    tree: fileTree({ log: 'one\n' }),
    faults: [{ kind: 'failed-sync' }],
    workload: (vfs, { mark }) => {
      const file = vfs.openSync('/log', { write: true });
      writeFullySync(file, Buffer.from('two\n'), 4);
      try {
        file.datasyncSync();
      } catch {
        file.datasyncSync(); // success, and nothing written
      }
      mark('two');
      file.closeSync();
    },
    check: (vfs, { marks }) => {
      const found = textOf(vfs, '/log');
      checks.push(found);
      if (marks.includes('two')) assert.equal(found, 'one\ntwo\n');
    },
  };
}

test('a failed sync taken for success is found in the run with the fault, and replayed', async () => {
  const flat = await assertCrashSafe({ ...deaf(), faults: false });
  assert.equal(flat?.verdict, 'passed');
  const error = await failureOf(deaf());
  assert.match(error.message, /fault {3}EIO from fdatasync of log/);
  const checks: string[] = [];
  await replaying(tokenIn(error), () => failureOf(deaf(checks)));
  assert.equal(checks.length, 1);
});

test('the error says no word of the machinery in its stack', async () => {
  const error = await failureOf(replacing(false));
  assert.doesNotMatch(error.stack?.split('\n    at ')[1] ?? '', /assert-crash-safe\.js/);
});

test('what a check writes is not seen by the next one', async () => {
  const scribbling: CrashTest = {
    ...replacing(true),
    check: (vfs) => {
      vfs.openSync('/scribble', { write: true, create: true, exclusive: true }).closeSync();
    },
    nested: 0,
  };
  await assertCrashSafe(scribbling);
});

test('a workload that changes nothing is refused for that reason, with a budget too', async () => {
  const idle: CrashTest = { workload: () => undefined, check: () => undefined };
  for (const crashTest of [idle, { ...idle, budget: 10 }]) {
    const { message } = await failureOf(crashTest);
    assert.match(message, /not modelled: .*nothing/i);
    assert.doesNotMatch(message, /budget/);
  }
});

test('a printed error does not spill the whole result', async () => {
  const error = await failureOf(replacing(false));
  assert.ok(error.result !== null && error.result.findings.length > 0);
  assert.doesNotMatch(inspect(error), /certificate:/);
});
