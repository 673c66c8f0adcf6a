import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CrashedDisk } from '../../../../src/lab/check/checker.ts';
import { OldOrNewOracle } from '../../../../src/lab/check/old-or-new-oracle.ts';
import { runLab } from '../../../../src/lab/lab-run.ts';
import { DEFAULT_MODELS, modelByName } from '../../../../src/lab/model/model-list.ts';
import type { MarkOperation, Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder, treeOf } from '../../../../src/lab/record/trace-builder.ts';
import { inOrderTree } from '../../../../src/lab/replay/in-order-tree.ts';
import type { FileTreeDirectory } from '../../../../src/vfs/file-tree.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

function marksOf(trace: Trace): MarkOperation[] {
  return trace.operations.filter((operation) => operation.kind === 'mark');
}

/** The message for a disk after the first `marks` marks, or null when it passes. */
function judge(trace: Trace, marks: number, files: Files | FileTreeDirectory): string | null {
  const root = 'kind' in files ? (files as FileTreeDirectory) : treeOf(files);
  const verdict = new OldOrNewOracle(trace).check({ root, marks: marksOf(trace).slice(0, marks) });
  return verdict.ok ? null : verdict.message;
}

/** The undamaged disks of every moment pass, and more marks never make a disk right that was wrong. */
function assertSound(trace: Trace): void {
  const oracle = new OldOrNewOracle(trace);
  const marks = marksOf(trace);
  trace.operations.forEach((_operation, index) => {
    const root = inOrderTree(trace, index + 1);
    const given = trace.operations.slice(0, index + 1).filter(({ kind }) => kind === 'mark').length;
    for (let count = 0; count <= given; count++) {
      const verdict = oracle.check({ root, marks: marks.slice(0, count) });
      assert.deepEqual(verdict, { ok: true }, `after operation ${index} with ${count} marks`);
    }
  });
}

/** Writes a new file beside it and renames it over, with every sync. */
function save(
  builder: TraceBuilder,
  path: string,
  content: string,
  temporary = `${path}.tmp`,
): TraceBuilder {
  return builder
    .create(temporary)
    .write(temporary, 0, content)
    .fsync(temporary)
    .rename(temporary, path)
    .fsync('.');
}

test('a file replaced by rename shows the old or the new version, whole', () => {
  const trace = save(new TraceBuilder({ files: { 'a.json': 'old!' } }), 'a.json', 'new!!')
    .mark('saved')
    .exit()
    .build();
  assertSound(trace);
  assert.equal(judge(trace, 0, { 'a.json': 'old!' }), null);
  assert.equal(judge(trace, 0, { 'a.json': 'new!!' }), null);
  assert.equal(judge(trace, 0, { 'a.json': 'old!', 'a.json.tmp': 'n' }), null);
  const wrong: [string | Uint8Array, string][] = [
    ['', 'a.json: is empty: neither the old nor the new version'],
    ['new', 'a.json: is cut after 3 of 5 bytes: neither the old nor the new version'],
    ['new!', 'a.json: is cut after 4 of 5 bytes: neither the old nor the new version'],
    ['old!!', 'a.json: mixes versions: neither the old nor the new version'],
    ['\0\0\0\0\0', 'a.json: holds 5 zero bytes: neither the old nor the new version'],
    [
      'nexx!',
      'a.json: holds bytes that were never written there (from byte 2 on): neither the old nor the new version',
    ],
  ];
  for (const [content, message] of wrong)
    assert.equal(judge(trace, 0, { 'a.json': content }), message);
  assert.equal(
    judge(trace, 0, {}),
    'a.json: is missing: neither the old nor the new version is there',
  );
  assert.equal(judge(trace, 0, { 'a.json/b': '' }), 'a.json: is a directory and should be a file');
});

test('once acknowledged, the old version is lost content', () => {
  const trace = save(new TraceBuilder({ files: { a: 'old' } }), 'a', 'new')
    .mark('saved')
    .exit()
    .build();
  for (const marks of [1, 2]) {
    assert.equal(judge(trace, marks, { a: 'new' }), null);
    assert.equal(
      judge(trace, marks, { a: 'old' }),
      'a: acknowledged content is gone (shows the version before)',
    );
    assert.match(judge(trace, marks, { a: '' }) ?? '', /is empty/);
    assert.match(judge(trace, marks, {}) ?? '', /missing/);
  }
});

test('a new file put in place by rename may be absent until it is acknowledged, but never partial', () => {
  const trace = save(new TraceBuilder(), 'a', 'new').mark('saved').build();
  assertSound(trace);
  assert.equal(judge(trace, 0, {}), null);
  assert.equal(judge(trace, 0, { a: 'new' }), null);
  assert.equal(judge(trace, 0, { a: '' }), 'a: is empty: neither the old nor the new version');
  assert.equal(judge(trace, 1, {}), 'a: the acknowledged file is missing');
  const linked = new TraceBuilder()
    .create('t')
    .write('t', 0, 'new')
    .link('t', 'a')
    .unlink('t')
    .build();
  assertSound(linked);
  assert.equal(judge(linked, 0, {}), null);
  assert.match(judge(linked, 0, { a: 'ne' }) ?? '', /cut after 2 of 3/);
});

test('of several versions between two marks any from the acknowledged one on is right', () => {
  const builder = new TraceBuilder({ files: { a: '0' } });
  save(builder, 'a', '1').mark('one');
  save(builder, 'a', '2');
  const trace = save(builder, 'a', '3').mark('three').build();
  assertSound(trace);
  for (const version of ['0', '1', '2', '3']) assert.equal(judge(trace, 0, { a: version }), null);
  for (const version of ['1', '2', '3']) assert.equal(judge(trace, 1, { a: version }), null);
  assert.match(judge(trace, 1, { a: '0' }) ?? '', /shows the version before/);
  for (const version of ['0', '1']) {
    assert.match(judge(trace, 2, { a: version }) ?? '', /shows an older version/);
  }
  assert.match(judge(trace, 2, { a: '2' }) ?? '', /shows the version before/);
});

test('truncating a file and writing it again must not show what lies between', () => {
  const trace = new TraceBuilder({ files: { a: 'old' } })
    .writeFile('a', 'newer')
    .print('saved')
    .exit()
    .build();
  assert.equal(judge(trace, 0, { a: 'old' }), null);
  assert.equal(judge(trace, 0, { a: 'newer' }), null);
  assert.match(judge(trace, 0, { a: '' }) ?? '', /is empty: neither/);
  assert.match(judge(trace, 0, { a: 'new' }) ?? '', /cut after 3 of 5/);
  assert.match(judge(trace, 0, { a: 'older' }) ?? '', /mixes versions/);
  assert.match(judge(trace, 1, { a: 'old' }) ?? '', /shows the version before/);
  assert.equal(judge(trace, 1, { a: 'newer' }), null);
});

test('a file that is rewritten through an open descriptor is replaced at each truncation', () => {
  const trace = new TraceBuilder({ files: { a: 'old' } })
    .open('a', 'h')
    .truncate('h', 0)
    .write('h', 0, 'one')
    .fsync('h')
    .mark('one')
    .truncate('h', 0)
    .write('h', 0, 'two!')
    .fsync('h')
    .mark('two')
    .build();
  assert.equal(judge(trace, 0, { a: 'old' }), null);
  assert.equal(judge(trace, 0, { a: 'two!' }), null);
  assert.match(judge(trace, 0, { a: '' }) ?? '', /is empty/);
  assert.match(judge(trace, 1, { a: 'old' }) ?? '', /gone/);
  assert.equal(judge(trace, 1, { a: 'one' }), null);
  assert.match(judge(trace, 1, { a: 'tw' }) ?? '', /cut after 2 of 4/);
  assert.equal(judge(trace, 2, { a: 'two!' }), null);
  assert.match(judge(trace, 2, { a: 'one' }) ?? '', /shows the version before/);
});

test('removing a file and making it again is a replacement; removing it for good is not', () => {
  const again = new TraceBuilder({ files: { a: 'old' } })
    .unlink('a')
    .writeFile('a', 'new')
    .exit()
    .build();
  assert.equal(judge(again, 0, { a: 'old' }), null);
  assert.equal(judge(again, 0, { a: 'new' }), null);
  assert.match(judge(again, 0, {}) ?? '', /is missing: neither/);
  assert.match(judge(again, 0, { a: 'ne' }) ?? '', /cut after 2 of 3/);
  const renamed = new TraceBuilder({ files: { a: 'old' } })
    .create('t')
    .write('t', 0, 'new')
    .unlink('a')
    .rename('t', 'a')
    .build();
  assert.match(judge(renamed, 0, {}) ?? '', /is missing: neither/);
  const gone = new TraceBuilder({ files: { a: 'old' } }).unlink('a').print('removed').build();
  assertSound(gone);
  assert.equal(judge(gone, 0, {}), null);
  assert.equal(judge(gone, 0, { a: 'old' }), null);
  assert.equal(judge(gone, 1, { a: 'old' }), 'a: is back after its acknowledged removal');
  const told = new TraceBuilder({ files: { a: 'older' } })
    .unlink('a')
    .print('removed')
    .writeFile('a', 'new')
    .build();
  assertSound(told);
  for (const files of [{}, { a: '' }, { a: 'n' }, { a: 'new' }]) {
    assert.equal(judge(told, 1, files), null);
  }
  assert.match(judge(told, 1, { a: 'older' }) ?? '', /gone/);
});

test('a directory that is removed and built again was not replaced', () => {
  const trace = new TraceBuilder({ files: { 'build/x': 'old' } })
    .unlink('build/x')
    .rmdir('build')
    .mkdir('build')
    .writeFile('build/x', 'new')
    .exit()
    .build();
  assertSound(trace);
  for (const files of [{}, { 'build/': '' }, { 'build/x': 'n' }, { 'build/x': 'old' }]) {
    assert.equal(judge(trace, 0, files), null);
  }
  assert.match(judge(trace, 1, { 'build/x': 'n' }) ?? '', /shows 1 of 3 bytes/);
});

test('a log keeps what was acknowledged; what was not may be there in any part', () => {
  const trace = new TraceBuilder({ files: { log: 'a' } })
    .append('log', 'bb')
    .append('log', 'cc')
    .print('c')
    .append('log', 'dd')
    .exit()
    .build();
  assertSound(trace);
  for (const log of ['a', 'ab', 'abb', 'a\0\0cc', 'axxcc', 'abbccdd']) {
    assert.equal(judge(trace, 0, { log }), null, log);
  }
  assert.match(judge(trace, 0, { log: '' }) ?? '', /is empty/);
  assert.match(judge(trace, 0, { log: 'xbb' }) ?? '', /never written/);
  assert.match(judge(trace, 0, { log: 'abbccdde' }) ?? '', /never written/);
  for (const log of ['abbcc', 'abbccd', 'abbcc\0\0'])
    assert.equal(judge(trace, 1, { log }), null, log);
  assert.equal(
    judge(trace, 1, { log: 'abb' }),
    'log: acknowledged content is gone (shows 3 of 5 bytes)',
  );
  assert.equal(
    judge(trace, 1, { log: 'a\0\0cc' }),
    'log: acknowledged content is gone (differs from byte 1 on)',
  );
  assert.match(judge(trace, 2, { log: 'abbcc' }) ?? '', /shows 5 of 7 bytes/);
});

test('bytes overwritten in place may be torn until a mark follows, bytes beside them may not', () => {
  const trace = new TraceBuilder({ files: { db: '0123456789' } })
    .write('db', 3, 'XYZ')
    .mark('committed')
    .write('db', 0, 'A')
    .build();
  assertSound(trace);
  assert.equal(judge(trace, 0, { db: '012X456789' }), null);
  assert.equal(judge(trace, 0, { db: '012\0\0\u00006789' }), null);
  assert.match(judge(trace, 0, { db: '0123456780' }) ?? '', /mixes|never written/);
  assert.equal(judge(trace, 1, { db: '?12XYZ6789' }), null);
  assert.match(judge(trace, 1, { db: '012XYz6789' }) ?? '', /differs from byte 5 on/);
});

test('a new file in place may be partial or absent until a mark follows', () => {
  const trace = new TraceBuilder().writeFile('a', 'content').print('written').build();
  assertSound(trace);
  for (const files of [{}, { a: '' }, { a: 'con' }, { a: '???????' }])
    assert.equal(judge(trace, 0, files), null);
  assert.equal(judge(trace, 1, {}), 'a: the acknowledged file is missing');
  assert.equal(judge(trace, 1, { a: '' }), 'a: acknowledged content is gone (the file is empty)');
  assert.equal(
    judge(trace, 1, { a: 'cont' }),
    'a: acknowledged content is gone (shows 4 of 7 bytes)',
  );
  assert.equal(judge(trace, 1, { a: 'content' }), null);
});

test('temporary names owe nothing, whatever is said while they exist', () => {
  const trace = save(
    new TraceBuilder({ files: { a: 'old' } })
      .writeFile('lock', 'pid')
      .mkdir('lock.d')
      .print('locked'),
    'a',
    'new',
  )
    .print('saved')
    .unlink('lock')
    .rmdir('lock.d')
    .exit()
    .build();
  assertSound(trace);
  for (const files of [
    { a: 'new' },
    { a: 'new', lock: '' },
    { a: 'new', lock: 'other', 'lock.d/': '' },
  ]) {
    for (const marks of [0, 1, 2, 3]) assert.equal(judge(trace, marks, files), null);
  }
});

test('a mark vouches only for calls that had returned before it', () => {
  const trace = new TraceBuilder({ files: { a: 'old' } })
    .create('t')
    .write('t', 0, 'new')
    .fsync('t')
    .starting('rename')
    .rename('t', 'a')
    .mark('early')
    .end('rename')
    .mark('late')
    .build();
  assert.equal(judge(trace, 1, { a: 'old' }), null);
  assert.match(judge(trace, 2, { a: 'old' }) ?? '', /shows the version before/);
});

test('what one of several concurrent saves says is not about the others', () => {
  const trace = new TraceBuilder({ files: { a: 'a1', b: 'b1' } })
    .writeFile('a.tmp', 'a2')
    .writeFile('b.tmp', 'b2')
    .starting('sync a')
    .fsync('a.tmp')
    .starting('sync b')
    .fsync('b.tmp')
    .end('sync a')
    .end('sync b')
    .rename('a.tmp', 'a')
    .starting('directory a')
    .fsync('.')
    .rename('b.tmp', 'b')
    .end('directory a')
    .print('a saved')
    .fsync('.')
    .print('b saved')
    .build();
  assert.equal(judge(trace, 1, { a: 'a2', b: 'b1' }), null);
  assert.match(judge(trace, 1, { a: 'a1', b: 'b2' }) ?? '', /^a: acknowledged content is gone/);
  assert.match(judge(trace, 2, { a: 'a2', b: 'b1' }) ?? '', /^b: acknowledged content is gone/);
});

test('a program that does one thing at a time and speaks before it syncs is caught', () => {
  const trace = new TraceBuilder({ files: { log: '' } })
    .append('log', 'one')
    .print('one')
    .fsync('log')
    .build();
  assert.match(judge(trace, 1, { log: '' }) ?? '', /gone/);
});

test('a write that was not awaited before the sync is owed once it is acknowledged', () => {
  const trace = new TraceBuilder({ files: { log: '' } })
    .starting('write')
    .append('log', 'one')
    .fsync('log')
    .end('write')
    .mark('done')
    .build();
  assert.equal(judge(trace, 0, { log: '' }), null);
  assert.match(judge(trace, 1, { log: '' }) ?? '', /gone/);
});

test('a program that fails promises nothing by ending', () => {
  const failed = new TraceBuilder({ files: { a: '1' } }).append('a', '2').exit(1).build();
  assert.equal(judge(failed, 1, { a: '1' }), null);
  const ended = new TraceBuilder({ files: { a: '1' } }).append('a', '2').exit(0).build();
  assert.match(judge(ended, 1, { a: '1' }) ?? '', /gone/);
});

test('a rotated log is owed under its new name, and the old name may be new, old or absent', () => {
  const trace = new TraceBuilder({ files: { log: 'one' } })
    .append('log', 'two')
    .rename('log', 'log.1')
    .writeFile('log', 'three')
    .print('rotated')
    .build();
  assertSound(trace);
  for (const files of [
    { log: 'one' },
    { log: 'onet' },
    { 'log.1': 'one' },
    { 'log.1': 'onetwo', log: 'th' },
  ]) {
    assert.equal(judge(trace, 0, files), null);
  }
  assert.match(judge(trace, 0, { 'log.1': '' }) ?? '', /log.1: is empty/);
  assert.equal(judge(trace, 1, { 'log.1': 'onetwo', log: 'three' }), null);
  assert.match(judge(trace, 1, { log: 'onetwo' }) ?? '', /log: acknowledged content is gone/);
});

test('the old name of a renamed file does not come back', () => {
  const trace = new TraceBuilder({ files: { a: 'x' } }).rename('a', 'b').print('moved').build();
  assertSound(trace);
  assert.equal(judge(trace, 0, { a: 'x' }), null);
  assert.equal(
    judge(trace, 1, { a: 'x', b: 'x' }),
    'a: is back under its old name after an acknowledged rename',
  );
  assert.match(judge(trace, 1, {}) ?? '', /b: the acknowledged file is missing/);
});

/** The files and a link named `l`. */
function withLink(files: Files, target: string): FileTreeDirectory {
  const tree = treeOf(files);
  return { ...tree, entries: new Map([...tree.entries, ['l', { kind: 'symlink', target }]]) };
}

test('directories and links are owed like files', () => {
  const trace = new TraceBuilder({ files: { one: '1', two: '2' } })
    .mkdir('d')
    .writeFile('d/f', 'x')
    .symlink('one', 'l')
    .print('made')
    .symlink('two', 'l.tmp')
    .rename('l.tmp', 'l')
    .print('switched')
    .build();
  assertSound(trace);
  const base = { one: '1', two: '2' };
  assert.equal(judge(trace, 0, base), null);
  assert.equal(judge(trace, 1, withLink({ ...base, 'd/f': 'x' }, 'one')), null);
  assert.equal(judge(trace, 1, withLink(base, 'one')), 'd: the acknowledged directory is missing');
  assert.match(
    judge(trace, 1, withLink({ ...base, 'd/': '' }, 'one')) ?? '',
    /d\/f: the acknowledged file is missing/,
  );
  assert.match(
    judge(trace, 1, withLink({ ...base, 'd/f': 'x' }, 'else')) ?? '',
    /l: is neither the old nor the new symlink \(points to else\)/,
  );
  assert.equal(judge(trace, 1, withLink({ ...base, 'd/f': 'x' }, 'two')), null);
  assert.match(
    judge(trace, 2, withLink({ ...base, 'd/f': 'x' }, 'one')) ?? '',
    /l: the acknowledged symlink is gone/,
  );
  assert.equal(judge(trace, 2, { ...base, 'd/f': 'x' }), 'l: the acknowledged symlink is missing');
});

test('a directory moved into place brings its files whole', () => {
  const trace = new TraceBuilder()
    .mkdir('t')
    .writeFile('t/f', 'content')
    .rename('t', 'd')
    .print('moved')
    .build();
  assertSound(trace);
  for (const files of [{}, { 't/f': 'co' }, { 'd/f': 'content' }])
    assert.equal(judge(trace, 0, files), null);
  assert.match(judge(trace, 0, { 'd/f': 'co' }) ?? '', /d\/f: is cut after 2 of 7/);
  assert.match(
    judge(trace, 1, { 't/f': 'content' }) ?? '',
    /d: the acknowledged directory is missing/,
  );
});

test('an exchange is right on both sides', () => {
  const trace = new TraceBuilder({ files: { a: '1', b: '2' } })
    .rename('a', 'b', { exchange: true })
    .print('done')
    .build();
  assertSound(trace);
  assert.equal(judge(trace, 0, { a: '1', b: '2' }), null);
  assert.equal(judge(trace, 1, { a: '2', b: '1' }), null);
  assert.match(judge(trace, 1, { a: '1', b: '2' }) ?? '', /gone/);
});

test('a log emptied at every checkpoint, as journals are, is no replacement', () => {
  const builder = new TraceBuilder({ files: { journal: '', db: '0' } });
  for (const round of ['1', '22', '333']) {
    builder
      .append('journal', `undo ${round}`)
      .fsync('journal')
      .write('db', 0, round)
      .fsync('db')
      .truncate('journal', 0)
      .mark(round);
  }
  const trace = builder.build();
  assertSound(trace);
  for (const journal of ['', 'u', 'undo 33'])
    assert.equal(judge(trace, 1, { journal, db: '1' }), null);
});

test('a log emptied twice between two marks may be partial as well', () => {
  const trace = new TraceBuilder({ files: { journal: '' } })
    .append('journal', 'one')
    .fsync('journal')
    .truncate('journal', 0)
    .append('journal', 'number two')
    .fsync('journal')
    .truncate('journal', 0)
    .mark('both')
    .build();
  assertSound(trace);
  for (const journal of ['', 'on', 'number tw']) assert.equal(judge(trace, 0, { journal }), null);
});

test('a mark in the middle of a replacement does not rule out the old version', () => {
  const cut = new TraceBuilder({ files: { a: 'older' } })
    .open('a', 'h')
    .truncate('h', 0)
    .mark('something else')
    .write('h', 0, 'new')
    .close('h')
    .mark('written')
    .build();
  assertSound(cut);
  assert.equal(judge(cut, 1, { a: 'older' }), null);
  assert.match(judge(cut, 2, { a: 'older' }) ?? '', /gone/);
  const again = new TraceBuilder({ files: { a: 'older' } })
    .unlink('a')
    .open('a', 'h', { create: true, exclusive: true })
    .mark('something else')
    .write('h', 0, 'new')
    .close('h')
    .mark('written')
    .build();
  assert.equal(judge(again, 1, { a: 'older' }), null);
  assert.match(judge(again, 2, { a: 'older' }) ?? '', /gone/);
});

test('a new file that is open and empty says nothing yet', () => {
  const trace = new TraceBuilder()
    .open('log', 'h', { create: true })
    .mark('ready')
    .write('h', 0, 'x')
    .mark('written')
    .build();
  assertSound(trace);
  assert.equal(judge(trace, 1, {}), null);
  assert.match(judge(trace, 2, {}) ?? '', /missing/);
});

test('a rewritten file that gets another name by way of a temporary one is whole there', () => {
  const trace = new TraceBuilder({ files: { a: 'older' } })
    .writeFile('a', 'new')
    .link('a', 't')
    .rename('t', 'b')
    .build();
  assert.equal(judge(trace, 0, { a: 'older' }), null);
  assert.equal(judge(trace, 0, { a: 'older', b: 'new' }), null);
  assert.match(judge(trace, 0, { a: 'older', b: 'older' }) ?? '', /^b: holds bytes/);
});

test('of two overlapping writes to one place either may have been the last', () => {
  const trace = new TraceBuilder({ files: { a: '....' } })
    .starting('one')
    .write('a', 0, '11')
    .write('a', 1, '22')
    .end('one')
    .mark('both')
    .build();
  for (const a of ['122.', '112.']) assert.equal(judge(trace, 1, { a }), null);
  assert.match(judge(trace, 1, { a: '122x' }) ?? '', /from byte 3 on/);
});

test('a write through a descriptor that syncs is owed by itself, also among concurrent calls', () => {
  const trace = new TraceBuilder({ files: { a: '', b: '' } })
    .starting('other')
    .fsync('b')
    .write('a', 0, 'x', { durable: 'data' })
    .end('other')
    .print('a')
    .fsync('a')
    .build();
  assert.match(judge(trace, 1, { a: '' }) ?? '', /gone/);
});

test('files that the trace never touches are not looked at', () => {
  const trace = new TraceBuilder({ files: { a: '1', still: 'x', 'd/e': 'y' } })
    .append('a', '2')
    .exit()
    .build();
  const oracle = new OldOrNewOracle(trace);
  assert.equal(oracle.pathCount, 1);
});

test('a disk is judged the same whatever was judged before', () => {
  const trace = save(new TraceBuilder({ files: { a: 'old' } }), 'a', 'new')
    .mark('saved')
    .build();
  const oracle = new OldOrNewOracle(trace);
  const marks = marksOf(trace);
  const [good, bad] = [treeOf({ a: 'new' }), treeOf({ a: 'old' })];
  for (let round = 0; round < 3; round++) {
    assert.equal(oracle.check({ root: bad, marks }).ok, false);
    assert.equal(oracle.check({ root: bad, marks: [] }).ok, true);
    assert.equal(oracle.check({ root: good, marks }).ok, true);
    assert.equal(oracle.check({ root: good, marks: [...marks, ...marks] }).ok, true);
  }
});

test('names are shown without control characters', () => {
  const trace = new TraceBuilder().writeFile('a\u001B[2Jb', 'x').print('made').build();
  assert.equal(judge(trace, 1, {}), 'ab: the acknowledged file is missing');
});

test('a directory that holds itself is refused', () => {
  const trace = new TraceBuilder({ files: { 'd/': '' } }).mkdir('d/e').build();
  const initial = trace.initial.map((node) =>
    node.node === 'directory' && node.inode !== 1
      ? { ...node, entries: [['d', node.inode] as const] }
      : node,
  );
  assert.throws(() => new OldOrNewOracle({ ...trace, initial }), { code: 'HOLDFAST_BAD_TRACE' });
});

test('a file that was only moved is lost when it is at none of its names', () => {
  const moved = (): TraceBuilder => new TraceBuilder({ files: { a: 'whole' } }).rename('a', 'b');
  const oracle = new OldOrNewOracle(moved().build());
  const disk = (...names: string[]): CrashedDisk => {
    const files = names.map((name) => {
      return [name, { kind: 'file', mode: 0o644, content: Buffer.from('whole') }] as const;
    });
    return { root: { kind: 'directory', mode: 0o755, entries: new Map(files) }, marks: [] };
  };
  for (const names of [['a'], ['b'], ['a', 'b']]) {
    assert.deepEqual(oracle.check(disk(...names)), { ok: true });
  }
  assert.deepEqual(oracle.check(disk()), { ok: false, message: 'a: gone, and not at b either' });
  const removed = new OldOrNewOracle(moved().unlink('b').build());
  assert.deepEqual(removed.check(disk()), { ok: true });
});

/** Adds a line to a log, says so before or after it is durable, and moves the log aside for a new one. */
function rotation(isLate: boolean): Trace {
  const builder = new TraceBuilder({ files: { log: 'one\n' } }).append('log', 'two\n');
  const told = isLate ? builder.print('two').fsync('log') : builder.fsync('log').print('two');
  return (
    told
      .rename('log', 'log.1')
      // Without this one, names that survive in any order may leave the new log and not the old one's new name.
      .fsync('.')
      .create('log')
      .fsync('.')
      .append('log', 'three\n')
      .fsync('log')
      .print('three')
      .exit()
      .build()
  );
}

test('a line that was told of is owed although its log is moved aside later', () => {
  const trace = rotation(true);
  assertSound(trace);
  const lost = 'log: acknowledged content is gone, and not at log.1 either';
  assert.equal(judge(trace, 1, { log: 'one\n' }), lost);
  assert.equal(judge(trace, 1, { log: '' }), lost);
  assert.equal(judge(trace, 1, { log: 'one\ntwo\n' }), null);
  assert.equal(judge(trace, 1, { 'log.1': 'one\ntwo\n', log: '' }), null);
  assert.equal(judge(trace, 1, { 'log.1': 'one\ntwo\n' }), null);
  assert.equal(judge(trace, 0, { log: 'one\n' }), null);
});

test('a log that is rotated is found where its lines are told of too early, and only there', async () => {
  const models = DEFAULT_MODELS.map((name) => modelByName(name));
  for (const isLate of [true, false]) {
    const trace = rotation(isLate);
    const { verdict, runs } = await runLab(trace, { models, checker: new OldOrNewOracle(trace) });
    const syncs = runs.flatMap(({ findings }) => findings.map(({ sync }) => sync?.path));
    assert.deepEqual([verdict, [...new Set(syncs)]], isLate ? ['found', ['log']] : ['passed', []]);
  }
});
