/** A log on real kernels: `test/root/wal-program.ts` under the rig, and what a power cut leaves opened and judged. */

import { fileURLToPath } from 'node:url';

import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { PowercutOptions } from '../../src/lab/powercut/examine-powercut.ts';
import type { PowercutResult } from '../../src/lab/powercut/powercut-result.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { LogStory } from './log-story.ts';
import { cutPower } from './powercut-needs.ts';

const PROGRAM = fileURLToPath(new URL('../root/wal-program.js', import.meta.url));

/** Stories of the program. */
export const RIG_STORIES: readonly string[] = ['policies', 'segments'];

/** Runs one story on one file system and checks what `imagesMax` power cuts leave. */
export async function cutPowerOfLog(
  fileSystem: string,
  story: string,
  more: Partial<PowercutOptions> = {},
): Promise<PowercutResult> {
  const program = [process.execPath, PROGRAM, story];
  return await cutPower(fileSystem, '', judged, { program, ...more });
}

/** What recovery, and recovery after it, say of a disk; null when nothing is wrong. */
function judged({ root, marks }: CrashedDisk): string | null {
  const vfs = MemoryVfs.fromTree(root);
  // The end of the program is a mark too.
  const texts = marks.filter(({ source }) => source === 'mark').map(({ text }) => text);
  const mark = (text: string): void => void texts.push(text);
  try {
    const story = new LogStory(vfs, mark, {}, texts);
    story.openSync();
    story.appendSync('sync');
    new LogStory(vfs, () => undefined, {}, texts).openSync();
    return null;
  } catch (error) {
    // Whatever a recovery throws on a crashed disk is the finding.
    return error instanceof Error ? error.message : String(error);
  }
}
