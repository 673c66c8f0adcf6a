import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TraceBuilder } from '../../../../../src/lab/record/trace-builder.ts';
import type { Trace } from '../../../../../src/lab/record/operation.ts';
import {
  chooseLanes,
  LaneNames,
  type LaneRequest,
} from '../../../../../src/lab/report/html/lanes.ts';

/** Columns in words, e.g. `rename`, `gap 3`, `crash`. */
function told(trace: Trace, request: Partial<LaneRequest>): { lanes: string[]; columns: string[] } {
  const full = { focus: [], crash: null, ghost: null, ...request };
  const { lanes, columns } = chooseLanes(trace, new LaneNames(trace), full);
  return {
    lanes: lanes.map(({ names }) => names.join(' > ')),
    columns: columns.map((column) => {
      if (column.kind === 'call') return trace.operations[column.operation]?.kind ?? '?';
      if (column.kind === 'gap') return `gap ${column.count}`;
      return column.kind;
    }),
  };
}

function renamed(): Trace {
  return new TraceBuilder({ files: { a: 'old' } })
    .create('tmp')
    .append('tmp', 'new')
    .rename('tmp', 'a')
    .mark('saved')
    .build();
}

test('a file has one lane under all its names, and what was told has its own', () => {
  const { lanes, columns } = told(renamed(), {});
  assert.deepEqual(lanes, ['tmp > a', 'told to the world']);
  assert.deepEqual(columns, ['create', 'write', 'rename', 'mark']);
});

test('the power cut stands before what had not begun, and the missing sync after its call', () => {
  const trace = renamed();
  const time = trace.operations[2]?.end ?? 0;
  const ghost = {
    after: 1,
    lane: trace.operations[1]?.kind === 'write' ? trace.operations[1].inode : 0,
    call: 'fdatasync',
  };
  const { columns } = told(trace, { focus: [1, 2], crash: { time }, ghost });
  assert.deepEqual(columns, ['create', 'write', 'ghost', 'rename', 'crash', 'mark']);
});

test('calls that are not shown are counted in their place', () => {
  const builder = new TraceBuilder({ files: { a: 'old' } }).append('a', 'first');
  for (let index = 0; index < 1000; index++) builder.append('a', 'x');
  const trace = builder.append('a', 'last').build();
  const { columns } = told(trace, { focus: [0, 1001] });
  const gaps = columns.filter((column) => column.startsWith('gap'));
  assert.equal(gaps.length, 1);
  const shown = columns.length - 1;
  assert.ok(shown <= 40);
  assert.equal(gaps[0], `gap ${1002 - shown}`);
});
