/**
 * The long proof on real kernels: the log and the three engines in each policy, on each file system of the rig, until
 * so many crash states of it have been mounted and judged; and power cuts inside the recovery from some of them. File
 * systems take turns. What is done is noted, so an interrupted run goes on where it was.
 *
 *   npm run prove:rig -- [--fs FS,…] [--images 5000] [--seconds N] [--fresh] [--certificate]
 *                        [--progress DIRECTORY] [--commit NAME] [--more N [--only SUBJECT]] [--brief] [--seed N]
 *
 * `--certificate` writes docs/proof/kernel-states.md from what has been noted. `--more N` mounts so many states of each
 * file system of this commit, whatever earlier ones have done: a third in each policy, all subjects side by side, or one
 * alone. `--brief`: one short slice of each file system, in one policy after the other, from the seed N on (1), for the
 * pipeline.
 */

import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { diskProfile } from '../../src/lab/powercut/disk-profile.ts';
import { missingForRig } from '../../src/lab/powercut/rig-needs.ts';
import { RIG_POLICIES, RIG_SUBJECTS } from '../support/rig-subjects.ts';
import { MAY_REFUSE } from '../support/store-rig.ts';
import { certificatePage } from './rig-certificate.ts';
import {
  loadProgress,
  PROGRESS_DIRECTORY,
  progressPath,
  type RigProgress,
  saveProgress,
} from './rig-progress.ts';
import { BRIEF_SLICE, LONG_SLICE, runSlice, sliceOf } from './rig-slices.ts';
import type { RigSlice, SliceSize } from './rig-slices.ts';

/** The file systems that the proof is about, in the order of their turns. */
const FILE_SYSTEMS = [
  'ext4',
  'xfs',
  'btrfs',
  'ext4-journal',
  'ext4-writeback',
  'ext4-fastcommit',
  'ext4-nojournal',
  'ext2',
];
/** Kernels whose returned syncs do not cover what they should (docs/models/fast-commit.md): told, and no failure. */
const KNOWN_TO_LOSE: ReadonlySet<string> = new Set(['ext4-fastcommit']);
const PAGE = 'docs/proof/kernel-states.md';

const { values } = parseArgs({
  options: {
    fs: { type: 'string', default: FILE_SYSTEMS.join() },
    images: { type: 'string' },
    seconds: { type: 'string', default: 'Infinity' },
    fresh: { type: 'boolean', default: false },
    certificate: { type: 'boolean', default: false },
    progress: { type: 'string', default: PROGRESS_DIRECTORY },
    commit: { type: 'string' },
    more: { type: 'string' },
    only: { type: 'string' },
    brief: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
/** The last one that changed what is proven. */
const commit = values.commit ?? askGit('log', '-1', '--format=%h', '--', 'src');

/** Of a brief run: one slice, and another one where that has said nothing for sure. */
function isDue({ fileSystem, mounted, slices, findings }: RigProgress): boolean {
  // A busy machine may be too slow once.
  if (slices === 0 || slices > 1) return slices === 0;
  return mounted === 0 || (findings.length > 0 && MAY_REFUSE.has(fileSystem));
}

/**
 * Whether what was found is a failure. In a brief run, without a journal, two slices have to show one: e2fsck may do to a
 * disk what it was not seen to do before.
 */
function isFailed({ fileSystem, mounted, findings }: RigProgress): boolean {
  if (values.brief && mounted === 0) return true;
  if (findings.length === 0 || KNOWN_TO_LOSE.has(fileSystem)) return false;
  const seeds = new Set(findings.map((finding) => /seed (\d+)/.exec(finding)?.[1]));
  return !values.brief || !MAY_REFUSE.has(fileSystem) || seeds.size > 1;
}

function askGit(...words: string[]): string {
  return execFileSync('git', words, { encoding: 'utf8' }).trim();
}

/** The one that has fewest states of those that are still to be mounted; none when there are enough of all. */
function nextOf(all: readonly RigProgress[]): RigProgress | undefined {
  if (values.brief) return all.find(isDue);
  const done = ({ mounted, rounds }: RigProgress): number =>
    values.more === undefined ? mounted : (rounds[commit] ?? 0);
  const wanted = values.more === undefined ? Number(values.images ?? 5000) : RIG_POLICIES.length;
  return all.filter((one) => done(one) < wanted).toSorted((a, b) => done(a) - done(b))[0];
}

async function main(): Promise<void> {
  const names = values.fs.split(',');
  if (values.only !== undefined && !RIG_SUBJECTS.includes(values.only)) {
    console.error(`'${values.only}' is no subject: ${RIG_SUBJECTS.join(', ')}`);
    process.exitCode = 2;
    return;
  }
  if (values.certificate) {
    const all = names.map((name) => loadProgress(values.progress, name));
    writeFileSync(PAGE, certificatePage(all, commit, values.only));
    console.log(`${PAGE} is written`);
    return;
  }
  const missing = new Set(names.flatMap((name) => missingForRig(diskProfile(name))));
  if (missing.size > 0) {
    console.error([...missing].join('; '));
    process.exitCode = 2;
    return;
  }
  if (values.fresh) {
    for (const name of names) rmSync(progressPath(values.progress, name), { force: true });
  }
  const all = names.map((name) => loadProgress(values.progress, name));
  const end = performance.now() + Number(values.seconds) * 1000;
  for (;;) {
    const progress = nextOf(all);
    if (progress === undefined || performance.now() > end) break;
    const start = performance.now();
    const { slice, size } = turnOf(progress, all.indexOf(progress));
    await runSlice(progress, slice, size, commit);
    saveProgress(values.progress, progress);
    const seconds = Math.round((performance.now() - start) / 1000);
    console.log(`${told(progress)} (${slice.policy}, ${slice.names.join()}: ${seconds} s)`);
  }
  for (const { fileSystem, findings } of all) {
    for (const finding of findings) console.log(`FOUND ${fileSystem}, ${finding}`);
  }
  if (all.some(isFailed)) process.exitCode = 1;
}

/** What is next on a file system, which is at `place` among all. */
function turnOf(
  progress: RigProgress,
  place: number,
): { readonly slice: RigSlice; readonly size: SliceSize } {
  if (values.brief) {
    // Policies differ from file system to file system, and from seed to seed; all subjects side by side.
    const seed = Number(values.seed) + progress.slices;
    const slice = { ...sliceOf((seed + place) % RIG_POLICIES.length), seed };
    return { slice, size: BRIEF_SLICE };
  }
  if (values.more === undefined) return { slice: sliceOf(progress.slices), size: LONG_SLICE };
  const one = { ...sliceOf(progress.rounds[commit] ?? 0), seed: 1 + progress.slices };
  const slice = values.only === undefined ? one : { ...one, names: [values.only] };
  const images = Math.ceil(Number(values.more) / RIG_POLICIES.length);
  return { slice, size: { ...LONG_SLICE, runs: 2, images, recoveryImages: Math.ceil(images / 4) } };
}

function told(progress: RigProgress): string {
  const { fileSystem, slices, mounted, recoveries, findings, checked, clean, late } = progress;
  const refused = Object.values(progress.cells).reduce((sum, cell) => sum + cell.refused, 0);
  const unmounted = Object.entries(progress.damage)
    .filter(([message]) => message.startsWith('cannot be mounted'))
    .reduce((sum, [, { disks }]) => sum + disks, 0);
  const more = [
    [unmounted, 'cannot be mounted'],
    [refused, 'stores refused'],
    [late, 'slices too slow'],
  ].flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  return [
    `${fileSystem}: ${mounted} states mounted in ${slices} slices`,
    `${recoveries.mounted} inside ${recoveries.recoveries} recoveries`,
    `${clean} of ${checked} checked are clean`,
    ...more,
    `${findings.length} failed`,
  ].join(', ');
}

await main();
