import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { CrashedDisk, Verdict } from '../../../../src/lab/check/checker.ts';
import { ProcessChecker } from '../../../../src/lab/check/process-checker.ts';
import { printable } from '../../../../src/lab/check/printable.ts';
import { validateChecker } from '../../../../src/lab/check/validate-checker.ts';
import type { MarkOperation } from '../../../../src/lab/record/operation.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';
import { temporaryDirectory, type TestScope } from '../../../support/temporary-directory.ts';

const needsShell =
  process.platform === 'win32' ? 'the commands are written for a POSIX shell' : false;

function mark(source: MarkOperation['source'], text: string): MarkOperation {
  return { kind: 'mark', source, text, start: 1, end: 2, thread: 0, stack: -1, path: '' };
}

function disk(files: Record<string, string>, marks: readonly MarkOperation[] = []): CrashedDisk {
  return { root: treeOf(files), marks };
}

/** Everything temporary goes below a directory of the test, so that what is left behind can be seen. */
function scratch(context: TestScope): string {
  const path = temporaryDirectory(context);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = path;
  context.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  return path;
}

function checker(
  context: TestScope,
  command: string | readonly string[],
  timeLimitMs = 30_000,
): ProcessChecker {
  const made = new ProcessChecker({ command, timeLimitMs, concurrency: 1 });
  context.after(() => void made.close());
  return made;
}

async function messageOf(verdict: Verdict | Promise<Verdict>): Promise<string> {
  const { ok, ...rest } = await verdict;
  assert.equal(ok, false);
  return 'message' in rest ? rest.message : '';
}

test(
  'a command passes by exit code 0, in a directory that holds the disk',
  { skip: needsShell },
  async (context) => {
    const base = scratch(context);
    const passes = checker(
      context,
      'test "$(cat a)" = 1 && test "$(cat "$HOLDFAST_STATE/d/b")" = 2 && test "$PWD" = "$HOLDFAST_STATE"',
    );
    assert.deepEqual(await passes.check(disk({ a: '1', 'd/b': '2' })), { ok: true });
    assert.equal((await passes.check(disk({ a: '1', 'd/b': '3' }))).ok, false);
    await passes.close();
    assert.deepEqual(readdirSync(base), []);
  },
);

test('a list of arguments is run without a shell', async (context) => {
  scratch(context);
  const script = 'process.exit(process.argv[1] === "$HOME *" ? 0 : 1)';
  const direct = checker(context, [process.execPath, '-e', script, '$HOME *']);
  assert.deepEqual(await direct.check(disk({})), { ok: true });
});

test(
  'HOLDFAST_ACKS holds the standard output up to the crash, outside the state',
  { skip: needsShell },
  async (context) => {
    scratch(context);
    const acks = checker(
      context,
      'cat "$HOLDFAST_ACKS" | od -c >&2; ls -a; cat "$HOLDFAST_ACKS" | tr "\\n" "|" >&2; exit 1',
    );
    const marks = [
      mark('stdout', 'one\n'),
      mark('mark', 'not printed'),
      mark('stdout', 'tw'),
      mark('stdout', 'o\n'),
      mark('exit', '0'),
    ];
    assert.equal(await messageOf(acks.check(disk({}, marks))), 'one|two|');
    assert.match(await messageOf(acks.check(disk({}, marks.slice(0, 1)))), /one\|$/);
    const inside = checker(
      context,
      'case "$HOLDFAST_ACKS" in "$HOLDFAST_STATE"*) exit 1;; esac; test -z "$(ls -A)"',
    );
    assert.deepEqual(await inside.check(disk({}, marks)), { ok: true });
  },
);

test(
  'the message is the last line of standard error, or else of standard output',
  { skip: needsShell },
  async (context) => {
    scratch(context);
    const cases: [string, string][] = [
      ['echo out; echo first >&2; echo "last one" >&2; echo >&2; exit 1', 'last one'],
      ['echo first; echo last; exit 7', 'last'],
      ['exit 7', 'exit code 7 without a message'],
      ['echo dying >&2; kill -SEGV $$', 'was killed by SIGSEGV: dying'],
      ['printf "\\033[31mred\\033[0m\\a\\tline" >&2; exit 1', 'red  line'],
      ['yes | head -c 3000000; echo end; exit 1', 'end'],
      ['head -c 1000000 /dev/zero | tr "\\0" x; exit 1', `${'x'.repeat(299)}…`],
    ];
    for (const [command, message] of cases) {
      assert.equal(await messageOf(checker(context, command).check(disk({}))), message, command);
    }
  },
);

test(
  'a command that hangs is a violation, and its whole process group is killed',
  { skip: needsShell },
  async (context) => {
    scratch(context);
    const outside = temporaryDirectory(context);
    const pids = join(outside, 'pids');
    const hangs = checker(context, `sleep 1000 & echo $! > ${pids}; echo waiting >&2; wait`, 300);
    assert.equal(await messageOf(hangs.check(disk({}))), 'did not end within 300 ms: waiting');
    const pid = Number(readFileSync(pids, 'utf8'));
    assert.equal(await isGone(pid), true);
  },
);

test(
  'a process left in the background by a command that passed is killed',
  { skip: needsShell },
  async (context) => {
    scratch(context);
    const pids = join(temporaryDirectory(context), 'pids');
    const leaves = checker(context, `sleep 1000 & echo $! > ${pids}`);
    assert.deepEqual(await leaves.check(disk({})), { ok: true });
    assert.equal(await isGone(Number(readFileSync(pids, 'utf8'))), true);
  },
);

test(
  'what one run does to its directory is not seen by the next',
  { skip: needsShell },
  async (context) => {
    scratch(context);
    const messy = checker(
      context,
      'test "$(cat a)" = 1 || exit 1; echo 2 > a; rm -rf d; mkdir new; ln -sf /etc/passwd "$HOLDFAST_ACKS"; chmod 0 .',
    );
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await messy.check(disk({ a: '1', 'd/b': 'x' })), { ok: true });
    }
  },
);

test(
  'several disks are checked at once, each in its own directory',
  { skip: needsShell },
  async (context) => {
    // Each run waits until a second one has begun: alone it would run into its time limit.
    const meeting = temporaryDirectory(context);
    const base = scratch(context);
    const command = `touch ${meeting}/$(cat name); while [ $(ls ${meeting} | wc -l) -lt 2 ]; do sleep 0.01; done`;
    const both = new ProcessChecker({ command, timeLimitMs: 20_000, concurrency: 2 });
    const verdicts = await Promise.all([
      both.check(disk({ name: 'a' })),
      both.check(disk({ name: 'b' })),
      both.check(disk({ name: 'c' })),
    ]);
    assert.deepEqual(verdicts, [{ ok: true }, { ok: true }, { ok: true }]);
    await both.close();
    assert.deepEqual(readdirSync(base), []);
  },
);

test(
  'close ends what is running, and nothing of it becomes a verdict',
  { skip: needsShell },
  async (context) => {
    const base = scratch(context);
    const slow = checker(context, 'sleep 1000');
    const running = slow.check(disk({}));
    const waiting = slow.check(disk({}));
    const both = Promise.all([
      assert.rejects(running, { code: 'HOLDFAST_CLOSED' }),
      assert.rejects(waiting, { code: 'HOLDFAST_CLOSED' }),
    ]);
    setTimeout(() => void slow.close(), 100);
    await both;
    await assert.rejects(slow.check(disk({})), { code: 'HOLDFAST_CLOSED' });
    assert.deepEqual(readdirSync(base), []);
  },
);

test('a tree with a name that leaves the directory is refused, not checked', async (context) => {
  scratch(context);
  const root = treeOf({ a: '1' });
  const entries = new Map([['..', root]]);
  const any = checker(context, 'exit 0');
  await assert.rejects(any.check({ root: { ...root, entries }, marks: [] }), {
    code: 'HOLDFAST_USAGE',
  });
});

test(
  'a checker that is missing, fails, hangs or dies on the undamaged disk is wrong use',
  { skip: needsShell },
  async (context) => {
    scratch(context);
    const first = disk({ a: '1' });
    const last = disk({ a: '2' });
    const cases: [string | readonly string[], RegExp][] = [
      ['no-such-command --check', /no-such-command .*as it was before.*not found.*absolute paths/],
      [['no-such-command', 'x'], /no-such-command x .*cannot be started \(ENOENT\)/],
      [['/'], /cannot be started \(EACCES\)/],
      ['echo broken >&2; exit 1', /as it was before the program ran: broken$/],
      ['grep 1 a', /as the program left it: exit code 1/],
      ['kill -9 $$', /SIGKILL/],
      ['sleep 1000', /did not end within 200 ms/],
    ];
    for (const [command, message] of cases) {
      const wrong = checker(context, command, command === 'sleep 1000' ? 200 : 20_000);
      await assert.rejects(validateChecker(wrong, first, last), {
        code: 'HOLDFAST_USAGE',
        message,
      });
    }
    await validateChecker(checker(context, 'test -e a'), first, last);
  },
);

test(
  'an interrupt removes the directories and ends the commands',
  { skip: needsShell },
  async (context) => {
    const base = temporaryDirectory(context);
    const pids = join(base, 'pids');
    const script = join(base, 'script.mjs');
    const modulePath = fileURLToPath(
      new URL('../../../../src/lab/check/process-checker.js', import.meta.url),
    );
    writeFileSync(
      script,
      `import { ProcessChecker } from ${JSON.stringify(modulePath)};
    const command = 'echo $$ > ${pids}.new; mv ${pids}.new ${pids}; sleep 1000';
    const checker = new ProcessChecker({ command });
    await checker.check({ root: { kind: 'directory', mode: 493, entries: new Map() }, marks: [] });`,
    );
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const temporary = temporaryDirectory(context);
      const child = spawn(process.execPath, [script], {
        env: { ...process.env, TMPDIR: temporary },
        stdio: 'inherit',
      });
      const ended = new Promise<NodeJS.Signals | null>((resolve) =>
        child.on('exit', (_code, by) => resolve(by)),
      );
      while (!existsSync(pids)) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(readdirSync(temporary).length, 1);
      child.kill(signal);
      assert.equal(await ended, signal);
      assert.deepEqual(readdirSync(temporary), []);
      assert.equal(await isGone(Number(readFileSync(pids, 'utf8'))), true);
      spawnSync('rm', [pids]);
    }
  },
);

test('a line to be shown has no escape sequences, and no characters that move or turn text', () => {
  assert.equal(printable('\u001B[2Ka\u202Eb\u0007c\u2028'), 'a b c');
});

async function isGone(pid: number): Promise<boolean> {
  for (let round = 0; round < 200; round++) {
    try {
      process.kill(pid, 0);
      // A zombie that nobody waits for is as good as gone.
      const status = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
      if (status.stdout.startsWith('Z')) return true;
    } catch {
      // ESRCH: there is no such process.
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
