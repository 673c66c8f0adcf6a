import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CorruptionError, UsageError } from '../../../../src/base/errors.ts';
import { acknowledgedLines } from '../../../../src/lab/check/acknowledged-lines.ts';
import type { CrashedDisk, Verdict } from '../../../../src/lab/check/checker.ts';
import { MonotoneOracle } from '../../../../src/lab/check/monotone-oracle.ts';
import { OpensOracle } from '../../../../src/lab/check/opens-oracle.ts';
import { PrefixOracle } from '../../../../src/lab/check/prefix-oracle.ts';
import { ProcessLines } from '../../../../src/lab/check/process-lines.ts';
import type { MarkOperation } from '../../../../src/lab/record/operation.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';

const needsShell =
  process.platform === 'win32' ? 'the commands are written for a POSIX shell' : false;

function marks(...said: [MarkOperation['source'], string][]): MarkOperation[] {
  return said.map(([source, text], index) => {
    const time = { start: 2 * index, end: 2 * index + 1, thread: 0, stack: -1, path: '' };
    return { kind: 'mark', source, text, ...time };
  });
}

function disk(content: string, said: MarkOperation[] = []): CrashedDisk {
  return { root: treeOf({ log: content }), marks: said };
}

function textOf({ root }: CrashedDisk): string {
  const log = root.entries.get('log');
  return log?.kind === 'file' ? new TextDecoder().decode(log.content) : '';
}

async function messageOf(verdict: Verdict | Promise<Verdict>): Promise<string | null> {
  const settled = await verdict;
  return settled.ok ? null : settled.message;
}

test('what was said is cut into lines where they end, and the exit says nothing', () => {
  const said = marks(['stdout', 'a\nb'], ['mark', 'm'], ['stdout', '\r\n\nc'], ['exit', '0']);
  assert.deepEqual(acknowledgedLines(said), ['a', 'm', 'b', '']);
});

const two = marks(['stdout', 'a\n'], ['stdout', 'b\n']);

test('recovery must list what was acknowledged, and then what was written next', async () => {
  const list = (on: CrashedDisk): string[] => textOf(on).split(' ').filter(Boolean);
  const strict = new PrefixOracle({ list, issued: ['a', 'b', 'c', 'd'] });
  for (const content of ['a b', 'a b c', 'a b c d']) {
    assert.equal(await messageOf(strict.check(disk(content, two))), null);
  }
  const wrong: [string, RegExp][] = [
    ['', /acknowledged record 1 is gone: "a"/],
    ['a', /acknowledged record 2 is gone: "b"/],
    ['b a', /record 1 is "b" and was acknowledged as "a"/],
    ['a b d', /record 3 is "d" where "c" was written/],
    ['a b c d e', /record 5 is "e" where nothing was written/],
  ];
  for (const [content, message] of wrong) {
    assert.match((await messageOf(strict.check(disk(content, two)))) ?? '', message);
  }
  const loose = new PrefixOracle({ list });
  assert.equal(await messageOf(loose.check(disk('a b x', two))), null);
  assert.equal(await messageOf(strict.check(disk('', []))), null);
});

test("a list that cannot be read is a violation, and the checker's own error is not", async () => {
  const throwing = (error: unknown): PrefixOracle =>
    new PrefixOracle({
      list: () => {
        throw error;
      },
    });
  const rejecting = (reason: Error): PrefixOracle =>
    new PrefixOracle({ list: () => Promise.reject(reason) });
  const corruption = new CorruptionError({ path: 'log', offset: 3, expected: 'x', found: 'y' });
  for (const make of [throwing, rejecting]) {
    assert.equal(
      await messageOf(make(new Error('bad magic\n  at x')).check(disk(''))),
      'recovery fails: bad magic',
    );
    assert.match((await messageOf(make(corruption).check(disk('')))) ?? '', /damaged at byte 3/);
    const usage = new UsageError('no such option');
    await assert.rejects(async () => await make(usage).check(disk('')), usage);
  }
  const other = new PrefixOracle({ list: () => [], issued: ['x'] });
  assert.throws(() => other.check(disk('', two)), {
    code: 'HOLDFAST_USAGE',
    message: /"a" as record 1/,
  });
});

test('a command can list the records', { skip: needsShell }, async () => {
  const lines = new ProcessLines({ command: 'cat log && test ! -s bad', concurrency: 1 });
  const oracle = new PrefixOracle({ list: (on) => lines.list(on), close: () => lines.close() });
  assert.equal(await messageOf(oracle.check(disk('a\nb\nc', two))), null);
  assert.match((await messageOf(oracle.check(disk('a\n', two)))) ?? '', /record 2 is gone/);
  const damaged = { ...disk('a\nb\n', two), root: treeOf({ log: 'a\nb\n', bad: 'x' }) };
  assert.equal(await messageOf(oracle.check(damaged)), 'recovery fails: b');
  await oracle.close();
  const long = new ProcessLines({ command: 'yes | head -c 70000000' });
  await assert.rejects(long.list(disk('')), { code: 'HOLDFAST_USAGE', message: /64 MiB/ });
  await long.close();
});

test('a counter never goes back behind what was acknowledged, nor beyond what was written', async () => {
  const oracle = new MonotoneOracle({ read: (on) => Number(textOf(on)), highest: 9 });
  const said = marks(['stdout', 'version 6 saved\n'], ['mark', 'no number'], ['exit', '0']);
  assert.equal(await messageOf(oracle.check(disk('6', said))), null);
  assert.equal(await messageOf(oracle.check(disk('9', said))), null);
  assert.equal(await messageOf(oracle.check(disk('0', []))), null);
  assert.equal(
    await messageOf(oracle.check(disk('5', said))),
    'went back to 5 after 6 was acknowledged',
  );
  assert.match((await messageOf(oracle.check(disk('10', said)))) ?? '', /more than the 9/);
  assert.equal(await messageOf(oracle.check(disk('x', said))), 'recovery reads no number');
  const large = new MonotoneOracle({ read: () => Promise.resolve(2n ** 64n) });
  const beyond = marks(['mark', String(2n ** 64n + 1n)]);
  assert.match((await messageOf(large.check(disk('', beyond)))) ?? '', /went back/);
  const failing = new MonotoneOracle({ read: () => BigInt('x') });
  assert.match((await messageOf(failing.check(disk('')))) ?? '', /recovery fails/);
});

test('recovery that throws or never ends does not open', async () => {
  const opens = new OpensOracle({ open: () => 1 });
  assert.deepEqual(opens.check(disk('')), { ok: true });
  const throws = new OpensOracle({
    open: () => {
      throw new Error('no superblock');
    },
  });
  assert.equal(await messageOf(throws.check(disk(''))), 'recovery fails: no superblock');
  const rejects = new OpensOracle({ open: () => Promise.reject(new Error('locked')) });
  assert.equal(await messageOf(rejects.check(disk(''))), 'recovery fails: locked');
  const hangs = new OpensOracle({ open: () => new Promise(() => undefined), timeLimitMs: 20 });
  assert.equal(await messageOf(hangs.check(disk(''))), 'recovery did not end within 20 ms');
});
