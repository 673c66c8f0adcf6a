/** Litmus programs on what a name leads to: inodes and blocks that are given out again, directories that move. */

import type { LitmusProgram } from './litmus-program.ts';

const STREAMS = [
  'prefix',
  'ext4',
  'ext4-nodelalloc',
  'ext4-journal',
  'ext4-writeback',
  'ext4+fastcommit',
  'xfs',
];
const BARE = ['ext2', 'ext4-nojournal'];

/** In the order of the table. */
export const namePrograms: readonly LitmusProgram[] = [
  {
    name: 'unlink-inode-reused',
    question: "can an unlinked name come back with a later file's synced bytes?",
    cell: 'no journal: an inode is given out again before the name that led to it is gone',
    initial: { old: 'x10' },
    steps: [
      ['unlink', 'old'],
      ['create', 'new'],
      ['write', 'new', 0, 'N', 10],
      ['fsync', 'new'],
    ],
    watch: { old: { x10: 'there', N10: "with new's bytes" }, new: { N10: 'there' } },
    expect: {
      shown: /old with new's bytes/,
      yes: BARE,
      no: [...STREAMS, 'btrfs', 'apfs-fullfsync', 'posix'],
    },
  },
  {
    name: 'unlink-block-reused',
    question: 'can a file whose unlink was lost show what was appended to another one later?',
    cell: 'no journal, or data=writeback: a block is given out again before the file that had it is gone',
    initial: { old: 'o4096', f: 'x4096' },
    steps: [
      ['unlink', 'old'],
      ['write', 'f', 4096, 'N', 4096],
    ],
    watch: {
      old: { o4096: 'there', N4096: "with f's bytes" },
      f: { x4096: 'old', 'x4096 N4096': 'new' },
    },
    expect: {
      shown: /old with f's bytes/,
      yes: [...BARE, 'ext4-writeback'],
      no: [...STREAMS.filter((one) => one !== 'ext4-writeback'), 'btrfs', 'posix'],
    },
  },
  {
    name: 'truncate-block-reused',
    question: 'can a file whose truncation was lost show what was appended to another one later?',
    cell: 'no journal, or data=writeback: a block is given out again before the file that had it is cut',
    initial: { old: 'o4096', f: 'x4096' },
    steps: [
      ['truncate', 'old', 0],
      ['write', 'f', 4096, 'N', 4096],
    ],
    watch: {
      old: { o4096: 'there', N4096: "with f's bytes" },
      f: { x4096: 'old', 'x4096 N4096': 'new' },
    },
    expect: {
      shown: /old with f's bytes/,
      yes: [...BARE, 'ext4-writeback'],
      no: [...STREAMS.filter((one) => one !== 'ext4-writeback'), 'btrfs', 'posix'],
    },
  },
  {
    name: 'mkdir-past-unlink',
    question: 'can an unlinked name come back as a directory that was made later?',
    cell: 'no journal: an inode is given out again before the name that led to it is gone',
    initial: { d: 'dir', 'd/old': 'x10' },
    steps: [
      ['unlink', 'd/old'],
      ['mkdir', 'd/new'],
    ],
    watch: { 'd/old': { x10: 'file' }, 'd/new': {} },
    expect: {
      shown: /d\/old there/,
      yes: BARE,
      no: [...STREAMS, 'btrfs', 'apfs-fullfsync', 'posix'],
    },
  },
  {
    name: 'create-past-rmdir',
    question: 'can the name of a new file lead to a directory that was removed before?',
    cell: 'no journal: an inode is given out again before the name that led to it is gone',
    initial: { d: 'dir', 'd/old': 'dir' },
    steps: [
      ['rmdir', 'd/old'],
      ['create', 'd/new'],
      ['write', 'd/new', 0, 'N', 10],
    ],
    watch: { 'd/old': { '': 'file', N10: 'file' }, 'd/new': { '': 'file', N10: 'file' } },
    expect: {
      shown: /d\/new there/,
      yes: BARE,
      no: [...STREAMS, 'btrfs', 'apfs-fullfsync', 'posix'],
    },
  },
  {
    name: 'mkdir-fsync-parent',
    question: 'can a new directory be gone after fsync of the directory above it?',
    cell: 'fsync(dir): its entries, with what they lead to',
    initial: { d: 'dir' },
    steps: [
      ['mkdir', 'd/e'],
      ['fsync', 'd'],
    ],
    watch: { 'd/e': {} },
    expect: {
      shown: /absent/,
      yes: BARE,
      no: [...STREAMS, 'btrfs', 'apfs-fullfsync', 'posix'],
    },
  },
  {
    name: 'move-fsync-source',
    question: 'can a file that was moved be in neither directory after fsync of the old one?',
    cell: 'fsync(dir); rename atomic',
    initial: { d: 'dir', e: 'dir', 'd/a': 'x10' },
    steps: [
      ['rename', 'd/a', 'e/a'],
      ['fsync', 'd'],
    ],
    watch: { 'd/a': { x10: 'there' }, 'e/a': { x10: 'there' } },
    expect: {
      shown: /d\/a absent, e\/a absent/,
      yes: ['posix', ...BARE],
      no: [...STREAMS, 'btrfs'],
    },
  },
  {
    name: 'rename-directory-fsync-it',
    question: 'can the rename of a directory be lost after fsync of that directory?',
    cell: 'fsync(dir): rename of dir issued before',
    initial: { d: 'dir', 'd/f': 'x10' },
    steps: [
      ['rename', 'd', 'e'],
      ['fsync', 'e'],
    ],
    watch: { 'd/f': { x10: 'there' }, 'e/f': { x10: 'there' } },
    expect: { shown: /e\/f absent/, yes: ['posix', ...BARE], no: [...STREAMS, 'btrfs'] },
  },
  {
    name: 'rename-directory-fsync-inside',
    question: 'can the rename of a directory be lost after fsync of a file in it?',
    cell: 'fsync(f): rename of the directory above issued before',
    initial: { d: 'dir', 'd/f': 'x10' },
    steps: [
      ['rename', 'd', 'e'],
      ['write', 'e/f', 0, 'N', 10],
      ['fsync', 'e/f'],
    ],
    watch: { 'd/f': { x10: 'old', N10: 'new' }, 'e/f': { x10: 'old', N10: 'new' } },
    expect: { shown: /e\/f absent/, yes: ['posix', 'btrfs', ...BARE], no: [] },
  },
  {
    name: 'rename-directory-fsync-new-inside',
    question: 'can the rename of a directory be lost after fsync of a new file in it?',
    cell: 'fsync(f): rename of the directory above issued before',
    initial: { d: 'dir', 'd/g': 'x10' },
    steps: [
      ['rename', 'd', 'e'],
      ['create', 'e/f'],
      ['write', 'e/f', 0, 'N', 10],
      ['fsync', 'e/f'],
    ],
    watch: { 'd/f': { N10: 'new' }, 'e/f': { N10: 'new' } },
    expect: {
      shown: /e\/f absent/,
      yes: ['posix', 'ext4+fastcommit', ...BARE],
      no: ['ext4', 'ext4-journal', 'xfs'],
    },
  },
];
