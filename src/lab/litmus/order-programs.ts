/** Litmus programs on order: what may survive without something that came before it. */

import type { LitmusProgram } from './litmus-program.ts';

const WEAK = ['posix', 'ext2', 'ext4-nojournal', 'apfs-fsync'];
const DELAYED = ['ext4', 'ext4-writeback', 'xfs', 'btrfs'];
const IN_PLACE = ['ext4', 'ext4-nodelalloc', 'ext4-writeback', 'xfs'];
const STREAMS = ['prefix', 'ext4', 'ext4-nodelalloc', 'ext4-journal', 'ext4-writeback', 'xfs'];
const RENAMED = 'NM op past an earlier NM op on another directory';

/** In the order of the table. */
export const orderPrograms: readonly LitmusProgram[] = [
  {
    name: 'rename-before-data',
    question: 'can a rename to a fresh name survive without the data written before it?',
    cell: 'NM past earlier AP of the same file; rename to a fresh name, no fsync',
    initial: {},
    steps: [
      ['create', 'new'],
      ['write', 'new', 0, 'N', 100],
      ['rename', 'new', 'file'],
    ],
    watch: { file: { N100: 'whole' } },
    expect: {
      shown: /file (empty|zeros)/,
      yes: [...DELAYED, ...WEAK, 'apfs-fullfsync'],
      no: ['prefix', 'ext4-journal', 'ext4-nodelalloc'],
    },
  },
  {
    name: 'rename-over',
    question: 'can a rename over another file leave neither the old nor the new bytes?',
    cell: 'rename over existing, no fsync',
    initial: { file: 'o100' },
    steps: [
      ['create', 'new'],
      ['write', 'new', 0, 'N', 100],
      ['rename', 'new', 'file'],
    ],
    watch: { file: { o100: 'old', N100: 'new' } },
    expect: {
      shown: /file (absent|empty|zeros|garbage)/,
      yes: [...DELAYED, ...WEAK],
      no: ['prefix', 'ext4-journal', 'ext4-nodelalloc'],
    },
  },
  {
    name: 'append-then-rename',
    question: 'can the rename of another file survive without an append made before it?',
    cell: 'AP enters the stream late',
    initial: { log: 'o100', a: 'x10' },
    steps: [
      ['write', 'log', 100, 'A', 100],
      ['rename', 'a', 'b'],
    ],
    watch: { log: { o100: 'old', 'o100 A100': 'appended' }, b: { x10: 'there' } },
    expect: {
      shown: /log old, b there/,
      yes: [...DELAYED, ...WEAK],
      no: ['prefix', 'ext4-journal', 'ext4-nodelalloc'],
    },
  },
  {
    name: 'two-appends-one-file',
    question: 'can the second of two appended blocks be there without the first?',
    cell: 'AP size past earlier AP size, same file; content of an AP block, size already grown',
    initial: { log: 'o4096' },
    steps: [
      ['write', 'log', 4096, 'A', 4096],
      ['write', 'log', 8192, 'B', 4096],
    ],
    watch: {
      log: { o4096: 'old', 'o4096 A4096 B4096': 'both', 'o4096 .4096 B4096': 'second only' },
    },
    expect: {
      shown: /second only/,
      yes: ['ext4', 'ext4-writeback', 'xfs', ...WEAK],
      no: ['prefix', 'ext4-journal', 'ext4-nodelalloc'],
    },
  },
  {
    name: 'two-appends-two-files',
    question: 'can an append survive without an earlier append to another file?',
    cell: 'AP past AP, other file',
    initial: { log: 'o100', index: 'o100' },
    steps: [
      ['write', 'log', 100, 'A', 100],
      ['write', 'index', 100, 'B', 100],
    ],
    watch: {
      log: { o100: 'old', 'o100 A100': 'new' },
      index: { o100: 'old', 'o100 B100': 'new' },
    },
    expect: {
      shown: /log old, index new/,
      yes: [...DELAYED, ...WEAK],
      no: ['prefix', 'ext4-journal', 'ext4-nodelalloc'],
    },
  },
  {
    name: 'overwrite-two-files',
    question: 'can an overwrite survive without an earlier overwrite of another file?',
    cell: 'OW past OW, other block or file',
    initial: { a: 'o100', b: 'o100' },
    steps: [
      ['write', 'a', 0, 'A', 100],
      ['write', 'b', 0, 'B', 100],
    ],
    watch: { a: { o100: 'old', A100: 'new' }, b: { o100: 'old', B100: 'new' } },
    expect: {
      shown: /a old, b new/,
      yes: [...IN_PLACE, 'btrfs', ...WEAK],
      no: ['prefix', 'ext4-journal'],
    },
  },
  {
    name: 'overwrite-then-rename',
    question: 'can a later rename survive without an overwrite made before it?',
    cell: 'OW past later metadata',
    initial: { f: 'o100', a: 'x10' },
    steps: [
      ['write', 'f', 0, 'N', 100],
      ['rename', 'a', 'b'],
    ],
    watch: { f: { o100: 'old', N100: 'new' }, b: { x10: 'there' } },
    expect: {
      shown: /f old, b there/,
      yes: [...IN_PLACE, 'btrfs', ...WEAK],
      no: ['prefix', 'ext4-journal'],
    },
  },
  {
    name: 'overwrite-ahead-of-rename',
    question: 'can an overwrite survive without an earlier rename?',
    cell: 'OW ahead of earlier uncommitted metadata',
    initial: { f: 'o100', a: 'x10' },
    steps: [
      ['rename', 'a', 'b'],
      ['write', 'f', 0, 'N', 100],
    ],
    watch: { f: { o100: 'old', N100: 'new' }, b: { x10: 'there' } },
    expect: {
      shown: /f new, b absent/,
      yes: [...IN_PLACE, ...WEAK],
      no: ['prefix', 'ext4-journal', 'btrfs'],
    },
  },
  {
    name: 'header-ahead-of-growth',
    question: 'can a header that was overwritten last survive while the growth before it is lost?',
    cell: 'OW ahead of earlier uncommitted metadata, same file',
    initial: { f: 'o4096' },
    steps: [
      ['write', 'f', 4096, 'A', 100],
      ['write', 'f', 0, 'H', 100],
    ],
    watch: {
      f: {
        o4096: 'old',
        'H100 o3996': 'header only',
        'H100 o3996 A100': 'both',
        'o4096 A100': 'growth only',
        'H100 o3996 .100': 'header and zeros',
      },
    },
    expect: { shown: /header only/, yes: [...IN_PLACE, ...WEAK], no: ['prefix', 'ext4-journal'] },
  },
  {
    name: 'rename-past-rename',
    question: 'can a rename survive without an earlier one in another directory?',
    cell: RENAMED,
    initial: { d: 'dir', e: 'dir', 'd/a': 'x10', 'e/a': 'y10' },
    steps: [
      ['rename', 'd/a', 'd/b'],
      ['rename', 'e/a', 'e/b'],
    ],
    watch: { 'd/b': { x10: 'there' }, 'e/b': { y10: 'there' } },
    expect: { shown: /d\/b absent, e\/b there/, yes: WEAK, no: [...STREAMS, 'btrfs'] },
  },
  {
    name: 'create-past-unlink',
    question: 'can a new name survive without an earlier unlink?',
    cell: RENAMED,
    initial: { old: 'x10' },
    steps: [
      ['unlink', 'old'],
      ['create', 'new'],
    ],
    watch: { old: { x10: 'there' }, new: { '': 'there' } },
    expect: { shown: /old there, new there/, yes: WEAK, no: [...STREAMS, 'btrfs'] },
  },
  {
    name: 'link-then-unlink',
    question: 'can a file that got a second name and lost its first be left with none?',
    cell: RENAMED,
    initial: { a: 'x10' },
    steps: [
      ['link', 'a', 'b'],
      ['unlink', 'a'],
    ],
    watch: { a: { x10: 'there' }, b: { x10: 'there' } },
    expect: { shown: /a absent, b absent/, yes: WEAK, no: [...STREAMS, 'btrfs'] },
  },
  {
    name: 'exchange',
    question: 'can an exchange of two names leave one file under both, or lose one?',
    cell: 'rename atomic',
    initial: { a: 'a10', b: 'b10' },
    steps: [['exchange', 'a', 'b']],
    watch: { a: { a10: 'first', b10: 'second' }, b: { a10: 'first', b10: 'second' } },
    expect: {
      shown: /(first, b first|second, b second|absent)/,
      yes: [],
      no: [...STREAMS, 'btrfs', 'posix'],
    },
    notOn: ['ext2'],
  },
  {
    name: 'rename-halves',
    question: 'can a rename leave both names, or neither?',
    cell: 'rename atomic',
    initial: { d: 'dir', e: 'dir', 'd/a': 'x10' },
    steps: [['rename', 'd/a', 'e/a']],
    watch: { 'd/a': { x10: 'there' }, 'e/a': { x10: 'there' } },
    expect: {
      shown: /there, e\/a there|absent, e\/a absent/,
      yes: ['posix', 'btrfs', 'ext2', 'ext4-nojournal', 'posix+splitrename'],
      no: [...STREAMS, 'apfs-fsync'],
    },
  },
  {
    name: 'truncate-then-rename',
    question: 'can a later rename survive without an earlier truncation?',
    cell: 'metadata (NM, SZ, AT) survive as a prefix of the stream',
    initial: { f: 'o4096', a: 'x10' },
    steps: [
      ['truncate', 'f', 100],
      ['rename', 'a', 'b'],
    ],
    watch: { f: { o4096: 'long', o100: 'short' }, b: { x10: 'there' } },
    expect: { shown: /f long, b there/, yes: WEAK, no: [...STREAMS, 'btrfs'] },
  },
  {
    name: 'truncate-up-then-rename',
    question: 'can a later rename survive without an earlier growth by truncate?',
    cell: 'metadata (NM, SZ, AT) survive as a prefix of the stream',
    initial: { f: 'o100', a: 'x10' },
    steps: [
      ['truncate', 'f', 200],
      ['rename', 'a', 'b'],
    ],
    watch: { f: { o100: 'short', 'o100 .100': 'grown' }, b: { x10: 'there' } },
    expect: { shown: /f short, b there/, yes: WEAK, no: [...STREAMS, 'btrfs'] },
  },
  {
    name: 'chmod-then-rename',
    question: 'can a later rename survive without an earlier change of mode?',
    cell: 'metadata (NM, SZ, AT) survive as a prefix of the stream',
    initial: { f: 'o100', a: 'x10' },
    steps: [
      ['chmod', 'f', 0o600],
      ['rename', 'a', 'b'],
    ],
    watch: { f: { '644 o100': 'old mode', '600 o100': 'new mode' }, b: { x10: 'there' } },
    expect: { shown: /f old mode, b there/, yes: WEAK, no: [...STREAMS, 'btrfs'] },
  },
];
