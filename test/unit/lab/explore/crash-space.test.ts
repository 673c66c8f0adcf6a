import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { countAllStates } from '../../../../src/lab/explore/count-states.ts';
import { walkDisks } from '../../../../src/lab/explore/disk-walk.ts';
import { prepareHistory } from '../../../../src/lab/explore/prepared-history.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { overlapsNotModelled } from '../../../../src/lab/explore/open-overlaps.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import { sketchOf } from '../../../support/file-tree-builder.ts';

/** What the root can look like, as sorted text; long runs of one byte cut down. */
function looks(trace: Trace, model: string): string[] {
  const seen = new Set<string>();
  for (const { root } of walkDisks(trace, modelByName(model), new ContentStore())) {
    seen.add(JSON.stringify(sketchOf(root)));
  }
  return [...seen].toSorted();
}

function rawStates(trace: Trace, model: string): Promise<bigint | null> {
  return countAllStates(prepareHistory(trace, modelByName(model), new ContentStore()));
}

test('eighteen creates that nobody synced have 524,286 states under posix, and 189 in a stream', async () => {
  const builder = new TraceBuilder();
  for (let step = 0; step < 18; step++) builder.create(`f${step}`);
  const trace = builder.exit().build();
  assert.equal(await rawStates(trace, 'posix'), 524_286n);
  // After the nth create there are n + 1 cuts.
  assert.equal(await rawStates(trace, 'ext4'), 189n);
});

test('a rename without a sync may be lost whole; under posix its source may also stay', () => {
  const trace = new TraceBuilder({ files: { a: 'old', t: 'new' } }).rename('t', 'a').build();
  assert.deepEqual(looks(trace, 'ext4'), ['{"a":"new"}', '{"a":"old","t":"new"}']);
  assert.deepEqual(looks(trace, 'posix'), [
    '{"a":"new","t":"new"}',
    '{"a":"new"}',
    '{"a":"old","t":"new"}',
  ]);
});

test('an exchange is there as a whole or not at all', () => {
  const trace = new TraceBuilder({ files: { a: '1', b: '2' } })
    .rename('a', 'b', { exchange: true })
    .build();
  for (const model of ['ext4', 'posix']) {
    assert.deepEqual(looks(trace, model), ['{"a":"1","b":"2"}', '{"a":"2","b":"1"}'], model);
  }
});

test('all names of a file show the same bytes', () => {
  const trace = new TraceBuilder({ files: { a: 'old' } })
    .link('a', 'b')
    .write('a', 0, 'new')
    .build();
  assert.deepEqual(looks(trace, 'posix'), [
    '{"a":"new","b":"new"}',
    '{"a":"new"}',
    '{"a":"old","b":"old"}',
    '{"a":"old"}',
  ]);
});

test('a size that comes late does not come before what its file needs, and may miss later names', () => {
  const trace = new TraceBuilder().create('a').append('a', 'x').create('b').build();
  assert.deepEqual(looks(trace, 'ext4'), [
    '{"a":"","b":""}',
    '{"a":""}',
    '{"a":"\\u0000","b":""}',
    '{"a":"\\u0000"}',
    '{"a":"x","b":""}',
    '{"a":"x"}',
    '{}',
  ]);
});

test('journalled data is a cut: no later write without the earlier one', () => {
  const trace = new TraceBuilder({ files: { a: '--', b: '-' } })
    .write('a', 0, 'x')
    .write('b', 0, 'x')
    .write('a', 1, 'x')
    .build();
  assert.deepEqual(looks(trace, 'ext4-journal'), [
    '{"a":"--","b":"-"}',
    '{"a":"x-","b":"-"}',
    '{"a":"x-","b":"x"}',
    '{"a":"xx","b":"x"}',
  ]);
});

test('the blocks of one write enter the journal one after the other', () => {
  const trace = new TraceBuilder({ files: { a: '' } }).append('a', 'x'.repeat(8192)).build();
  const sizes = looks(trace, 'prefix').map((look) => look.length - '{"a":""}'.length);
  assert.deepEqual(sizes, [0, 4096, 8192]);
});

test('writes that overlap come in both orders, with and without a journal', () => {
  const trace = new TraceBuilder({ files: { a: '---' } })
    .starting('first')
    .write('a', 0, 'xx')
    .write('a', 1, 'yy')
    .end('first')
    .fsync('a')
    .build();
  const last = new TraceBuilder({ files: { a: '---' } }).build();
  assert.deepEqual(looks(last, 'posix'), ['{"a":"---"}']);
  for (const model of ['ext4-journal', 'ext4']) {
    const all = looks(trace, model);
    assert.ok(all.includes('{"a":"xyy"}') && all.includes('{"a":"xxy"}'), model);
  }
});

test('of writes that overlap the one at the lower place can bring its size alone', () => {
  const trace = new TraceBuilder({ files: { a: '' } })
    .starting('far')
    .write('a', 1, 'y')
    .write('a', 0, 'x')
    .fsync('a')
    .end('far')
    .build();
  for (const model of ['ext4', 'posix', 'ext4-journal']) {
    const all = looks(trace, model);
    assert.ok(all.includes('{"a":"x"}') && all.includes('{"a":"xy"}'), model);
  }
});

test('two renames to one name that overlap leave either there', () => {
  const trace = new TraceBuilder({ files: { s: '1', t: '2' } })
    .starting('first')
    .rename('s', 'a')
    .rename('t', 'a')
    .end('first')
    .syncAll()
    .build();
  const after = looks(trace, 'ext4').filter(
    (look) => !look.includes('"s"') && !look.includes('"t"'),
  );
  assert.deepEqual(after, ['{"a":"1"}', '{"a":"2"}']);
});

test('directories that lost moves put into each other are shown without the loop', () => {
  const trace = new TraceBuilder({ files: { 'd/': '', 'e/': '' } })
    .rename('e', 'd/e')
    .rename('d/e', 'e')
    .rename('d', 'e/d')
    .build();
  const all = looks(trace, 'posix');
  assert.ok(all.includes('{"e":{"d":{}}}'));
  assert.ok(all.length > 4);
});

test('an unsynced write to a new block shows zeros, and stale bytes under posix only', () => {
  const stale = 'secret'.repeat(4);
  const trace = new TraceBuilder({ files: { old: stale, a: '' } })
    .unlink('old')
    .append('a', 'n'.repeat(24))
    .build();
  const leaks = (model: string): boolean =>
    looks(trace, model).some((look) => look.includes(`{"a":"${stale}`));
  assert.deepEqual(['ext4', 'xfs', 'posix'].map(leaks), [false, false, true]);
});

test('a truncation that overlaps with a write is named, because only one order is explored', () => {
  const builder = new TraceBuilder({ files: { a: 'old', b: '' } });
  builder.starting('cut').truncate('a', 0).write('b', 0, 'x').write('a', 0, 'x').end('cut');
  const named = overlapsNotModelled(builder.truncate('b', 0).build());
  assert.deepEqual(named, ['the order of a truncation of a and a call that overlaps with it']);
});
