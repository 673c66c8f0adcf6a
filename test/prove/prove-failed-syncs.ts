/**
 * What a failed fsync leaves on a real kernel: one block of a file is overwritten, its write fails below the file
 * system, and the file is looked at. Writes docs/models/failed-syncs.md.
 *
 *   npm run prove:failed-syncs
 */

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { errorCode } from '../../src/vfs/errno.ts';
import { FailingDisk, type DiskRange } from '../support/failing-disk.ts';

const PAGE = 'docs/models/failed-syncs.md';
const BLOCK_BYTES = 4096;
const OLD = Buffer.alloc(BLOCK_BYTES, 'the old block, ');
const NEW = Buffer.alloc(BLOCK_BYTES, 'the new block; ');

interface Row {
  readonly name: string;
  readonly fileSystem: string;
  /** What fails: the block of the file, wherever data can be written, or every write. */
  readonly fails: 'block' | 'data' | 'all';
}

const ROWS: readonly Row[] = [
  { name: 'ext4', fileSystem: 'ext4', fails: 'block' },
  { name: 'ext4, data=journal', fileSystem: 'ext4-journal', fails: 'block' },
  { name: 'XFS', fileSystem: 'xfs', fails: 'block' },
  { name: 'btrfs', fileSystem: 'btrfs', fails: 'data' },
  { name: 'btrfs, file without copy on write', fileSystem: 'btrfs', fails: 'block' },
  { name: 'ext4, every write fails', fileSystem: 'ext4', fails: 'all' },
  { name: 'XFS, every write fails', fileSystem: 'xfs', fails: 'all' },
  { name: 'btrfs, every write fails', fileSystem: 'btrfs', fails: 'all' },
];

const HEAD = [
  '# What a failed fsync leaves',
  '',
  'Written by `npm run prove:failed-syncs`. A block of a file is on the disk; it is overwritten, and its write is made to',
  'fail with an I/O error below the file system (`blkdebug` of qemu-storage-daemon); on btrfs, which writes it anew in',
  'another place, wherever data goes. Then, in this order: fsync through the same descriptor, again, a read, fsync through',
  'a descriptor opened later; the disk is mended; fsync once more, without writing; a read; a power cut at this moment;',
  'unmounted, mounted, and read.',
  '',
];

const TAIL = [
  '',
  '_new_ and _old_ are what a read returns. A second fsync that returns although the new block is nowhere but in memory is',
  'why a failed sync is never repeated here, and why whatever a process finds in a file whose last sync it does not know is',
  'written again and synced before it is served ([assumption 7](../assumptions.md)). That the stores do so on these kernels',
  'is `test/root/store-failed-sync.test.ts`.',
  '',
];

async function main(): Promise<void> {
  const lines = [
    ...HEAD,
    `Linux ${release()}.`,
    '',
    '| | 1st fsync | 2nd | read | other descriptor | mended: fsync | read | power cut | mounted again | writable meanwhile |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const row of ROWS) {
    const cells = await look(row);
    lines.push(`| ${[row.name, ...cells].join(' | ')} |`);
    console.log(lines.at(-1));
  }
  writeFileSync(PAGE, [...lines, ...TAIL].join('\n'));
}

async function look({ fileSystem, fails }: Row): Promise<string[]> {
  const disk = await FailingDisk.create(fileSystem);
  try {
    const path = join(disk.path, 'file');
    writeFileSync(path, '');
    if (fileSystem === 'btrfs' && fails === 'block') execFileSync('chattr', ['+C', path]);
    const file = openSync(path, 'r+');
    writeSync(file, OLD);
    fsyncSync(file);
    await disk.fail(rangesOf(disk, path, fails));
    const cells: string[] = [];
    writeSync(file, NEW, 0, BLOCK_BYTES, 0);
    cells.push(tried(() => fsyncSync(file)));
    cells.push(tried(() => fsyncSync(file)));
    cells.push(shown(file));
    cells.push(
      tried(() => {
        const other = openSync(path, 'r+');
        try {
          fsyncSync(other);
        } finally {
          closeSync(other);
        }
      }),
    );
    await disk.heal();
    cells.push(tried(() => fsyncSync(file)));
    cells.push(shown(file));
    cells.push(await disk.afterPowerCut(async (cut) => said(readFileSync(join(cut, 'file')))));
    const writable = tried(() => writeFileSync(join(disk.path, 'another'), 'x'));
    closeSync(file);
    await disk.unmount();
    await disk.mount();
    cells.push(said(readFileSync(path)), writable === 'returns' ? 'yes' : `no (${writable})`);
    return cells;
  } finally {
    await disk.close();
  }
}

/** None for every write. */
function rangesOf(disk: FailingDisk, path: string, fails: Row['fails']): DiskRange[] {
  if (fails === 'all') return [];
  return fails === 'data' ? disk.rangesOf(path) : placesOf(OLD, disk.imagePath);
}

/** Where the image holds this block. */
function placesOf(block: Buffer, image: string): DiskRange[] {
  const bytes = readFileSync(image);
  const places: DiskRange[] = [];
  for (let at = bytes.indexOf(block); at !== -1; at = bytes.indexOf(block, at + 1)) {
    places.push({ offset: at, length: BLOCK_BYTES });
  }
  return places;
}

function tried(call: () => void): string {
  try {
    call();
    return 'returns';
  } catch (error) {
    // What it fails with is what is asked for.
    return errorCode(error) ?? String(error);
  }
}

function shown(file: number): string {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const outcome = tried(() => void readSync(file, bytes, 0, BLOCK_BYTES, 0));
  return outcome === 'returns' ? said(bytes) : outcome;
}

function said(bytes: Buffer): string {
  if (bytes.equals(NEW)) return 'new';
  return bytes.equals(OLD) ? 'old' : 'something else';
}

// It takes no words: wrong ones are named.
parseArgs();
await main();
