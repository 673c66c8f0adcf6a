/** Whether this machine can cut the power, and how tests examine a program with the least words. */

import process from 'node:process';

import type { Checker, CrashedDisk, Verdict } from '../../src/lab/check/checker.ts';
import { diskProfile } from '../../src/lab/powercut/disk-profile.ts';
import { examinePowercut, type PowercutOptions } from '../../src/lab/powercut/examine-powercut.ts';
import type { PowercutResult } from '../../src/lab/powercut/powercut-result.ts';
import { missingForRig } from '../../src/lab/powercut/rig-needs.ts';

/** Options of a test: its reason to be skipped where a piece is missing. */
export function skipWithout(...fileSystems: readonly string[]): { skip: string | false } {
  const missing = new Set(fileSystems.flatMap((name) => missingForRig(diskProfile(name))));
  return { skip: missing.size === 0 ? false : [...missing].join('; ') };
}

/** Words for `program`: an ES module given as text, run by this Node. It imports by absolute file URLs. */
export function nodeProgram(source: string): string[] {
  return [process.execPath, '--input-type=module', '-e', source];
}

/**
 * Examines a shell script, or a program given as its words (`nodeProgram`), with a function as checker: it gets each
 * different tree once, with the marks that stood, and says what is wrong or null. A budget for thousands of states:
 * `{ runs: 4, subsetsMax: 256, tornMax: 32, imagesMax: 5000 }`.
 */
export async function cutPower(
  fileSystem: string,
  program: string | readonly string[],
  check: (disk: CrashedDisk) => string | null | Promise<string | null>,
  more: Partial<PowercutOptions> = {},
): Promise<PowercutResult> {
  const checker: Checker = {
    name: 'test',
    async check(disk): Promise<Verdict> {
      const message = await check(disk);
      return message === null ? { ok: true } : { ok: false, message };
    },
  };
  return await examinePowercut({
    profile: diskProfile(fileSystem),
    program: typeof program === 'string' ? ['/bin/sh', '-e', '-c', program] : program,
    checker,
    runs: 1,
    seed: 1,
    subsetsMax: 64,
    tornMax: 8,
    imagesMax: Infinity,
    checkFileSystems: false,
    devices: 2,
    ...more,
  });
}

/** Text of a file in the disk's root; null where there is none. */
export function fileText(disk: CrashedDisk, name: string): string | null {
  const node = disk.root.entries.get(name);
  return node?.kind === 'file' ? Buffer.from(node.content).toString() : null;
}
