/** Whether this machine can cut the power, and how tests examine a program with the least words. */

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

/** Examines a shell program, with a function as checker. */
export async function cutPower(
  fileSystem: string,
  script: string,
  check: (disk: CrashedDisk) => string | null,
  more: Partial<PowercutOptions> = {},
): Promise<PowercutResult> {
  const checker: Checker = {
    name: 'test',
    check(disk): Verdict {
      const message = check(disk);
      return message === null ? { ok: true } : { ok: false, message };
    },
  };
  return await examinePowercut({
    profile: diskProfile(fileSystem),
    program: ['/bin/sh', '-e', '-c', script],
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
