import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NamespaceTracker } from '../../../../src/lab/record/namespace-tracker.ts';
import type { Operation, Trace } from '../../../../src/lab/record/operation.ts';
import { snapshotFileTree } from '../../../../src/lab/record/root-snapshot.ts';
import {
  READ_FLAGS,
  type CallResult,
  type OpenFlags,
  type SystemCall,
} from '../../../../src/lab/record/system-call.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';
import { checkTrace } from '../../../../src/lab/record/trace-check.ts';
import { TraceCollector } from '../../../../src/lab/record/trace-collector.ts';
import type { PendingCall } from '../../../../src/lab/record/tracker-context.ts';

/** A tracker of `/home/root`, with a process that stands there, and short ways to make calls. */
class Calls {
  readonly collector = new TraceCollector();
  readonly tracker: NamespaceTracker;

  constructor(
    files: Readonly<Record<string, string>> = {},
    realOutside: (path: string) => string = (path) => path,
  ) {
    const sink = this.collector;
    this.tracker = new NamespaceTracker({ rootPath: '/home/root', sink, realOutside });
    snapshotFileTree(treeOf(files), this.tracker.tree, sink);
    this.tracker.addProcess(1, '/home/root');
  }

  begin(call: SystemCall, process = 1): PendingCall {
    return this.tracker.begin({ process, thread: 0, stack: -1 }, call);
  }

  run(call: SystemCall, result: CallResult = { value: 0 }, process = 1): void {
    this.tracker.end(this.begin(call, process), result);
  }

  open(path: string, fd: number, flags: Partial<OpenFlags> = {}, process = 1): void {
    const all: OpenFlags = { ...READ_FLAGS, write: true, ...flags };
    this.run({ call: 'open', at: { path }, flags: all, mode: 0o644 }, { value: fd }, process);
  }

  write(fd: number, text: string, position: number | null = null, process = 1): void {
    const data = Buffer.from(text);
    this.run({ call: 'write', fd, position, data }, { value: data.byteLength }, process);
  }

  close(fd: number, process = 1): void {
    this.run({ call: 'close', fd }, { value: 0 }, process);
  }

  get trace(): Trace {
    const { ignoredOutside } = this.tracker;
    const trace = this.collector.trace({ command: [], root: '/home/root', ignoredOutside });
    assert.equal(checkTrace(trace), null);
    return trace;
  }

  get told(): string[] {
    return this.trace.operations.map((operation) => tell(operation));
  }
}

function tell(operation: Operation): string {
  const { kind, path, error = '' } = operation;
  if (kind === 'write') {
    const what = operation.append === true ? 'append' : kind;
    return `${what} ${path} ${operation.offset}+${operation.length} ${error}`.trim();
  }
  if (kind === 'unmodelled') return operation.what;
  return `${kind} ${path} ${error}`.trim();
}

const REPLACING = { create: true, truncate: true };

test('paths are followed through links, dots and the outside', () => {
  const calls = new Calls({ 'd/e/f': 'x', g: '' });
  calls.run({ call: 'symlink', target: 'd/e', at: { path: 'in' } });
  calls.run({ call: 'symlink', target: '/home/root/d', at: { path: 'd/absolute' } });
  calls.run({ call: 'symlink', target: '../..', at: { path: 'd/out' } });
  calls.run({ call: 'symlink', target: 'loop', at: { path: 'loop' } });
  const places = ['in/f', 'in/../e/f', 'd/absolute/e/f', './d//e/./f', '/home/root/d/e/f'];
  places.push('../root/d/e/f', 'd/out/root/in/f', '/home/../home/root/in/../../d/e/f');
  for (const [index, path] of places.entries()) {
    calls.open(path, 3);
    calls.write(3, 'y', index);
    calls.close(3);
  }
  assert.equal(calls.told.filter((line) => line.startsWith('write d/e/f ')).length, places.length);
  calls.open('d/out/elsewhere', 4, REPLACING);
  calls.open('/home/rootless', 5, REPLACING);
  assert.equal(calls.trace.ignoredOutside, 2);
  calls.run({ call: 'unlink', at: { path: 'loop/x' }, directory: false }, { error: 'ELOOP' });
  assert.ok(!calls.told.some((line) => line.startsWith('unlink')));
});

test('a link outside that leads into the root is followed, to a directory and to a file', () => {
  const real = new Map([
    ['/links/root', '/home/root'],
    ['/links/d', '/home/root/d'],
    ['/links/file', '/home/root/d/f'],
  ]);
  const calls = new Calls({ 'd/f': 'x' }, (path) => real.get(path) ?? path);
  for (const path of ['/links/root/d/f', '/links/d/f', '/links/file']) {
    calls.open(path, 3, { truncate: true });
    calls.write(3, 'x', 0);
  }
  assert.equal(calls.told.filter((line) => line === 'write d/f 0+1').length, 3);
});

test('offsets follow writes, reads and seeks, and are shared by what dup and fork share', () => {
  const calls = new Calls({ f: '0123456789' });
  calls.open('f', 3, { closeOnExec: false });
  calls.write(3, 'ab');
  calls.run({ call: 'read', fd: 3 }, { value: 2 });
  calls.run({ call: 'dup', fd: 3, closeOnExec: true }, { value: 7 });
  calls.write(7, 'c');
  calls.tracker.fork(1, 2, { files: false, directory: false });
  calls.write(3, 'd', null, 2);
  calls.close(3, 2);
  calls.run({ call: 'seek', fd: 7 }, { value: 1 }, 2);
  calls.write(3, 'e');
  calls.write(3, 'at nine', 9);
  calls.write(3, 'f');
  assert.deepEqual(
    calls.told,
    ['0+2', '4+1', '5+1', '1+1', '9+7', '2+1'].map((place) => `write f ${place}`),
  );
});

test('threads share descriptors and the working directory, forked processes have their own', () => {
  const calls = new Calls({ 'd/': '' });
  calls.tracker.fork(1, 2, { files: true, directory: true });
  calls.tracker.fork(1, 3, { files: false, directory: false });
  calls.run({ call: 'chdir', at: { path: 'd' } }, { value: 0 }, 2);
  calls.open('thread', 5, { create: true });
  calls.open('process', 5, { create: true }, 3);
  calls.write(5, 'x', null, 2);
  calls.write(5, 'x', null, 3);
  assert.deepEqual(calls.told, [
    'create d/thread',
    'create process',
    'write d/thread 0+1',
    'write process 0+1',
  ]);
});

test('the last close of a description is told, whoever makes it', () => {
  const calls = new Calls({ f: '' });
  calls.open('f', 3, { closeOnExec: true });
  calls.tracker.fork(1, 2, { files: false, directory: false });
  calls.tracker.fork(1, 4, { files: false, directory: false });
  calls.close(3);
  calls.tracker.exec(2);
  assert.deepEqual(calls.told, []);
  calls.close(3, 4);
  assert.deepEqual(calls.told, ['close f']);
  calls.open('f', 3);
  calls.open('f', 4, { write: false });
  calls.run({ call: 'dup', fd: 4, closeOnExec: false }, { value: 3 });
  calls.close(3);
  calls.close(4);
  assert.deepEqual(calls.told, ['close f', 'close f']);
});

test('a descriptor that is used again while its close is under way stays with the new file', () => {
  const calls = new Calls({ f: '', g: '' });
  calls.open('f', 3);
  const closing = calls.begin({ call: 'close', fd: 3 });
  calls.open('g', 3);
  calls.tracker.end(closing, { value: 0 });
  calls.write(3, 'x');
  assert.deepEqual(calls.told, ['close f', 'write g 0+1']);
});

test('appends go to the end wherever they were asked to go', () => {
  const calls = new Calls({ f: 'abc' });
  calls.open('f', 3, { append: true });
  calls.open('f', 4);
  calls.write(3, 'd');
  calls.write(4, 'x'.repeat(10));
  calls.write(3, 'e', 0);
  calls.run({ call: 'truncate', at: { fd: 4 }, size: 2 });
  calls.write(3, 'f');
  assert.deepEqual(calls.told, [
    'append f 3+1',
    'write f 0+10',
    'append f 10+1',
    'truncate f',
    'append f 2+1',
  ]);
});

test('a file without a name gets one by link', () => {
  const calls = new Calls();
  calls.open('.', 3, { temporary: true });
  calls.write(3, 'x');
  calls.run({ call: 'link', from: { fd: 3 }, to: { path: 'named' } });
  calls.open('named', 4);
  calls.write(4, 'y', 1);
  const [create, , link, write] = calls.trace.operations;
  assert.ok(create?.kind === 'create' && link?.kind === 'link' && write?.kind === 'write');
  assert.equal(create.name, null);
  assert.equal(link.inode, create.inode);
  assert.equal(write.inode, create.inode);
});

test('renames replace, exchange, and do nothing between names of one file', () => {
  const calls = new Calls({ a: 'a', b: 'b', 'd/x': 'x' });
  const from = { path: 'a' };
  calls.run({ call: 'rename', from, to: { path: 'b' }, exchange: true });
  calls.run({ call: 'link', from, to: { path: 'c' } });
  calls.run({ call: 'rename', from, to: { path: 'c' } });
  calls.run({ call: 'rename', from, to: { path: 'd/x' } });
  calls.run({ call: 'rename', from: { path: 'd' }, to: { path: 'e' } });
  calls.open('e/x', 3);
  calls.write(3, 'y');
  const { operations, initial } = calls.trace;
  const renames = operations.filter((operation) => operation.kind === 'rename');
  const [exchange, replace] = renames;
  assert.equal(renames.length, 3);
  assert.equal(exchange?.exchange, true);
  assert.equal(replace?.inode, exchange.replaced, 'what was b has the name a now');
  assert.ok(initial.some((node) => node.inode === replace?.replaced));
  const last = operations.at(-1);
  assert.ok(last?.kind === 'write' && last.inode === replace.inode && last.path === 'e/x');
});

test('what comes from outside or was never recorded is named once and taken in', () => {
  const calls = new Calls({ 'd/x': '' });
  calls.run({ call: 'rename', from: { path: '/tmp/file' }, to: { path: 'in' } });
  calls.open('in', 3);
  calls.write(3, 'x');
  calls.open('unseen', 4);
  calls.run({ call: 'rename', from: { path: 'd' }, to: { path: '/tmp/d' } });
  calls.run({ call: 'link', from: { path: 'in' }, to: { path: '/tmp/name' } });
  for (const what of ['io_uring', 'io_uring']) calls.run({ call: 'unmodelled', what });
  assert.deepEqual(calls.told, [
    'a file renamed into the root from outside: in',
    'create in',
    'write in 0+1',
    'a change that was not recorded: unseen',
    'create unseen',
    'a directory renamed out of the root: d',
    'unlink d',
    'a name outside the root for a file in it: in',
    'io_uring',
  ]);
});

test('failures that say something of the disk are kept, failed lookups are not', () => {
  const calls = new Calls({ f: 'x', 'd/': '' });
  calls.open('f', 3);
  calls.open('d', 4, { write: false });
  const data = Buffer.from('abc');
  calls.run({ call: 'write', fd: 3, position: 0, data }, { error: 'ENOSPC' });
  calls.run({ call: 'sync', fd: 3, scope: 'data' }, { error: 'EIO' });
  calls.run({ call: 'sync', fd: 4, scope: 'all' }, { error: 'EIO' });
  calls.run({ call: 'sync', fd: 9, scope: 'all' }, { error: 'EBADF' });
  calls.run({ call: 'truncate', at: { fd: 4 }, size: 1 }, { error: 'EINVAL' });
  calls.run({ call: 'rename', from: { path: 'no' }, to: { path: 'x' } }, { error: 'ENOENT' });
  calls.run({ call: 'mkdir', at: { path: 'd' }, mode: 0o755 }, { error: 'EEXIST' });
  calls.run({ call: 'close', fd: 3 }, { error: 'EIO' });
  calls.write(3, 'the descriptor is gone all the same');
  assert.deepEqual(calls.told, ['write f 0+3 ENOSPC', 'sync f EIO', 'sync d EIO', 'close f EIO']);
});

test('mkdir -p makes what is missing, in order and in the time of the call', () => {
  const calls = new Calls({ 'a/': '' });
  calls.run({ call: 'mkdir', at: { path: 'a/b/c/d' }, mode: 0o700, recursive: true });
  calls.run({ call: 'mkdir', at: { path: 'a/b' }, mode: 0o700, recursive: true });
  assert.deepEqual(calls.told, ['create a/b', 'create a/b/c', 'create a/b/c/d']);
  const times = calls.trace.operations.flatMap(({ start, end }) => [start, end ?? 0]);
  assert.deepEqual(
    times,
    times.toSorted((one, other) => one - other),
  );
});
