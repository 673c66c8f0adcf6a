import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Operation } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

function brief(operation: Operation): string {
  const { kind, path } = operation;
  const failed = operation.error === undefined ? '' : ` ${operation.error}`;
  return `${kind} ${path}${failed}`;
}

test('an atomic replace becomes create, write, sync, rename and directory sync on inodes', () => {
  const trace = new TraceBuilder({ files: { 'a.json': 'old' } })
    .create('tmp')
    .write('tmp', 0, 'new')
    .fsync('tmp')
    .rename('tmp', 'a.json')
    .fsync('.')
    .mark('saved')
    .exit()
    .build();
  assert.deepEqual(trace.operations.map(brief), [
    'create tmp',
    'write tmp',
    'sync tmp',
    'rename a.json',
    'sync .',
    'mark ',
    'mark ',
  ]);
  const [create, write, , rename, directorySync] = trace.operations;
  assert.ok(create?.kind === 'create' && write?.kind === 'write' && rename?.kind === 'rename');
  assert.equal(write.inode, create.inode);
  assert.equal(rename.inode, create.inode);
  const old = trace.initial.find((node) => node.node === 'file');
  assert.equal(rename.replaced, old?.inode);
  assert.ok(directorySync?.kind === 'sync' && directorySync.inode === 1);
  assert.equal(new TextDecoder().decode(trace.contents.get(write.content)), 'new');
});

test('every call has the line of its step, or the one it was given', () => {
  const trace = new TraceBuilder().create('a').from('lib.js', 77, 'save').fsync('a').build();
  const lines = trace.operations.map(({ stack }) => trace.stacks[stack]?.[0]);
  assert.equal(lines[0]?.line, 1);
  assert.deepEqual(lines[1], { function: 'save', file: 'lib.js', line: 77, column: 1 });
});

test('a call that was started and not ended overlaps what follows', () => {
  const trace = new TraceBuilder({ files: { a: '' } })
    .starting('w')
    .write('a', 0, 'x')
    .fsync('a')
    .end('w')
    .build();
  const [write, sync] = trace.operations;
  assert.ok(write?.kind === 'write' && sync?.kind === 'sync');
  assert.ok(write.start < sync.start);
  assert.ok(write.end !== null && sync.end !== null && write.end > sync.end);
});

test('a call that never returned has no end', () => {
  const trace = new TraceBuilder({ files: { a: '' } }).starting('w').write('a', 0, 'x').build();
  assert.equal(trace.operations[0]?.end, null);
});

test('a handle still reaches a file that lost its name', () => {
  const trace = new TraceBuilder({ files: { a: 'x' } })
    .open('a', 'handle')
    .unlink('a')
    .write('handle', 1, 'y')
    .close('handle')
    .build();
  const [unlink, write, close] = trace.operations;
  assert.ok(unlink?.kind === 'unlink' && write?.kind === 'write' && close?.kind === 'close');
  assert.equal(write.inode, unlink.inode);
  assert.equal(close.inode, unlink.inode);
});

test('appends follow the size, failures and short writes are kept as they were', () => {
  const trace = new TraceBuilder({ files: { log: 'ab' } })
    .append('log', 'cd')
    .write('log', 4, 'efgh', { written: 2, durable: 'data' })
    .append('log', 'x')
    .failing('EIO')
    .fsync('log')
    .build();
  const [first, second, third, sync] = trace.operations;
  assert.ok(first?.kind === 'write' && second?.kind === 'write' && third?.kind === 'write');
  assert.deepEqual([first.offset, second.offset, third.offset], [2, 4, 6]);
  assert.deepEqual([second.length, second.durable], [2, 'data']);
  assert.equal(sync?.error, 'EIO');
});

test('writeFile over a file truncates it first, over an empty or new one it does not', () => {
  const trace = new TraceBuilder({ files: { full: 'x', empty: '' } })
    .writeFile('full', '1')
    .writeFile('empty', '2')
    .writeFile('made', '3')
    .build();
  assert.deepEqual(trace.operations.map(brief), [
    'truncate full',
    'write full',
    'close full',
    'write empty',
    'close empty',
    'create made',
    'write made',
    'close made',
  ]);
});
