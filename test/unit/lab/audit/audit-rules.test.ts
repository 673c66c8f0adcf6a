/** Each rule on a trace that breaks it, and on the nearest one that does not. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { auditTrace, type AuditFinding } from '../../../../src/lab/audit/audit-trace.ts';
import { DurableTimes } from '../../../../src/lab/audit/durable-times.ts';
import { DEFAULT_MODELS, modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

const MODELS = DEFAULT_MODELS.map((name) => modelByName(name));

function audit(builder: TraceBuilder): readonly AuditFinding[] {
  return auditTrace(builder.build(), MODELS).findings;
}

/** `RULE LINE MODELS`, where not all models are meant. */
function told(builder: TraceBuilder): string[] {
  return audit(builder).map(({ rule, severity, at, models }) => {
    const where = models.length === MODELS.length ? '' : ` ${models.join()}`;
    return `${severity} ${rule} ${at.stack[at.site]?.line}${where}`;
  });
}

const OLD = { files: { 'a.json': 'old content', log: 'one\n' } };

test('a name that no sync makes durable, told or not', () => {
  const made = (): TraceBuilder => new TraceBuilder().create('f');
  assert.deepEqual(told(made()), ['warning name-not-durable 1']);
  assert.deepEqual(told(made().print('made\n')), ['error name-not-durable 1']);
  assert.deepEqual(told(made().fsync('.')), []);
  assert.deepEqual(told(made().unlink('f')), [], 'it is gone again');
  const linked = new TraceBuilder(OLD).link('a.json', 'b.json');
  assert.deepEqual(told(linked), ['warning name-not-durable 1']);
  // A sync of a new file brings its name where there is a journal, and on btrfs.
  const synced = made().write('f', 0, 'x').fsync('f');
  assert.deepEqual(told(synced), ['warning name-not-durable 1 posix']);
});

test('a name that is told of before its directory is synced', () => {
  const builder = new TraceBuilder().mkdir('d').print('made\n').fsync('.');
  assert.deepEqual(told(builder), ['error acknowledged-before-durable 1']);
});

test('a file that gets its name before its bytes are durable', () => {
  const start = (): TraceBuilder => new TraceBuilder(OLD).writeFile('new', 'new content');
  const bad = start().rename('new', 'a.json').fsync('.');
  const OVERTAKEN = 'ext4,xfs,btrfs,apfs-fullfsync,posix';
  assert.deepEqual(told(bad), [`error rename-before-sync 2 ${OVERTAKEN}`]);
  const fresh = start().rename('new', 'other').fsync('.');
  assert.deepEqual(told(fresh), [`warning rename-before-sync 2 ${OVERTAKEN}`]);
  assert.deepEqual(told(start().fdatasync('new').rename('new', 'a.json').fsync('.')), []);
  const linked = start().link('new', 'b.json').unlink('new').fsync('.');
  assert.deepEqual(told(linked), [`warning rename-before-sync 2 ${OVERTAKEN}`]);
});

test('bytes that are late for their name, and the name for a promise, are two causes', () => {
  const builder = new TraceBuilder(OLD).writeFile('new', 'new').rename('new', 'a.json');
  assert.deepEqual(told(builder.print('saved\n').fsync('.')), [
    'error rename-before-sync 2 ext4,xfs,btrfs,apfs-fullfsync,posix',
    'error acknowledged-before-durable 2',
  ]);
});

test('a sync that is under way when the file is renamed does not count', () => {
  const builder = new TraceBuilder(OLD)
    .writeFile('new', 'new content')
    .starting('sync')
    .fdatasync('new')
    .rename('new', 'a.json')
    .end('sync')
    .fsync('.');
  const [finding] = audit(builder);
  assert.equal(finding?.rule, 'rename-before-sync');
});

test('a log that is moved aside is not put in place', () => {
  const builder = new TraceBuilder(OLD)
    .append('log', 'two\n')
    .rename('log', 'log.1')
    .create('log')
    .fsync('.');
  assert.deepEqual(told(builder), []);
});

test('a log that goes before what was in it is durable elsewhere', () => {
  const start = (): TraceBuilder =>
    new TraceBuilder({ files: { data: 'x'.repeat(100) } })
      .create('wal')
      .append('wal', 'change')
      .fsync('wal')
      .fsync('.')
      .write('data', 0, 'change');
  assert.deepEqual(told(start().unlink('wal')).slice(0, 1), ['error removed-before-replacement 6']);
  assert.deepEqual(told(start().truncate('wal', 0)).slice(0, 1), [
    'error removed-before-replacement 6',
  ]);
  assert.deepEqual(told(start().fdatasync('data').unlink('wal')), []);
  assert.deepEqual(told(start().fdatasync('data').truncate('wal', 0).append('wal', 'next')), []);
});

test('a file that is removed and made again', () => {
  const again = new TraceBuilder(OLD).unlink('a.json').writeFile('a.json', 'new');
  assert.ok(told(again.fsync('a.json').fsync('.')).includes('error removed-before-replacement 1'));
  const journal = new TraceBuilder({ files: { db: 'x'.repeat(600) } });
  for (const text of ['one', 'two']) {
    journal.writeFile('journal', text).fsync('journal').fsync('.').write('db', 0, text.repeat(200));
    journal.fdatasync('db').unlink('journal');
  }
  assert.deepEqual(told(journal), [], 'a journal is made again for each transaction');
});

test('live bytes that are overwritten in place, with a log and without', () => {
  const files = { db: 'old '.repeat(2000) };
  const bad = new TraceBuilder({ files }).write('db', 100, 'n'.repeat(5000)).fdatasync('db');
  assert.deepEqual(told(bad), ['error overwrite-in-place 1']);
  const logged = new TraceBuilder({ files: { ...files, wal: '-' } })
    .append('wal', 'n'.repeat(5000))
    .fdatasync('wal')
    .write('db', 100, 'n'.repeat(5000))
    .fdatasync('db');
  assert.deepEqual(told(logged), []);
  const small = new TraceBuilder({ files }).write('db', 512, 'n'.repeat(512)).fdatasync('db');
  assert.deepEqual(told(small), [], 'the disk writes a sector as a whole');
  const page = new TraceBuilder({ files }).write('db', 0, 'n'.repeat(4096)).fdatasync('db');
  assert.deepEqual(
    told(page),
    ['error overwrite-in-place 1 ext4,ext4-journal,xfs,posix'].map((line) =>
      line.replace('ext4-journal,', ''),
    ),
  );
  const room = new TraceBuilder({ files: { db: new Uint8Array(9000) } });
  assert.deepEqual(told(room.write('db', 0, 'n'.repeat(5000)).fdatasync('db')), []);
});

test('a file that is emptied and written again, or only emptied', () => {
  const bad = new TraceBuilder(OLD).writeFile('a.json', 'new').fsync('a.json');
  assert.deepEqual(told(bad), ['error overwrite-in-place 1']);
  assert.deepEqual(told(new TraceBuilder(OLD).truncate('a.json', 0).fsync('a.json')), []);
  assert.deepEqual(told(new TraceBuilder(OLD).truncate('log', 2).append('log', 'x')), []);
});

test('what is told before it is durable, later durable or never', () => {
  const late = new TraceBuilder(OLD).append('log', 'two\n').print('saved\n').fdatasync('log');
  assert.deepEqual(told(late), ['error acknowledged-before-durable 1']);
  assert.match(audit(late)[0]?.message ?? '', /^"saved" is told, and .* durable only later/);
  const never = new TraceBuilder(OLD).append('log', 'two\n').mark('sent');
  assert.match(audit(never)[0]?.message ?? '', /^"sent" is told, and .* never durable/);
  assert.deepEqual(told(new TraceBuilder(OLD).append('log', 'two\n').exit()), []);
  const temporary = new TraceBuilder(OLD).writeFile('t', 'x').print('busy\n').unlink('t');
  assert.deepEqual(told(temporary), []);
  const blank = new TraceBuilder(OLD).append('log', 'two\n').print('\n').fdatasync('log');
  assert.deepEqual(told(blank), [], 'an empty line tells nothing');
});

test('two files of which the later one is durable first', () => {
  const files = { data: 'one;', index: '0 4\n' };
  const write = (): TraceBuilder =>
    new TraceBuilder({ files }).append('data', 'two;').append('index', '4 4\n');
  const bad = write().fdatasync('index').fdatasync('data');
  const OVERTAKEN = 'ext4,xfs,btrfs,apfs-fullfsync,posix';
  assert.deepEqual(told(bad), [`warning files-not-ordered 1 ${OVERTAKEN}`]);
  assert.deepEqual(told(write().fdatasync('data').fdatasync('index')), []);
});

test('a sync that failed and was passed over, and a short write that was not completed', () => {
  const failed = new TraceBuilder(OLD).append('log', 'x').failing('EIO').fsync('log').fsync('log');
  assert.deepEqual(told(failed.exit(1)), [], 'the program said that it failed');
  const passed = new TraceBuilder(OLD).append('log', 'x').failing('EIO').fsync('log').fsync('log');
  assert.ok(told(passed.exit(0)).includes('error failure-ignored 2'));
  const short = (): TraceBuilder =>
    new TraceBuilder({ files: { log: '' } }).write('log', 0, 'record', { written: 3 });
  assert.deepEqual(told(short()), ['error failure-ignored 1']);
  assert.deepEqual(told(short().write('log', 3, 'ord')), []);
});

test('a sync that covers nothing new, and one that guards another file', () => {
  const twice = new TraceBuilder(OLD).append('log', 'x').fdatasync('log').fdatasync('log');
  assert.deepEqual(told(twice), ['note redundant-sync 3']);
  const again = new TraceBuilder(OLD).append('log', 'x').fdatasync('log').append('log', 'y');
  assert.deepEqual(told(again.fdatasync('log')), []);
  const guards = new TraceBuilder({ files: { log: '-', db: 'd'.repeat(700) } })
    .append('log', 'x')
    .fdatasync('log')
    .fdatasync('log')
    .write('db', 0, 'n'.repeat(600))
    .fdatasync('db');
  assert.deepEqual(told(guards), []);
});

test('an fsync where fdatasync is enough', () => {
  const files = { db: 'd'.repeat(8192), log: 'x' };
  const inPlace = new TraceBuilder({ files }).write('db', 512, 'n').fsync('db');
  assert.deepEqual(told(inPlace), ['note fsync-could-be-fdatasync 2']);
  assert.deepEqual(told(new TraceBuilder({ files }).append('log', 'y').fsync('log')), []);
  assert.deepEqual(told(new TraceBuilder({ files }).write('db', 512, 'n').fdatasync('db')), []);
});

test('one line that does it often is one finding, with its worst case', () => {
  const builder = new TraceBuilder();
  for (const name of ['a', 'b', 'c']) builder.from('save.js', 7).create(name);
  const [finding, ...more] = audit(builder.print('made\n'));
  assert.deepEqual(more, []);
  assert.equal(finding?.times, 3);
  assert.equal(finding.severity, 'error');
});

test('syncs are counted by what they are of', () => {
  const builder = new TraceBuilder(OLD)
    .append('log', 'x')
    .fdatasync('log')
    .fsync('log')
    .fsync('.')
    .syncAll()
    .write('log', 0, 'y', { durable: 'data' })
    .write('log', 0, 'y', { durable: 'all' })
    .failing('EIO')
    .fsync('log');
  const { syncs } = auditTrace(builder.build(), MODELS);
  assert.deepEqual(syncs, { fileData: 2, file: 3, directory: 1, all: 1, failed: 1 });
});

test('a line of a log that is moved aside later is told of before it is durable', () => {
  const start = (): TraceBuilder => new TraceBuilder(OLD).append('log', 'two\n');
  const rotated = (builder: TraceBuilder): TraceBuilder =>
    builder.rename('log', 'log.1').create('log').fsync('.');
  const late = rotated(start().print('two\n').fsync('log'));
  assert.deepEqual(told(late), ['error acknowledged-before-durable 1']);
  assert.deepEqual(told(rotated(start().fsync('log').print('two\n'))), []);
  // What is told while a file has only a name for the time being says nothing of it.
  const working = new TraceBuilder(OLD).writeFile('new', 'x').print('working\n').fsync('new');
  assert.deepEqual(told(working.rename('new', 'a.json').fsync('.')), []);
});

/** How often the times of changes are asked for while a trace is audited. */
function lookUps(builder: TraceBuilder): number {
  const asked = mock.method(DurableTimes.prototype, 'dataDurable');
  try {
    auditTrace(builder.build(), MODELS);
    return asked.mock.callCount();
  } finally {
    asked.mock.restore();
  }
}

const CYCLES: Readonly<Record<string, (builder: TraceBuilder) => TraceBuilder>> = {
  'emptied and written again': (one) => one.truncate('a.json', 0).write('a.json', 0, 'x'),
  'emptied, written again and synced': (one) =>
    one.truncate('a.json', 0).write('a.json', 0, 'x').fsync('a.json'),
  'replaced by a new file that is not synced': (one) =>
    one.writeFile('new', 'x').rename('new', 'a.json'),
  'removed and made again': (one) => one.unlink('a.json').writeFile('a.json', 'x'),
  'emptied while a log grows': (one) =>
    one.append('log', 'x').truncate('a.json', 0).write('a.json', 0, 'x'),
};

for (const [what, cycle] of Object.entries(CYCLES)) {
  test(`a file that is ${what} over and over costs no more each time`, () => {
    const repeated = (times: number): TraceBuilder =>
      Array.from({ length: times }).reduce<TraceBuilder>(cycle, new TraceBuilder(OLD));
    const [once, twice] = [lookUps(repeated(100)), lookUps(repeated(200))];
    assert.ok(twice < 2.5 * once, `${once} look-ups, then ${twice}`);
  });
}
