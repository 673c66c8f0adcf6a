import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';

import { TraceError } from '../../../../src/base/errors.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { CONTENT_PART_BYTES } from '../../../../src/lab/record/trace-format.ts';
import { readTraceFile } from '../../../../src/lab/record/trace-reader.ts';
import { writeTraceFile } from '../../../../src/lab/record/trace-writer.ts';

function traceFile(t: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-trace-'));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  return path.join(directory, 'test.trace');
}

/** One of every operation. */
function everything(): Trace {
  return new TraceBuilder({ files: { a: 'old', 'd/b': '', 'empty/': '' } })
    .create('new')
    .write('new', 0, 'hello', { durable: 'data' })
    .append('a', 'more')
    .truncate('a', 2)
    .allocate('a', 0, 10, 'zero-range')
    .chmod('a', 0o600)
    .failing('EIO')
    .fsync('a')
    .fdatasync('a')
    .mkdir('e')
    .symlink('../anywhere', 'e/link')
    .link('a', 'e/a')
    .rename('new', 'a')
    .rename('a', 'd/b', { exchange: true })
    .unlink('e/a')
    .open('a', 'handle')
    .close('handle')
    .syncAll()
    .mark('saved <&"')
    .print('line ü')
    .unmodelled('io_uring')
    .exit(0)
    .starting('last')
    .write('a', 0, 'x')
    .build();
}

test('a trace reads back as it was written', (t) => {
  const file = traceFile(t);
  const trace = everything();
  writeTraceFile(file, trace);
  assert.deepEqual(readTraceFile(file), trace);
});

test('a content of several parts reads back whole', (t) => {
  const file = traceFile(t);
  const big = new Uint8Array(2 * CONTENT_PART_BYTES + 5).map((_, index) => index % 251);
  const trace = new TraceBuilder({ files: { big } }).build();
  writeTraceFile(file, trace);
  assert.deepEqual(readTraceFile(file), trace);
});

function refusal(file: string): string {
  try {
    readTraceFile(file);
  } catch (error) {
    assert.ok(error instanceof TraceError);
    assert.equal(error.code, 'HOLDFAST_BAD_TRACE');
    assert.ok(error.message.startsWith(file), error.message);
    assert.ok(!error.message.includes('\n'), 'one line');
    return error.message.slice(file.length + 1);
  }
  assert.fail('the trace was read');
}

test('a missing file, a directory, an empty file and other files are told apart from traces', (t) => {
  const file = traceFile(t);
  assert.match(refusal(file), /^cannot be opened: ENOENT/);
  assert.match(refusal(path.dirname(file)), /^cannot be read: EISDIR/);
  for (const content of ['', '\n', 'hello', 'hello\n', '{"a":1}\n', '[]\n', '\0\x01\x02\n']) {
    fs.writeFileSync(file, content);
    assert.match(
      refusal(file),
      /^is not a Holdfast trace\. Make one with: /,
      JSON.stringify(content),
    );
  }
});

test('a trace of another version says which and what to do', (t) => {
  const file = traceFile(t);
  writeTraceFile(file, everything());
  const text = fs.readFileSync(file, 'utf8').replace('"version":1', '"version":7');
  fs.writeFileSync(file, text);
  assert.match(
    refusal(file),
    /^is a trace of version 7, and this Holdfast reads version 1\. Record/,
  );
});

test('a trace cut at any byte is refused as cut', (t) => {
  const file = traceFile(t);
  writeTraceFile(file, everything());
  const whole = fs.readFileSync(file);
  const firstLine = whole.indexOf(0x0a) + 1;
  fs.writeFileSync(file, whole.subarray(0, -1));
  assert.match(refusal(file), /^is cut after line/);
  for (let length = firstLine; length < whole.byteLength; length += 3) {
    fs.writeFileSync(file, whole.subarray(0, length));
    assert.match(
      refusal(file),
      /^is cut after line \d+: /,
      `${length} of ${whole.byteLength} bytes`,
    );
  }
});

test('a changed bit anywhere after the first line is refused', (t) => {
  const file = traceFile(t);
  writeTraceFile(file, everything());
  const whole = fs.readFileSync(file);
  // Every byte of the last lines, which say what is whole; every eleventh before.
  const lastPart = whole.byteLength - 250;
  for (let at = whole.indexOf(0x0a); at < whole.byteLength; at += at < lastPart ? 11 : 1) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0x02;
    fs.writeFileSync(file, damaged);
    assert.ok(refusal(file).length > 0, `byte ${at}`);
  }
});

/** Rewrites the lines and the end line so that counts and digest fit again. */
function forge(t: TestContext, falsify: (trace: Trace) => Trace): string {
  const file = traceFile(t);
  writeTraceFile(file, falsify(everything()));
  return file;
}

test('a name that no file system has room for is named as too long', (t) => {
  const file = forge(t, (trace) => ({
    ...trace,
    operations: trace.operations.map((operation) =>
      operation.kind === 'create' && operation.name === 'new'
        ? { ...operation, name: 'n'.repeat(300) }
        : operation,
    ),
  }));
  assert.match(refusal(file), /name "n{20}"… of 300 characters is longer than a name can be/);
});

test('names that lead elsewhere are refused even in a trace whose digest is right', (t) => {
  for (const name of ['..', '.', '', 'a/b', '/etc/passwd', 'a\0b']) {
    const file = forge(t, (trace) => ({
      ...trace,
      operations: trace.operations.map((operation) =>
        operation.kind === 'create' && operation.name === 'new'
          ? { ...operation, name }
          : operation,
      ),
    }));
    assert.match(refusal(file), /^is damaged at line \d+: name cannot be a file's name/, name);
    const initial = forge(t, (trace) => ({
      ...trace,
      initial: trace.initial.map((inode) =>
        inode.node === 'directory' && inode.inode === 1
          ? { ...inode, entries: inode.entries.map(([, child]) => [name, child] as const) }
          : inode,
      ),
    }));
    assert.match(refusal(initial), /^is damaged at line \d+: entry cannot be a file's name/, name);
  }
});

test('references to inodes, contents and stacks that are not there are refused', (t) => {
  const cases: [RegExp, (trace: Trace) => Trace][] = [
    [/is no file/, (trace) => change(trace, 'write', { inode: 1 })],
    [/inode 999 is missing/, (trace) => change(trace, 'sync', { inode: 999 })],
    [/is no directory/, (trace) => change(trace, 'rename', { toDirectory: 999 })],
    [/stack 99 is missing/, (trace) => change(trace, 'sync', { stack: 99 })],
    [/content of 5/, (trace) => change(trace, 'write', { length: 4 })],
    [/the time/, (trace) => change(trace, 'mark', { start: 1 })],
    [/the root directory is missing/, (trace) => ({ ...trace, initial: [] })],
    [/is created twice/, (trace) => change(trace, 'create', { inode: 2 })],
  ];
  for (const [expected, forged] of cases) assert.match(refusal(forge(t, forged)), expected);
});

/** The trace with fields of the first operation of a kind replaced. */
function change(trace: Trace, kind: string, fields: Record<string, unknown>): Trace {
  let done = false;
  const operations = trace.operations.map((operation) => {
    if (operation.kind !== kind || done) return operation;
    done = true;
    return { ...operation, ...fields };
  });
  assert.ok(done);
  return { ...trace, operations };
}

test('a directory with two names is refused, so no tree has a circle', (t) => {
  const file = forge(t, (trace) => ({
    ...trace,
    initial: trace.initial.map((inode) =>
      inode.node === 'directory' && inode.inode === 1
        ? { ...inode, entries: [...inode.entries, ['again', 1] as const] }
        : inode,
    ),
  }));
  assert.match(refusal(file), /directory 1 has two names/);
});
