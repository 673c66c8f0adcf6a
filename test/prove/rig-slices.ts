/**
 * The pieces of the long proof on real kernels. A slice is one policy, and either all subjects side by side, where the
 * commits of each make the others' writes durable at odd moments, or one alone. Its seed is its number.
 */

import { UsageError } from '../../src/base/errors.ts';
import type { PowercutResult } from '../../src/lab/powercut/powercut-result.ts';
import { RIG_POLICIES, RIG_SUBJECTS } from '../support/rig-subjects.ts';
import {
  cutPowerOfRecovery,
  cutPowerOfStores,
  CutSample,
  StoreJudge,
  storyProgram,
} from '../support/store-rig.ts';
import type { RigProgress } from './rig-progress.ts';

/** How much a slice does. */
export interface SliceSize {
  /** Runs of the program, perturbed differently. */
  readonly runs: number;
  /** States mounted. */
  readonly images: number;
  /** One of them is recovered on the kernel with the power cut inside that; so many states are mounted of it. */
  readonly recoveryImages: number;
  /** The stories: whole, or a third of them. */
  readonly task: 'tell' | 'brief';
}

export const LONG_SLICE: SliceSize = { runs: 3, images: 900, recoveryImages: 100, task: 'tell' };
/** A few hundred states in a dozen seconds. */
export const BRIEF_SLICE: SliceSize = { runs: 2, images: 240, recoveryImages: 20, task: 'brief' };

export interface RigSlice {
  readonly policy: string;
  readonly names: readonly string[];
  readonly seed: number;
}

/** Three slices of all subjects side by side, one for each policy, and then each subject alone in one policy. */
export function sliceOf(number: number): RigSlice {
  const turn = RIG_POLICIES.length + RIG_SUBJECTS.length;
  const [round, place] = [Math.floor(number / turn), number % turn];
  const alone = place - RIG_POLICIES.length;
  const subject = RIG_SUBJECTS[alone];
  // Policies move on from round to round, so that each subject meets each of them alone.
  const policy =
    RIG_POLICIES[(subject === undefined ? place : alone + round) % RIG_POLICIES.length];
  return {
    policy: policy ?? 'sync',
    names: subject === undefined ? RIG_SUBJECTS : [subject],
    seed: 1 + number,
  };
}

/**
 * Runs a slice and adds what it found. What does not end in time teaches nothing and is counted; a program that fails
 * without any power cut is a finding like others.
 */
export async function runSlice(
  progress: RigProgress,
  slice: RigSlice,
  size: SliceSize,
  commit: string,
): Promise<void> {
  try {
    await cutPowerIn(progress, slice, size, commit);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error.message.includes('did not end within')) progress.late++;
    else progress.findings.push(`${placeOf(slice)}: ${error.message}`);
  }
  progress.slices++;
  progress.rounds[commit] = (progress.rounds[commit] ?? 0) + 1;
}

async function cutPowerIn(
  progress: RigProgress,
  slice: RigSlice,
  size: SliceSize,
  commit: string,
): Promise<void> {
  const { fileSystem } = progress;
  const { policy, names, seed } = slice;
  const limits = {
    seed,
    runs: size.runs,
    imagesMax: size.images,
    subsetsMax: 48,
    tornMax: 12,
    checkFileSystems: true,
  };
  const sample = new CutSample(1, seed);
  const judge = new StoreJudge(fileSystem, policy, names);
  const result = await cutPowerOfStores(fileSystem, policy, names, judge, {
    ...limits,
    program: storyProgram(policy, names, size.task),
    seen: (image, marks) => sample.show(image, marks),
  });
  const { imagesMounted, distinctTrees } = result.certificate;
  progress.mounted += imagesMounted;
  progress.commits[commit] = (progress.commits[commit] ?? 0) + imagesMounted;
  progress.trees += distinctTrees;
  for (const name of names) {
    const cell = (progress.cells[`${name} ${policy}`] ??= { mounted: 0, distinct: 0, refused: 0 });
    cell.mounted += imagesMounted;
    cell.distinct += judge.counts[name]?.distinct ?? 0;
    cell.refused += judge.counts[name]?.refused ?? 0;
  }
  note(progress, slice, result, 'power cut');
  for (const cut of sample.disks) {
    const again = await cutPowerOfRecovery(fileSystem, policy, names, judge, cut, {
      ...limits,
      runs: Math.min(2, size.runs),
      imagesMax: size.recoveryImages,
    });
    progress.recoveries.recoveries++;
    progress.recoveries.mounted += again.certificate.imagesMounted;
    progress.recoveries.trees += again.certificate.distinctTrees;
    note(progress, slice, again, `power cut in the recovery with ${cut.marks.length} marks`);
  }
}

function placeOf({ policy, names, seed }: RigSlice): string {
  return `${policy}, ${names.join()}, seed ${seed}`;
}

function note(
  progress: RigProgress,
  slice: RigSlice,
  { certificate, findings, damage }: PowercutResult,
  what: string,
): void {
  progress.checked += certificate.fileSystemsChecked;
  progress.clean += certificate.fileSystemsClean;
  for (const { message, images, imagesWithoutTear } of damage) {
    const known = (progress.damage[message] ??= { disks: 0, untorn: 0 });
    known.disks += images;
    known.untorn += imagesWithoutTear;
  }
  for (const { message, trees, example, tree } of findings) {
    const place = `${what}, ${placeOf(slice)}, ${trees} trees`;
    progress.findings.push(`${place}: ${message} (${JSON.stringify({ example, tree })})`);
  }
}
