/** `holdfast dump` and `holdfast verify` on logs; what they say of each golden log is in `test/golden/log`. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { commandTable } from '../../src/cli/command-table.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { encodeBatch } from '../../src/wal/batch-format.ts';
import { BytesPayload, framed } from '../../src/wal/log-framing.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testContext, type TestContext } from '../support/test-context.ts';

async function run(cwd: string, ...words: string[]): Promise<{ code: number; said: TestContext }> {
  const said = testContext({ cwd });
  return { code: await runCli(words, said, commandTable, '0'), said };
}

/** A log of three records in two segments, closed. */
async function makeLog(directory: string): Promise<void> {
  const log = await WriteAheadLog.open(directory);
  await log.append({ kind: 'put', key: Buffer.from('ключ'), value: Buffer.from([0, 255]) });
  await log.rotate();
  const remove = { kind: 'delete', key: Buffer.from('k') } as const;
  await log.appendBatch([remove, { kind: 'bytes', bytes: Buffer.alloc(100, 'v') }]);
  await log.close();
}

test('dump prints a line for each operation, text as text and bytes as digits', async (t) => {
  const top = temporaryDirectory(t);
  await makeLog(join(top, 'log'));
  const { code, said } = await run(top, 'dump', 'log');
  const lines = said.out.trim().split('\n');
  assert.equal(code, 0);
  assert.match(lines[0] ?? '', /^log\/000001\.log:\d+ put sequence 1 key "ключ" value x00ff$/);
  assert.match(lines[1] ?? '', /^log\/000002\.log:\d+ delete sequence 2 batch 1 of 2 key "k"$/);
  assert.match(lines[2] ?? '', /bytes sequence 3 batch 2 of 2 bytes "v{64}"… \(100 bytes\)$/);
  assert.equal(lines.length, 3);
});

test('dump --json has everything', async (t) => {
  const top = temporaryDirectory(t);
  await makeLog(join(top, 'log'));
  const { said } = await run(top, 'dump', '--json', 'log/000002.log');
  const [, second] = said.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  assert.deepEqual(second, {
    ...second,
    file: 'log/000002.log',
    kind: 'bytes',
    sequence: 3,
    batch: '2 of 2',
    bytes: '76'.repeat(100),
  });
});

test('neither command changes anything', async (t) => {
  const top = temporaryDirectory(t);
  const log = join(top, 'log');
  await makeLog(log);
  writeFileSync(join(log, '000003.log'), 'torn');
  const look = (): string[][] =>
    readdirSync(log).map((name) => [name, readFileSync(join(log, name), 'hex')]);
  const before = look();
  for (const command of ['dump', 'verify']) await run(top, command, 'log');
  assert.deepEqual(look(), before);
});

test('verify tells damage from a torn end, by words and by exit code', async (t) => {
  const top = temporaryDirectory(t);
  const log = join(top, 'log');
  await makeLog(log);
  assert.equal((await run(top, 'verify', 'log')).code, 0);
  const path = join(log, '000002.log');
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes, Buffer.from('torn')]));
  const torn = await run(top, 'verify', 'log');
  assert.equal(torn.code, 3);
  assert.match(torn.said.out, /^torn log\/000002\.log:\d+ 4 bytes that opening cuts off/m);
  bytes[50] = (bytes[50] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const damaged = await run(top, 'verify', '--json', 'log');
  assert.equal(damaged.code, 1);
  const { damage } = JSON.parse(damaged.said.out) as { damage: { file: string }[] };
  assert.equal(damage[0]?.file, 'log/000002.log');
});

test('a log of LevelDB is read by itself, and that it has no watermarks is said', async (t) => {
  const top = temporaryDirectory(t);
  const operation = { kind: 'put', key: Buffer.from('a'), value: Buffer.from('1') } as const;
  writeFileSync(join(top, '5.log'), framed(0, new BytesPayload(encodeBatch(7, [operation]))));
  const { code, said } = await run(top, 'dump', '5.log');
  assert.deepEqual([code, said.out], [0, '5.log:0 put sequence 7 key "a" value "1"\n']);
  assert.match((await run(top, 'verify', '5.log')).said.out, /has no watermarks/);
});

test('a path that is nothing is one clear line and exit code 2', async (t) => {
  const top = temporaryDirectory(t);
  mkdirSync(join(top, 'empty'));
  writeFileSync(join(top, 'text'), 'text');
  for (const [words, message] of [
    [
      ['nothing'],
      /cannot read .*nothing: there is no such file or directory \(HOLDFAST_MISSING\)\n$/,
    ],
    [['empty'], /empty is none of what can be looked into: a directory of a write-ahead log, /],
    [['text'], /text is none of what can be looked into/],
    [[], /^holdfast (dump|verify): [^\n]*\n$/],
  ] as const) {
    for (const command of ['dump', 'verify']) {
      const { code, said } = await run(top, command, ...words);
      assert.deepEqual([code, said.out], [2, '']);
      assert.match(said.err, message);
    }
  }
});

test('a log that has lost its pointer is damaged, for both commands', async (t) => {
  const top = temporaryDirectory(t);
  await makeLog(join(top, 'log'));
  unlinkSync(join(top, 'log', 'holdfast-wal'));
  for (const command of ['verify', 'dump']) {
    const { code, said } = await run(top, command, 'log');
    assert.equal(code, 1, command);
    assert.match(
      said.out + said.err,
      /^damaged log\/holdfast-wal:0 expected the pointer of the log/m,
    );
  }
});
