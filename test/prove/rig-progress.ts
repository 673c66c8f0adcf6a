/** What the long proof on real kernels has done on one file system, kept in a file between runs. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';

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
  /** Done so far; also the seed of the next one, less one. */
  slices: number;
  /** Different disks, mounted and judged. */
  mounted: number;
  /** Different trees of files among them. */
  trees: number;
  /** Disks looked at with the file system's own check. */
  checked: number;
  /** Complaints of mount or check, with the number of disks, and of those without a torn write. */
  damage: Record<string, { disks: number; untorn: number }>;
  cells: Record<string, RigCell>;
  recoveries: { recoveries: number; mounted: number; trees: number };
  findings: string[];
}

export function progressPath(fileSystem: string): string {
  return `.holdfast/prove-rig-${fileSystem}.json`;
}

/** What is noted, or a beginning. */
export function loadProgress(fileSystem: string): RigProgress {
  const path = progressPath(fileSystem);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as RigProgress;
  return {
    fileSystem,
    kernel: release(),
    days: [],
    slices: 0,
    mounted: 0,
    trees: 0,
    checked: 0,
    damage: {},
    cells: {},
    recoveries: { recoveries: 0, mounted: 0, trees: 0 },
    findings: [],
  };
}

/** Notes it. A run that is stopped in the middle leaves the note before. */
export function saveProgress(progress: RigProgress): void {
  mkdirSync('.holdfast', { recursive: true });
  const path = progressPath(progress.fileSystem);
  const day = new Date().toISOString().slice(0, 10);
  if (!progress.days.includes(day)) progress.days.push(day);
  writeFileSync(`${path}.new`, JSON.stringify(progress));
  renameSync(`${path}.new`, path);
}
