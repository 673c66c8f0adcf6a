import assert from 'node:assert/strict';
import { test } from 'node:test';

import { applyFloors } from '../../../../src/lab/model/sync-floor.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { ChangeHistory } from '../../../../src/lab/model/split-trace.ts';
import { splitTrace } from '../../../../src/lab/model/split-trace.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

function floors(trace: Trace, model: string): ChangeHistory {
  const history = splitTrace(trace, modelByName(model));
  applyFloors(history);
  return history;
}

/** `kind path` of every change and written block that some sync put out of danger. */
function covered(trace: Trace, model: string): string[] {
  const history = floors(trace, model);
  const tell = (index: number, floorEnd: number): string[] => {
    const operation = trace.operations[index];
    return floorEnd === Infinity || operation === undefined
      ? []
      : [`${operation.kind} ${operation.path}`];
  };
  const told = history.changes.flatMap(({ operation, floorEnd }) => tell(operation, floorEnd));
  for (const { blocks } of history.files.values()) {
    for (const { events } of blocks.values()) {
      for (const event of events) told.push(...tell(event.operation, event.floorEnd));
    }
  }
  return [...new Set(told)].toSorted();
}

test('fsync of a new file brings its name on a journaling file system, not under posix', () => {
  const trace = new TraceBuilder().create('a').write('a', 0, 'x').fsync('a').build();
  assert.deepEqual(covered(trace, 'ext4'), ['create a', 'write a']);
  assert.deepEqual(covered(trace, 'posix'), ['write a']);
});

test('fsync of a file brings the stream up to its last change, not what came later', () => {
  const trace = new TraceBuilder({ files: { b: 'b' } })
    .create('first')
    .chmod('b', 0o600)
    .create('later')
    .fsync('b')
    .build();
  assert.deepEqual(covered(trace, 'ext4'), ['attribute b', 'create first']);
  assert.deepEqual(covered(trace, 'posix'), ['attribute b']);
});

test('fdatasync of a renamed file does not make the rename durable, fsync does where there is a stream', () => {
  const make = (sync: 'fsync' | 'fdatasync'): Trace =>
    new TraceBuilder({ files: { a: 'a' } }).rename('a', 'b')[sync]('b').build();
  assert.deepEqual(covered(make('fdatasync'), 'ext4'), []);
  assert.deepEqual(covered(make('fsync'), 'ext4'), ['rename b']);
  assert.deepEqual(covered(make('fsync'), 'posix'), []);
});

test('on btrfs a synced name that was another file’s brings that file under its next name', () => {
  const rotate = (): TraceBuilder =>
    new TraceBuilder({ files: { log: 'old' } }).rename('log', 'log.1');
  const once = rotate().create('log').write('log', 0, 'new').fsync('log').build();
  assert.deepEqual(covered(once, 'btrfs'), ['create log', 'rename log.1', 'write log']);
  const twice = rotate().rename('log.1', 'log.2').create('log').fsync('log').build();
  assert.deepEqual(covered(twice, 'btrfs'), ['create log', 'rename log.1']);
  assert.deepEqual(covered(once, 'posix'), ['write log']);
});

test('on btrfs the names that a chain of rotations takes bring every file of it', () => {
  const trace = new TraceBuilder({ files: { log: 'one' } })
    .rename('log', 'last')
    .create('log')
    .fsync('log')
    .rename('last', 'first')
    .rename('log', 'last')
    .create('log')
    .fsync('log')
    .build();
  assert.deepEqual(covered(trace, 'btrfs'), ['create log', 'rename first', 'rename last']);
});

test('on btrfs a synced name says nothing of a file that took it and lost it before it was durable', () => {
  const trace = new TraceBuilder()
    .create('log')
    .rename('log', 'log.1')
    .create('log')
    .fsync('log')
    .build();
  assert.deepEqual(covered(trace, 'btrfs'), ['create log']);
});

test('a sync does not cover a write that had not returned when it was called', () => {
  const trace = new TraceBuilder({ files: { a: 'old' } })
    .starting('write')
    .write('a', 0, 'new')
    .fsync('a')
    .end('write')
    .build();
  for (const model of ['ext4', 'xfs', 'posix', 'ext4-journal']) {
    assert.deepEqual(covered(trace, model), [], model);
  }
});

test('fsync of a file does not bring the delayed size of another file', () => {
  const trace = new TraceBuilder({ files: { a: '', b: '' } })
    .append('a', 'data')
    .append('b', 'data')
    .fsync('b')
    .build();
  assert.deepEqual(covered(trace, 'ext4'), ['write b']);
});

test('a failed sync covers nothing, and a later one does not cover its pages either', () => {
  const trace = new TraceBuilder({ files: { a: 'old' } })
    .write('a', 0, 'new')
    .failing('EIO')
    .fsync('a')
    .fsync('a')
    .build();
  assert.deepEqual(covered(trace, 'ext4'), []);
});

test('a page written to again after a failed sync takes its earlier bytes along', () => {
  const trace = new TraceBuilder({ files: { a: 'old old' } })
    .write('a', 0, 'new')
    .failing('EIO')
    .fsync('a')
    .write('a', 4, 'new')
    .fsync('a')
    .build();
  const { files } = floors(trace, 'ext4');
  const events = [...files.values()][0]?.blocks.get(0)?.events ?? [];
  assert.deepEqual(
    events.map(({ floorEnd }) => floorEnd < Infinity),
    [true, true],
  );
});

test('sync covers everything that had returned, and no failed sync pages', () => {
  const trace = new TraceBuilder({ files: { a: 'a', b: 'b' } })
    .write('a', 0, 'x')
    .failing('EIO')
    .fsync('a')
    .write('b', 0, 'x')
    .rename('b', 'c')
    .syncAll()
    .build();
  assert.deepEqual(covered(trace, 'posix'), ['rename c', 'write b']);
});

test('a write through O_DSYNC brings its bytes and size, not those of other writes', () => {
  const trace = new TraceBuilder({ files: { a: '' } })
    .write('a', 0, 'first')
    .write('a', 8192, 'second', { durable: 'data' })
    .write('a', 0, 'third')
    .build();
  const history = floors(trace, 'posix');
  const events = [...(history.files.values().next().value?.blocks.values() ?? [])].flatMap(
    (block) => block.events.map(({ floorEnd }) => floorEnd < Infinity),
  );
  assert.deepEqual(events, [false, false, true]);
});

test('a write through O_DSYNC brings the truncation that gave its block another place', () => {
  const trace = new TraceBuilder({ files: { a: 'x'.repeat(5000) } })
    .truncate('a', 0)
    .write('a', 0, 'new', { durable: 'data' })
    .build();
  for (const model of ['posix', 'ext4', 'xfs']) {
    assert.deepEqual(covered(trace, model), ['truncate a', 'write a'], model);
  }
});

test('a write through O_DSYNC into bytes that an unsynced write appended brings their size', () => {
  const trace = new TraceBuilder({ files: { a: '' } })
    .append('a', 'x'.repeat(6000))
    .write('a', 100, 'new', { durable: 'data' })
    .build();
  const { changes } = floors(trace, 'ext4');
  assert.deepEqual(
    changes.map(({ size, floorEnd }) => [size?.bytes, floorEnd < Infinity]),
    [
      [4096, true],
      [6000, false],
    ],
  );
});

test('fsync of a directory brings its entries; with a stream, all that came before them', () => {
  const trace = new TraceBuilder({ files: { 'd/': '', b: 'b' } })
    .rename('b', 'c')
    .create('d/x')
    .create('e')
    .fsync('d')
    .build();
  assert.deepEqual(covered(trace, 'posix'), ['create d/x']);
  assert.deepEqual(covered(trace, 'ext4'), ['create d/x', 'rename c']);
});
