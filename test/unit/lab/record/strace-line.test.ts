import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { StraceArgument } from '../../../../src/lab/record/strace-arguments.ts';
import { parseLine } from '../../../../src/lab/record/strace-line.ts';

const A = String.raw`\x61`;

function argumentsOf(line: string): readonly StraceArgument[] {
  const parsed = parseLine(line);
  assert.ok(parsed.kind === 'call' || parsed.kind === 'resumed', line);
  return parsed.args;
}

test('strings are bytes, descriptors keep what they have open', () => {
  const line = `12 write(3<\\x2f\\x61>, "\\x00\\x22\\x0a", 3) = 3`;
  const [fd, data, count] = argumentsOf(line);
  assert.equal(Number.parseInt(fd?.text ?? '', 10), 3);
  assert.equal(fd?.opened, '/a');
  assert.deepEqual([...(data?.bytes ?? [])], [0, 0x22, 0x0a]);
  assert.equal(count?.text, '3');
});

test('a file without a name, a device and a connection do not end the arguments', () => {
  for (const fd of [`3<${A}>(deleted)`, `3<${A}<char 1:3>>`, '3<TCP:[1.2.3.4:5->6.7.8.9:10]>']) {
    const args = argumentsOf(`12 write(${fd}, "${A}", 1) = 1`);
    assert.equal(args.length, 3, fd);
    assert.equal(Buffer.from(args[1]?.bytes ?? []).toString(), 'a');
  }
});

test('a truncated string says so', () => {
  assert.equal(argumentsOf(`12 write(3<${A}>, "${A}"..., 900) = 900`)[1]?.truncated, true);
});

test('vectors and structures are read to any depth', () => {
  const line = `12 writev(3, [{iov_base="${A}", iov_len=1}, {iov_base="${A}${A}", iov_len=2}], 2) = 3`;
  const [, vector] = argumentsOf(line);
  const texts = vector?.list?.map((part) => part.fields?.get('iov_base')?.bytes?.byteLength);
  assert.deepEqual(texts, [1, 2]);
  const message = `12 sendmsg(3, {msg_name=NULL, msg_iov=[{iov_base="${A}", iov_len=1}], msg_flags=0}, 0) = 1`;
  assert.equal(argumentsOf(message)[1]?.fields?.get('msg_iov')?.list?.length, 1);
});

test('what a call made of an argument does not shift the others', () => {
  const args = argumentsOf(`12 copy_file_range(3<${A}>, [0] => [5], 4<${A}>, NULL, 5, 0) = 5`);
  assert.equal(args.length, 6);
  assert.equal(args[3]?.text, 'NULL');
});

test('results are numbers in any base, errors, or missing', () => {
  const results: [string, unknown][] = [
    ['= 3', { value: 3 }],
    ['= 0x10', { value: 16 }],
    [`= 3<${A}>`, { value: 3 }],
    ['= -1 EIO (Input/output error)', { value: null, error: 'EIO' }],
    [
      '= ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
      { value: null, error: 'ERESTARTSYS' },
    ],
    ['= ?', { value: null }],
    ['= 0x8002 (flags O_RDWR|O_LARGEFILE)', { value: 0x8002 }],
  ];
  for (const [text, expected] of results) {
    const line = parseLine(`12 fcntl(3, F_GETFL) ${text}`);
    assert.ok(line.kind === 'call');
    assert.deepEqual(line.result, expected, text);
  }
});

test('a call that is interrupted by another line has a beginning and an end', () => {
  const begin = parseLine(`12 fsync(3<${A}> <unfinished ...>`);
  assert.ok(begin.kind === 'call');
  assert.equal(begin.result, null);
  assert.equal(begin.args.length, 1);
  const end = parseLine('12 <... fsync resumed>)              = -1 EIO (Input/output error)');
  assert.ok(end.kind === 'resumed');
  assert.deepEqual([end.name, end.result.error], ['fsync', 'EIO']);
});

test('ends of processes, frames of stacks, and lines that mean nothing here', () => {
  assert.deepEqual(parseLine('12 +++ exited with 3 +++'), { kind: 'exited', pid: 12, code: 3 });
  assert.deepEqual(parseLine('12 +++ killed by SIGKILL (core dumped) +++'), {
    kind: 'killed',
    pid: 12,
    signal: 'SIGKILL',
  });
  assert.deepEqual(parseLine('12 +++ superseded by execve in pid 13 +++'), {
    kind: 'superseded',
    pid: 12,
    by: 13,
  });
  assert.deepEqual(parseLine(' > /usr/lib/libc.so.6(__write+0x14) [0x10e]'), {
    kind: 'frame',
    file: '/usr/lib/libc.so.6',
    symbol: '__write+0x14',
  });
  for (const line of ['', 'strace: something', '12 --- SIGCHLD {si_signo=SIGCHLD} ---', '12 ???']) {
    assert.deepEqual(parseLine(line), { kind: 'other' }, line);
  }
});
