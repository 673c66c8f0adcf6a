/** Which parts of files count as read by an external checker, and that nothing is found or missed because of it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import type { CrashedDisk } from '../../../../src/lab/check/checker.ts';
import { DiskAnswers } from '../../../../src/lab/check/disk-question.ts';
import { ProcessChecker } from '../../../../src/lab/check/process-checker.ts';
import { questionsAsked } from '../../../../src/lab/check/process-reads.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { TraceBuilder, treeOf } from '../../../../src/lab/record/trace-builder.ts';
import { randomTrace } from '../../../support/random-trace.ts';

const trial = spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', '/bin/true']);
const needsStrace = trial.status === 0 ? false : 'strace cannot be used here';

const place = { state: '/s', acks: '/acks' };
const OPENED = 'openat(AT_FDCWD</s>, "f", O_RDONLY|O_CLOEXEC) = 3</s/f>';

/** What a run asks that opens `f` and then makes these calls. */
function asked(...calls: string[]): readonly string[] | null {
  const lines = [OPENED, ...calls].map((call) => (/^\d/.test(call) ? call : `7  ${call}`));
  lines[0] = `7  ${OPENED}`;
  return questionsAsked(lines.join('\n'), place);
}

test('reads ask for the blocks that they may have reached, whatever descriptor they went through', () => {
  const read = 'read(3</s/f>, "x"..., 100) = 100';
  const cases: [string[], string[]][] = [
    [[], ['nf']],
    [['fstat(3</s/f>, {st_size=9}) = 0', 'close(3</s/f>) = 0'], ['nf']],
    [[read], ['r0-4096:f']],
    [[read, 'read(3</s/f>, "x"..., 4096) = 4096'], ['r0-8192:f']],
    [['pread64(3</s/f>, "), 5) = 5"..., 10, 8190) = 10'], ['r4096-12288:f']],
    [['preadv(3</s/f>, [{iov_base="x"..., iov_len=9}], 1, 50) = 9'], ['r0-4096:f']],
    [
      ['lseek(3</s/f>, -10, SEEK_END) = 99990', 'read(3</s/f>, "", 10) = 10'],
      ['r0-4096,98304-102400:f'],
    ],
    // A duplicate in a child shares the position: all reads of the file count from each start.
    [
      ['dup2(3</s/f>, 0</dev/null>) = 0</s/f>', read, '8  read(0</s/f>, "x"..., 4096) = 4096'],
      ['r0-8192:f'],
    ],
    [
      [
        '7  read(3</s/f>,  <unfinished ...>',
        '8  close(1</dev/null>) = 0',
        '7  <... read resumed>"x", 5) = 5',
      ],
      ['r0-4096:f'],
    ],
  ];
  for (const [calls, questions] of cases)
    assert.deepEqual(asked(...calls), questions, calls.join());
});

test('every doubt is the whole file', () => {
  const doubts = [
    'read(3</s/f>, "", 10) = 0',
    'read(3</s/f>,  <unfinished ...>',
    'read(3</s/f>, 0x7, 10) = ?',
    'read(9, "x", 1) = 1',
    'mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3</s/f>, 0) = 0x7f',
    'sendfile(1</dev/null>, 3</s/f>, NULL, 5) = 5',
    'copy_file_range(3</s/f>, NULL, 4</s/g>, NULL, 5, 0) = 5',
    'splice(3</s/f>, NULL, 4<pipe:[7]>, NULL, 5, 0) = 5',
    'preadv2(3</s/f>, [{iov_base="x", iov_len=1}], 1, 0, 0) = 1',
    'lseek(3</s/f>, 0, SEEK_DATA) = 0',
    'lseek(3</s/f>, 0, SEEK_HOLE) = 4096',
    'ioctl(4</x>, BTRFS_IOC_CLONE or FICLONE, 3) = 0',
    'read(3</s/f>(deleted), "x", 1) = 1',
    'read(3</s/f (deleted)>, "x", 1) = 1',
    'execveat(3</s/f>, "", ["f"], 0x7, AT_EMPTY_PATH) = 0',
    'rename("/elsewhere/a", "/elsewhere/b") = 0',
  ];
  for (const call of doubts)
    assert.ok(asked(call)?.includes('of'), `${call}: ${asked(call)?.join()}`);
  // An open that may write as well, and a name that only looks like a flag.
  for (const [name, flags] of [
    ['f', 'O_RDWR'],
    ['f, O_RDONLY', 'O_RDWR'],
  ]) {
    const line = `7  openat(AT_FDCWD</s>, "${name}", ${flags}) = 3</s/${name}>`;
    assert.deepEqual(questionsAsked(line, place), [`o${name}`]);
  }
  // A descriptor that was opened by nobody known; calls that are not known, or do reads of their own.
  assert.deepEqual(questionsAsked('7  read(5</s/g>, "x", 1) = 1', place), ['og']);
  assert.equal(asked('io_setup(8, [0x7f]) = 0'), null);
  assert.equal(asked('newcall(3</s/f>) = 0'), null);
});

test('an answer about ranges tells the bytes in them, the size and the links, and nothing else', () => {
  const disk = (text: string): CrashedDisk => ({ root: treeOf({ 'a:b': text }), marks: [] });
  const answer = (text: string): string => new DiskAnswers(disk(text)).answer('r0-2,4-6:a:b');
  assert.equal(answer('ab..ef..'), answer('ab--ef--'));
  for (const other of ['xb..ef..', 'ab..ex..', 'ab..ef.', 'ab..ef...']) {
    assert.notEqual(answer('ab..ef..'), answer(other), other);
  }
});

const BLOCK = 4096;

test(
  'a command that reads 4 KiB is not run again for disks that differ elsewhere',
  { skip: needsStrace },
  async () => {
    const checker = new ProcessChecker({
      command: 'head -c 4096 big | grep -q ^A',
      concurrency: 1,
    });
    const check = async (first: string, rest: number): Promise<boolean> => {
      const text = first.padEnd(BLOCK, '.') + String(rest).padEnd(32 * BLOCK, '.');
      return (await checker.check({ root: treeOf({ big: text }), marks: [] })).ok;
    };
    try {
      for (let disk = 0; disk < 12; disk++) assert.equal(await check('A', disk), true);
      const { run } = checker.counts;
      assert.ok(run <= 3, `${run} runs`);
      assert.equal(await check('B', 0), false);
      assert.equal(checker.counts.run, run + 1);
    } finally {
      await checker.close();
    }
  },
);

/** Files of three blocks, of which a save writes some again. */
function overwrites(): Trace {
  const text = 'a'.repeat(3 * BLOCK);
  const builder = new TraceBuilder({ files: { a: text, b: text } });
  for (const block of [0, 2, 1]) builder.write('a', block * BLOCK, 'b'.repeat(10));
  return builder.write('b', 2 * BLOCK, 'c').build();
}

test(
  'an external checker finds the same with its runs remembered and without',
  { skip: needsStrace },
  async () => {
    const cases: [Trace, string][] = [
      [overwrites(), 'head -c 5000 a | grep -q "^a" || head -c 10 b | grep -q c'],
      [overwrites(), 'exec 3<a; dd bs=4096 skip=2 count=1 <&3 2>/dev/null | grep -q "^a"'],
      [overwrites(), 'tail -c 4096 a | grep -q "^a" && tail -c 4096 b | grep -q "^a"'],
      [randomTrace(31, 4).trace, 'test -e a && head -c 4 a | grep -q .'],
      [randomTrace(62, 5).trace, 'cat b d/a 2>/dev/null | head -c 700 | grep -q .'],
    ];
    let [remembered, failing] = [0, 0];
    for (const [trace, command] of cases) {
      const found: unknown[] = [];
      for (const remember of [false, true]) {
        const checker = new ProcessChecker({ command, remember, concurrency: 1 });
        const tools = { checker, store: new ContentStore(), verdicts: new VerdictCache() };
        const options = { ...tools, disksMax: 24, walkedMax: 500 };
        const { violations, violationCount, distinct } = await exploreModel(
          trace,
          modelByName('posix'),
          options,
        );
        found.push({ violationCount, distinct, states: violations.map(({ state }) => state) });
        remembered += checker.counts.remembered;
        failing += violationCount;
        await checker.close();
      }
      assert.deepEqual(found[1], found[0], command);
    }
    assert.ok(remembered > 20 && failing > 20, `${remembered} remembered, ${failing} failing`);
  },
);
