/**
 * What `test/root/two-files-program.ts` writes, and two questions about it that need no store: was a flush of the
 * disk's cache completed between the write of a block and the return of the fdatasync that covers it; and is every
 * block that was said to be synced on a disk that a power cut left.
 */

import { fileURLToPath } from 'node:url';

import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import { BlockLogReader } from '../../src/lab/powercut/block-log.ts';
import { diskProfile } from '../../src/lab/powercut/disk-profile.ts';
import type { PowercutResult } from '../../src/lab/powercut/powercut-result.ts';
import { type LoggedRun, Rig } from '../../src/lab/powercut/rig.ts';
import { cutPower } from './powercut-needs.ts';

export const FILES: readonly string[] = ['one', 'two'];
export const BLOCKS = 60;
export const BLOCK_BYTES = 4096;
/** How the blocks are written. */
export const WAYS: readonly string[] = ['append', 'overwrite'];

const PROGRAM = fileURLToPath(new URL('../root/two-files-program.js', import.meta.url));

/** Content of a block; no other has the same. */
export function blockOf(file: string, number: number): Buffer {
  return Buffer.alloc(BLOCK_BYTES, `block ${number} of file ${file}; `);
}

/** Of syncs that returned. */
export interface SyncCounts {
  readonly returned: number;
  /** Of them, those between whose data and return no flush was completed. */
  readonly unflushed: number;
}

function programOf(way: string): string[] {
  return [process.execPath, PROGRAM, way];
}

/** Runs the program a few times, with nothing done beside it, and looks at the order of writes, flushes and returns. */
export async function countFlushes(
  fileSystem: string,
  way: string,
  runs: number,
  mountOptions: string = '',
): Promise<SyncCounts> {
  const rig = await Rig.create({ profile: diskProfile(fileSystem), mountOptions });
  try {
    let [returned, unflushed] = [0, 0];
    const plan = { seed: 1, duringChance: 0, atEnd: [] };
    for (let number = 0; number < runs; number++) {
      const run = await rig.run(programOf(way), plan);
      const counts = countIn(run);
      run.discard();
      returned += counts.returned;
      unflushed += counts.unflushed;
    }
    return { returned, unflushed };
  } finally {
    await rig.close();
  }
}

function countIn(run: LoggedRun): SyncCounts {
  const written = new Map<string, number>();
  const flushes: number[] = [];
  const reader = BlockLogReader.open(run.logPath);
  try {
    for (let entry = reader.next(); entry !== null; entry = reader.next()) {
      if (entry.flush) flushes.push(entry.index);
      if (entry.discard) continue;
      const data = Buffer.from(reader.readData(entry));
      for (let at = 0; at < data.length; at += BLOCK_BYTES) {
        const told = /^block (\d+) of file (\w+); /.exec(data.toString('latin1', at, at + 64));
        if (told !== null) written.set(`${told[2]} ${told[1]}`, entry.index);
      }
    }
  } finally {
    reader.close();
  }
  const said = run.marks.filter(({ mark }) => mark.source === 'mark');
  const unflushed = said.filter(({ position, mark }) => {
    const at = written.get(mark.text) ?? Infinity;
    return !flushes.some((flush) => flush > at && flush < position);
  });
  return { returned: said.length, unflushed: unflushed.length };
}

/** Cuts the power of the program and looks for blocks that had been said to be synced. */
export async function cutPowerOfTwoFiles(
  fileSystem: string,
  way: string,
  imagesMax: number,
): Promise<PowercutResult> {
  return await cutPower(fileSystem, '', lostBlock, {
    program: programOf(way),
    runs: 2,
    imagesMax,
  });
}

/** One message for all blocks, so that a finding counts the trees. */
function lostBlock({ root, marks }: CrashedDisk): string | null {
  for (const { source, text } of marks) {
    if (source !== 'mark') continue;
    const [file = '', number = ''] = text.split(' ');
    const node = root.entries.get(file);
    const from = Number(number) * BLOCK_BYTES;
    const content = node?.kind === 'file' ? Buffer.from(node.content) : Buffer.alloc(0);
    if (!content.subarray(from, from + BLOCK_BYTES).equals(blockOf(file, Number(number)))) {
      return 'a block is lost whose fdatasync had returned';
    }
  }
  return null;
}
