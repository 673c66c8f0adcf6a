import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';
import {
  InOrderReplay,
  inOrderTree,
  inOrderTrees,
} from '../../../../src/lab/replay/in-order-tree.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';

/** Paths to contents, `dir/` for empty directories, `-> target` for links. */
function flat(tree: FileTreeDirectory, prefix = ''): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, node] of tree.entries) {
    const path = prefix + name;
    if (node.kind === 'file') result[path] = new TextDecoder().decode(node.content);
    else if (node.kind === 'symlink') result[path] = `-> ${node.target}`;
    else if (node.entries.size === 0) result[`${path}/`] = '';
    else Object.assign(result, flat(node, `${path}/`));
  }
  return result;
}

test('an atomic replace shows the old file until the rename and the new one from then on', () => {
  const trace = new TraceBuilder({ files: { 'a.json': 'old' } })
    .create('tmp')
    .write('tmp', 0, 'new')
    .fsync('tmp')
    .rename('tmp', 'a.json')
    .exit()
    .build();
  assert.deepEqual(
    [...inOrderTrees(trace)].map((tree) => flat(tree)),
    [
      { 'a.json': 'old' },
      { 'a.json': 'old', tmp: '' },
      { 'a.json': 'old', tmp: 'new' },
      { 'a.json': 'new' },
    ],
  );
  assert.deepEqual(flat(inOrderTree(trace, 2)), { 'a.json': 'old', tmp: 'new' });
  assert.deepEqual(flat(inOrderTree(trace, 0)), { 'a.json': 'old' });
  assert.deepEqual(flat(inOrderTree(trace)), { 'a.json': 'new' });
});

test('every kind of operation has the effect that the system call has', () => {
  const trace = new TraceBuilder({ files: { 'd/a': 'abcdef', e: 'e' } })
    .truncate('d/a', 3)
    .write('d/a', 5, 'X')
    .append('d/a', 'Y')
    .allocate('e', 0, 3)
    .link('d/a', 'hard')
    .write('hard', 0, '!')
    .symlink('nowhere', 's')
    .mkdir('n')
    .rename('d', 'n/moved')
    .create('x')
    .rename('x', 'e', { exchange: true })
    .unlink('s')
    .chmod('hard', 0o400)
    .failing('ENOENT')
    .unlink('missing')
    .build();
  const tree = inOrderTree(trace);
  assert.deepEqual(flat(tree), {
    'n/moved/a': '!bc\0\0XY',
    hard: '!bc\0\0XY',
    x: 'e\0\0',
    e: '',
  });
  const hard = tree.entries.get('hard');
  assert.ok(hard?.kind === 'file' && hard.mode === 0o400);
});

test('a file open without a name shows nothing, and a rename onto another name of itself does nothing', () => {
  const trace = new TraceBuilder({ files: { a: 'x' } })
    .link('a', 'b')
    .rename('a', 'b')
    .open('b', 'h')
    .unlink('b')
    .write('h', 0, 'late')
    .build();
  const trees = [...inOrderTrees(trace)].map((tree) => flat(tree));
  assert.deepEqual(trees[1], { a: 'x', b: 'x' });
  assert.deepEqual(trees.at(-1), { a: 'late' });
});

test('contents that stay equal are the same array, and earlier trees never change', () => {
  const trace = new TraceBuilder({ files: { log: '', still: 'still' } })
    .append('log', 'one')
    .append('log', 'two')
    .truncate('log', 2)
    .append('log', 'X')
    .build();
  const trees = [...inOrderTrees(trace)];
  assert.deepEqual(
    trees.map((tree) => flat(tree)['log']),
    ['', 'one', 'onetwo', 'on', 'onX'],
  );
  const stills = new Set(trees.map((tree) => tree.entries.get('still')));
  assert.equal(stills.size, 1);
});

test('a log of many records is held once, not once per tree', () => {
  const builder = new TraceBuilder({ files: { log: '' } });
  for (let index = 0; index < 1000; index++) builder.append('log', 'x'.repeat(100));
  const buffers = new Set<ArrayBufferLike>();
  for (const tree of inOrderTrees(builder.build())) {
    const log = tree.entries.get('log');
    if (log?.kind === 'file') buffers.add(log.content.buffer);
  }
  assert.ok(buffers.size < 40, `${buffers.size} buffers`);
});

test('overlapping calls are put into an order in which they can have happened', () => {
  // The unlink was issued first, but what it removed is the file that the rename brought.
  const first = new TraceBuilder({ files: { a: 'old' } }).create('tmp').rename('tmp', 'a').build();
  const [create, rename] = first.operations;
  assert.ok(create?.kind === 'create' && rename?.kind === 'rename' && rename.end !== null);
  const { start, end, thread, stack, path, inode, toDirectory, toName } = rename;
  const time = { start: start + 0.1, end: end + 1, thread, stack, path };
  const unlink = { kind: 'unlink', directory: toDirectory, name: toName, inode, ...time } as const;
  const later = { ...rename, start: start + 0.5 };
  const trace = { ...first, operations: [create, unlink, later] };
  assert.deepEqual(flat(inOrderTree(trace)), {});
});

test('appends that overlap come in the order of their places, and a write over one lies on top', () => {
  const logs = (builder: TraceBuilder): string[] =>
    [...inOrderTrees(builder.build())].map((tree) => flat(tree)['log'] ?? '');
  const two = new TraceBuilder({ files: { log: 'old' } }).starting('a').append('log', 'A');
  assert.deepEqual(logs(two.append('log', 'B').end('a')), ['old', 'oldB', 'oldBA']);
  const over = new TraceBuilder({ files: { log: 'old' } }).starting('w').write('log', 3, 'W');
  assert.deepEqual(logs(over.append('log', 'AA').end('w')), ['old', 'oldAA', 'oldWA']);
});

test('a call that never returned counts only where it fits', () => {
  const trace = new TraceBuilder({ files: { a: '1' } }).starting('w').write('a', 0, '2').build();
  assert.deepEqual(flat(inOrderTree(trace)), { a: '2' });
});

test('a trace that names contents it does not hold is refused', () => {
  const trace = new TraceBuilder({ files: { a: '1' } }).write('a', 0, '2').build();
  const initial = [...trace.contents].slice(0, 1);
  const cut = { ...trace, contents: new Map(initial) };
  assert.throws(() => inOrderTree(cut), { code: 'HOLDFAST_BAD_TRACE' });
  assert.throws(() => new InOrderReplay({ ...trace, contents: new Map() }), {
    code: 'HOLDFAST_BAD_TRACE',
  });
});
