/** What the long proof on real kernels has done on one file system, kept in a file between runs. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

/** Of one subject in one policy. */
export interface RigCell {
  /** Mounted states in which it was judged. */
  mounted: number;
  /** Different contents of its directory among them. */
  distinct: number;
  /** Refused with a `CorruptionError`, where that is allowed. */
  refused: number;
}

export interface RigProgress {
  readonly fileSystem: string;
  kernel: string;
  /** Days on which it ran. */
  days: string[];
  /** States mounted, by the commit of the sources. */
  commits: Record<string, number>;
  /** Slices done, by the commit. */
  rounds: Record<string, number>;
  /** Done so far; also the seed of the next one, less one. */
  slices: number;
  /** Different disks, mounted and judged. */
  mounted: number;
  /** Different trees of files among them. */
  trees: number;
  /** Disks looked at with the file system's own check, and those of which it had nothing to say. */
  checked: number;
  clean: number;
  /** Complaints of mount or check, with the number of disks, and of those without a torn write. */
  damage: Record<string, { disks: number; untorn: number }>;
  cells: Record<string, RigCell>;
  recoveries: { recoveries: number; mounted: number; trees: number };
  findings: string[];
  /** Slices whose program had not ended in time, on a machine that was busy: nothing was learned from them. */
  late: number;
}

/** Where nothing else is said. */
export const PROGRESS_DIRECTORY = '.holdfast';

export function progressPath(directory: string, fileSystem: string): string {
  return join(directory, `prove-rig-${fileSystem}.json`);
}

/** What is noted, or a beginning. */
export function loadProgress(directory: string, fileSystem: string): RigProgress {
  const path = progressPath(directory, fileSystem);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as RigProgress;
  return {
    fileSystem,
    kernel: release(),
    days: [],
    commits: {},
    rounds: {},
    slices: 0,
    mounted: 0,
    trees: 0,
    checked: 0,
    clean: 0,
    damage: {},
    cells: {},
    recoveries: { recoveries: 0, mounted: 0, trees: 0 },
    findings: [],
    late: 0,
  };
}

/** Notes it. A run that is stopped in the middle leaves the note before. */
export function saveProgress(directory: string, progress: RigProgress): void {
  mkdirSync(directory, { recursive: true });
  const path = progressPath(directory, progress.fileSystem);
  const day = new Date().toISOString().slice(0, 10);
  if (!progress.days.includes(day)) progress.days.push(day);
  writeFileSync(`${path}.new`, JSON.stringify(progress));
  renameSync(`${path}.new`, path);
}
