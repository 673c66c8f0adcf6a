import assert from 'node:assert/strict';
import { test } from 'node:test';

import { appendOrder } from '../../../../src/lab/record/append-order.ts';
import type { Operation, Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

/** Paths and lengths as they can have come, and of each settled write what it came after. */
function told(trace: Trace): string[] {
  const { sequence, settled } = appendOrder(trace);
  const name = (index: number): string => {
    const operation = trace.operations[index];
    return operation?.kind === 'write' ? `${operation.length}` : (operation?.kind ?? '');
  };
  return sequence.map((index) => {
    const after = settled.get(index)?.after.map(name).toSorted() ?? [];
    return [name(index), ...(after.length > 0 ? ['after', ...after] : [])].join(' ');
  });
}

function builder(): TraceBuilder {
  return new TraceBuilder({ files: { log: 'old', other: '' } });
}

function changed(trace: Trace, change: (operation: Operation) => Operation): Trace {
  return { ...trace, operations: trace.operations.map(change) };
}

test('of two appends that overlap the one with the lower place came first, whichever began first', () => {
  const later = builder().starting('a').append('log', 'A').append('log', 'BB').end('a').build();
  assert.deepEqual(told(later), ['2', '1 after 2']);
  const earlier = builder().starting('a').append('log', 'A').starting('b').append('log', 'BB');
  assert.deepEqual(told(earlier.end('a').end('b').build()), ['1', '2 after 1']);
});

test('three appends in one another come in the order of their places', () => {
  const trace = builder()
    .starting('a')
    .append('log', 'A')
    .starting('b')
    .append('log', 'BB')
    .append('log', 'CCC')
    .end('b')
    .end('a')
    .build();
  assert.deepEqual(told(trace), ['3', '2 after 3', '1 after 2 3']);
});

test('a write that ends behind the place of an append came after it', () => {
  const trace = builder().starting('w').write('log', 1, 'WWW').append('log', 'AA').end('w').build();
  assert.deepEqual(told(trace), ['2', '3 after 2']);
});

test('a write that alone made the file as long as an append found it came before', () => {
  const trace = builder().starting('a').append('log', 'A').write('log', 3, 'WW').end('a').build();
  assert.deepEqual(told(trace), ['2', '1 after 2']);
});

test('a write in front of an append may have come before it or after', () => {
  const trace = builder().starting('a').append('log', 'A').write('log', 1, 'WW').end('a').build();
  assert.deepEqual(told(trace), ['1', '2']);
});

test('nothing is told of writes to places that were asked for, nor of a trace without the word', () => {
  const written = builder().starting('w').write('log', 3, 'W').write('log', 4, 'XX').end('w');
  assert.deepEqual(told(written.build()), ['1', '2']);
  const trace = builder().starting('a').append('log', 'A').append('log', 'BB').end('a').build();
  const older = changed(trace, (operation) => {
    if (operation.kind !== 'write') return operation;
    const { append: _, ...rest } = operation;
    return rest;
  });
  assert.deepEqual(told(older), ['1', '2']);
});

test('nothing is told of appends to two files, of one that failed, or beside a truncation', () => {
  const two = builder().starting('a').append('log', 'A').append('other', 'BB').end('a').build();
  assert.deepEqual(told(two), ['1', '2']);
  const failed = builder().starting('a').append('log', 'A').failing('EIO').append('log', 'BB');
  assert.deepEqual(told(failed.end('a').build()), ['1', '2']);
  const cut = builder().starting('a').append('log', 'A').append('log', 'BB').truncate('log', 1);
  assert.deepEqual(told(cut.end('a').build()), ['1', '2', 'truncate']);
});

test('nothing is told of places that cannot be at their times', () => {
  const trace = builder()
    .starting('b')
    .append('log', 'BB')
    .append('log', 'CCC')
    .starting('a')
    .append('log', 'A')
    .end('b')
    .end('a')
    .build();
  // One after the other they lie at 3, 6 and 8: the last to begin cannot have come first.
  const places: Record<number, number> = { 1: 3, 2: 4, 3: 6 };
  const wrong = changed(trace, (operation) =>
    operation.kind === 'write'
      ? { ...operation, offset: places[operation.length] ?? 0 }
      : operation,
  );
  assert.deepEqual(told(wrong), ['2', '3', '1']);
});

test('a write that came after another one began no sooner than that', () => {
  const trace = builder()
    .starting('a')
    .append('log', 'A')
    .starting('b')
    .append('log', 'BB')
    .end('b')
    .starting('c')
    .append('log', 'CCC')
    .end('a')
    .build();
  const { settled } = appendOrder(trace);
  const [, b, c] = trace.operations;
  assert.deepEqual(settled.get(0), { start: b?.start, after: [1] });
  assert.deepEqual(settled.get(2), { start: c?.start, after: [0] });
  assert.equal(settled.size, 2);
});
