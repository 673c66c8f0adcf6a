import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AnswerMemo } from '../../../../src/lab/check/answer-memo.ts';
import type { CrashedDisk } from '../../../../src/lab/check/checker.ts';
import { DiskAnswers, type DiskQuestion } from '../../../../src/lab/check/disk-question.ts';
import { questionsAsked } from '../../../../src/lab/check/process-reads.ts';
import type { MarkOperation } from '../../../../src/lab/record/operation.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';
import type { FileTreeNode } from '../../../../src/vfs/file-tree.ts';

function disk(
  files: Record<string, string>,
  links: Record<string, string> = {},
  said = '',
): CrashedDisk {
  const tree = treeOf(files);
  const entries = new Map<string, FileTreeNode>(tree.entries);
  for (const [name, target] of Object.entries(links))
    entries.set(name, { kind: 'symlink', target });
  const time = { start: 1, end: 2, thread: 0, stack: -1, path: '' };
  const marks: MarkOperation[] = [{ kind: 'mark', source: 'stdout', text: said, ...time }];
  return { root: { ...tree, entries }, marks };
}

function same(question: DiskQuestion, one: CrashedDisk, other: CrashedDisk): boolean {
  return new DiskAnswers(one).answer(question) === new DiskAnswers(other).answer(question);
}

test('an answer is the same exactly when the question cannot tell the disks apart', () => {
  const base = disk({ a: 'xx', 'd/b': '1' }, { l: 'd' }, 'said');
  const others: [CrashedDisk, DiskQuestion[], DiskQuestion[]][] = [
    [
      disk({ a: 'yy', 'd/b': '1' }, { l: 'd' }, 'said'),
      ['na', 'nl/b', 'od', 'nd/../d/b'],
      ['oa', 'ta', 't'],
    ],
    [disk({ a: 'x', 'd/b': '1' }, { l: 'd' }, 'said'), ['od', 'o'], ['na', 'oa']],
    [disk({ 'd/b': '1' }, { l: 'd' }, 'said'), ['od', 'nnothing'], ['na', 'o']],
    [
      disk({ a: 'xx', 'd/b': '1', 'd/c': '' }, { l: 'd' }, 'said'),
      ['nd', 'nd/b', 'ol/b'],
      ['od', 'ol', 'nd/c', 'td'],
    ],
    [
      disk({ a: 'xx', 'd/b': '2' }, { l: 'd' }, 'said'),
      ['od', 'nl/b'],
      ['od/b', 'ol/b', 'td', 'tl'],
    ],
    [
      disk({ a: 'xx', 'd/b': '1', 'e/b': '1' }, { l: 'e' }, 'said'),
      ['nd', 'od'],
      ['nl', 'ol', 'nl/b'],
    ],
    [disk({ a: 'xx', 'd/b': '1' }, { l: 'd' }, 'more'), ['oa', 't'], ['a']],
    [disk({ 'a/x': '', 'd/b': '1' }, { l: 'd' }, 'said'), ['nd'], ['na', 'na/x', 'na/y']],
  ];
  for (const [index, [other, equal, different]] of others.entries()) {
    for (const question of equal)
      assert.equal(same(question, base, other), true, `${index} ${question}`);
    for (const question of different)
      assert.equal(same(question, base, other), false, `${index} ${question}`);
  }
});

test('a file with two names is not taken for two equal files', () => {
  const content = new Uint8Array(1);
  const linked = (inodes: [number, number]): CrashedDisk => {
    const [a, b] = inodes.map((inode): FileTreeNode => ({
      kind: 'file',
      mode: 0o644,
      content,
      inode,
    }));
    const entries = new Map(
      Object.entries({ a, b }).flatMap(([name, node]) => (node ? [[name, node]] : [])),
    );
    return { root: { kind: 'directory', mode: 0o755, entries }, marks: [] };
  };
  assert.equal(same('na', linked([1, 1]), linked([1, 2])), false);
  assert.equal(same('na', linked([1, 1]), linked([7, 7])), true);
  assert.equal(same('na', linked([1, 2]), linked([3, 4])), true);
});

test('links that lead out, in circles or nowhere have an answer', () => {
  const answers = new DiskAnswers(
    disk({ a: '' }, { up: '../x', etc: '/etc/passwd', loop: 'loop', gone: 'b' }),
  );
  for (const name of ['up', 'etc', 'loop', 'gone'])
    assert.match(answers.answer(`o${name}`), /absent$/);
  assert.match(answers.answer('n../a'), /^out absent$/);
});

test('a result is found again by what its run asked, and by nothing else', () => {
  const memo = new AnswerMemo<string>();
  const first = disk({ a: '1', b: '1' });
  assert.equal(memo.find(first), null);
  memo.add(first, ['oa'], 'A is 1');
  memo.add(disk({ a: '2', b: '1' }), ['oa', 'ob'], 'A is 2, B is 1');
  memo.add(disk({ a: '2', b: '2' }), ['oa', 'ob', 'oa'], 'A is 2, B is 2');
  assert.equal(memo.find(disk({ a: '1', b: '9', c: '' }))?.value, 'A is 1');
  assert.equal(memo.find(disk({ a: '2', b: '2', c: '' }))?.value, 'A is 2, B is 2');
  assert.equal(memo.find(disk({ a: '2', b: '3' })), null);
  assert.equal(memo.find(disk({ a: '3', b: '1' })), null);
  assert.equal(memo.size, 3);
  // A run that began with another question (threads) is found all the same.
  memo.add(disk({ a: '3', c: '7' }), ['oc'], 'C is 7');
  assert.equal(memo.find(disk({ a: '2', b: '5', c: '7' }))?.value, 'C is 7');
  const blind = new AnswerMemo<string>();
  blind.add(first, [], 'asks nothing');
  assert.equal(blind.find(disk({}))?.value, 'asks nothing');
});

const place = { state: '/tmp/s/state', acks: '/tmp/s/acks' };

function asked(...lines: string[]): readonly string[] | null {
  return questionsAsked(lines.map((line) => `12  ${line}`).join('\n'), place);
}

test('a log of calls becomes the questions that they ask of the state', () => {
  const cwd = 'AT_FDCWD</tmp/s/state>';
  assert.deepEqual(
    asked(
      `execve("/usr/bin/cat", ["cat", "a"], 0x1 /* 3 vars */) = 0`,
      `openat(${cwd}, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>`,
      `openat(${cwd}, "l", O_RDONLY) = 3</tmp/s/state/d/t>`,
      `newfstatat(3</tmp/s/state/d/t>, "", {st_mode=S_IFREG|0644}, AT_EMPTY_PATH) = 0`,
      `statx(4</tmp/s/state/d>, "../q\\"\\303\\274", 0) = -1 ENOENT (No such file or directory)`,
      `openat(${cwd}, "new", O_WRONLY|O_CREAT|O_EXCL, 0600 <unfinished ...>`,
      `<... openat resumed>) = 3</tmp/s/state/new>`,
      `openat(${cwd}, "/tmp/s/acks", O_RDONLY) = 3</tmp/s/acks>`,
      `renameat2(${cwd}, "x", ${cwd}, "y", RENAME_NOREPLACE) = 0`,
      `access("z", R_OK) = 0`,
      `readlink("k", "whatever"..., 4096) = 99`,
      `--- SIGCHLD {si_signo=SIGCHLD} ---`,
      `execve("./run", ["./run", "arg"...], 0x1) = 0`,
      `openat(5</tmp/s/state/../state//d>, "./g", O_RDONLY) = 3</tmp/s/state/d/g>`,
    ),
    ['od/t', 'ol', 'nd/../q"ü', 'nnew', 'a', 'tx', 'ty', 'nz', 'nk', 'orun', 'od/g'],
  );
  assert.deepEqual(asked(`symlink("a", "b") = 0`), ['t', 'ta', 'tb']);
});

test('a run that did what cannot be followed is not remembered', () => {
  const cases = [
    'io_uring_setup(8, {flags=0}) = 3',
    'open_by_handle_at(3, {}, O_RDONLY) = 4',
    'mount("x", "y", "z", 0, NULL) = 0',
    'openat(AT_FDCWD</tmp/s/state>, "/proc/self/cwd/a", O_RDONLY) = 3</tmp/s/state/a>',
    'openat(AT_FDCWD</tmp/s/state>, "/proc/77/fd/3", O_RDONLY) = 3</tmp/s/state/a>',
    'newfstatat(AT_FDCWD</tmp/s/state>, "link/../../x", {}, 0) = 0',
  ];
  for (const line of cases) assert.equal(asked(line), null, line);
  // Where a relative path leads is not known once somebody went elsewhere, unless the call says it.
  assert.equal(asked('chdir("d") = 0', 'unlink("a") = 0'), null);
  const said = asked('chdir("d") = 0', 'unlinkat(AT_FDCWD</tmp/s/state/d>, "a", 0) = 0');
  assert.deepEqual(said, ['nd', 'nd/a']);
});
