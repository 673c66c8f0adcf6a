/**
 * Whether a returned fdatasync covers what was written, asked of a program without anything of Holdfast's storage in
 * it: two processes that write and sync blocks of a file each (`test/root/two-files-program.ts`), on ext4 with
 * fast_commit and on others. Writes docs/models/fast-commit.md.
 *
 *   npm run prove:rig:fast-commit -- [--images 300]
 */

import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';

import { countFlushes, cutPowerOfTwoFiles, WAYS } from '../support/two-files.ts';

const PAGE = 'docs/models/fast-commit.md';
const COUNTED_RUNS = 5;
const FILE_SYSTEMS = ['ext4-fastcommit', 'ext4', 'xfs'];

const HEAD = [
  '# Two programs that sync on ext4 with `fast_commit`',
  '',
  'Written by `npm run prove:rig:fast-commit`. Two processes, with nothing of Holdfast in them but the call that notes',
  'what they have said, write blocks into a file each and sync every one with `fdatasync`: appended, or over zeros that',
  'were synced just before. Columns: syncs that returned; of them, those between whose write and return the disk completed no',
  'flush; then, of disks that a power cut leaves: mounted, different trees among them, and trees without a block whose',
  'sync had returned; and disks that could not be mounted or read although no write was torn.',
  '',
];

const TAIL = [
  '',
  '## Why',
  '',
  'In `fs/ext4/fast_commit.c` and `fs/jbd2/journal.c` ([6.18](https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/fs/ext4/fast_commit.c?h=v6.18)):',
  '',
  '- `ext4_fsync_journal` asks for no flush of its own while the transaction that the file belongs to is the running one,',
  '  and after fast commits it still is: the commit will flush.',
  '- `ext4_fc_commit` notes how many fast commits have ended (`s_fc_subtid`), then asks to begin one. While another is',
  '  under way, `jbd2_fc_begin_commit` waits for its end and answers `-EALREADY`. The number is higher by then, so',
  '  `ext4_fc_commit` takes that commit for its own and returns 0.',
  '- But that commit may have collected its inodes and sent its flush before this file was written: neither the new size',
  '  nor, in place, the data is on the disk when `fdatasync` returns.',
  '',
  'Disks that cannot be mounted:',
  '',
  '- `EUCLEAN`, and "JBD2: corrupted journal superblock" in the kernel\'s log: an area for fast commits that is full to its',
  '  last block. `fc_do_one_pass` goes on to the block after it, which `jread` refuses.',
  '- `ECANCELED`: `ext4_fc_replay_scan` answers so, instead of ending the replay, where the first fast commit of a',
  '  transaction is only partly on the disk; the mount fails with it.',
  '',
  'Others have lost data on `fast_commit` too: [bbolt 562](https://github.com/etcd-io/bbolt/issues/562) and its',
  '[list of kernels with mended defects](https://github.com/etcd-io/bbolt/pull/1139), none of which is this one.',
  '',
];

const { values } = parseArgs({ options: { images: { type: 'string', default: '300' } } });

async function main(): Promise<void> {
  const lines = [
    ...HEAD,
    `Linux ${release()}.`,
    '',
    '| File system | Blocks | Returned | Without a flush | Mounted | Trees | Trees with a loss | Not mounted, nothing torn |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const fileSystem of FILE_SYSTEMS) {
    for (const way of WAYS) {
      const { returned, unflushed } = await countFlushes(fileSystem, way, COUNTED_RUNS);
      const result = await cutPowerOfTwoFiles(fileSystem, way, Number(values.images));
      const { imagesMounted, distinctTrees } = result.certificate;
      const lost = result.findings.reduce((sum, { trees }) => sum + trees, 0);
      const damaged = result.damage
        .filter(({ imagesWithoutTear }) => imagesWithoutTear > 0)
        .map(({ message, imagesWithoutTear }) => `${imagesWithoutTear} (${message})`);
      const cells = [way, returned, unflushed, imagesMounted, distinctTrees, lost];
      lines.push(`| ${[fileSystem, ...cells, damaged.join('; ') || '0'].join(' | ')} |`);
      console.log(lines.at(-1));
    }
  }
  writeFileSync(PAGE, [...lines, ...TAIL].join('\n'));
}

await main();
