/** Litmus programs on content: what a block that no sync covers may hold. */

import type { LitmusProgram } from './litmus-program.ts';

const IN_PLACE = ['ext4', 'ext4-nodelalloc', 'ext4-writeback', 'xfs', 'posix', 'ext2'];
const WHOLE = ['prefix', 'ext4-journal'];

/** In the order of the table. */
export const contentPrograms: readonly LitmusProgram[] = [
  {
    name: 'overwrite-torn',
    question: 'can one overwritten block be torn?',
    cell: 'tear unit inside a block',
    initial: { f: 'o4096' },
    steps: [['write', 'f', 0, 'N', 4096]],
    watch: { f: { o4096: 'old', N4096: 'new' } },
    expect: { shown: /mixed/, yes: IN_PLACE, no: [...WHOLE, 'btrfs', 'apfs-fullfsync'] },
  },
  {
    name: 'overwrite-subset',
    question: 'can the last of two blocks overwritten by one write arrive without the first?',
    cell: 'multi-block write, OW',
    initial: { f: 'o8192' },
    steps: [['write', 'f', 0, 'N', 8192]],
    watch: {
      f: {
        o8192: 'old',
        N8192: 'new',
        'N4096 o4096': 'first block only',
        'o4096 N4096': 'last block only',
      },
    },
    expect: { shown: /last block only/, yes: [...IN_PLACE, 'btrfs'], no: WHOLE },
  },
  {
    name: 'append-subset',
    question: 'can the last of two blocks appended by one write be there without the first?',
    cell: 'multi-block write, AP',
    initial: { f: 'o4096' },
    steps: [['write', 'f', 4096, 'N', 8192]],
    watch: {
      f: {
        o4096: 'old',
        'o4096 N4096': 'first block',
        'o4096 N8192': 'new',
        'o4096 .4096 N4096': 'last block only',
      },
    },
    expect: {
      shown: /last block only/,
      yes: ['ext4', 'ext4-writeback', 'xfs', 'posix'],
      no: [...WHOLE, 'ext4-nodelalloc'],
    },
  },
  {
    name: 'append-stale',
    question: 'can an appended block show what was freed before?',
    cell: 'AP/UW block, size already grown: stale garbage',
    initial: { old: 'o4096', f: 'x10' },
    steps: [
      ['unlink', 'old'],
      ['create', 'g'],
      ['write', 'g', 0, 'N', 4096],
    ],
    watch: { g: { N4096: 'new', o4096: 'stale' } },
    expect: {
      shown: /stale|garbage/,
      yes: ['ext4-writeback', 'ext2', 'ext4-nojournal', 'posix'],
      no: ['prefix', 'ext4', 'ext4-nodelalloc', 'ext4-journal', 'xfs', 'btrfs'],
    },
  },
  {
    name: 'truncate-rewrite',
    question: 'can a file that was truncated and rewritten be empty, or zeros?',
    cell: 'truncate to 0 then rewrite',
    initial: { f: 'o4096' },
    steps: [
      ['truncate', 'f', 0],
      ['write', 'f', 0, 'N', 4096],
    ],
    watch: { f: { o4096: 'old', N4096: 'new' } },
    expect: {
      shown: /empty|zeros/,
      yes: ['prefix', 'ext4', 'ext4-journal', 'ext4-writeback', 'xfs', 'btrfs', 'posix'],
      no: [],
    },
  },
  {
    name: 'truncate-rewrite-zeros',
    question: 'can a file that was truncated and rewritten have its size and zeros in it?',
    cell: 'truncate to 0 then rewrite',
    initial: { f: 'o8192' },
    steps: [
      ['truncate', 'f', 0],
      ['write', 'f', 0, 'N', 8192],
    ],
    watch: { f: { o8192: 'old', N8192: 'new', N4096: 'half' } },
    expect: {
      shown: /zeros/,
      yes: ['ext4', 'ext4-writeback', 'xfs', 'posix'],
      no: [...WHOLE, 'ext4-nodelalloc'],
    },
  },
  {
    name: 'hole-write',
    question: 'can a hole that was written to show zeros while a later rename is there?',
    cell: 'UW block: data or zeros; OW past later metadata',
    initial: { f: '.8192 o100', a: 'x10' },
    steps: [
      ['write', 'f', 4096, 'N', 100],
      ['rename', 'a', 'b'],
    ],
    watch: {
      f: { '.8192 o100': 'hole', '.4096 N100 .3996 o100': 'written' },
      b: { x10: 'there' },
    },
    expect: {
      shown: /f hole, b there/,
      yes: ['ext4', 'ext4-writeback', 'xfs', 'btrfs', 'posix'],
      no: WHOLE,
    },
  },
  {
    name: 'preallocated-write',
    question:
      'can a block of preallocated space that was written to show anything but zeros or it?',
    cell: 'UW block: data or zeros',
    initial: { f: 'o100' },
    steps: [
      ['allocate', 'f', 0, 4096],
      ['fsync', 'f'],
      ['write', 'f', 100, 'N', 100],
    ],
    watch: { f: { 'o100 .3996': 'before', 'o100 N100 .3896': 'written' } },
    expect: {
      shown: /f (?!before|written)/,
      yes: [],
      no: ['prefix', 'ext4', 'ext4-nodelalloc', 'ext4-journal', 'xfs', 'btrfs', 'posix'],
    },
    // fallocate(2) is for extents.
    notOn: ['ext2'],
  },
];
