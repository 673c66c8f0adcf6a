/**
 * The whole examination: runs a program on a fresh disk whose block writes are logged, mounts every disk that a
 * power cut could have left, and checks each different tree once with the strongest acknowledgements under which
 * it was seen. What a crash can leave is in `epochs.ts`; how a disk is mounted fast is in `crash-disk.ts`.
 */

import { release } from 'node:os';
import { join } from 'node:path';
import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import type { Checker } from '../check/checker.ts';
import { treeDigest } from '../replay/tree-digest.ts';
import { marksUpTo } from './ack-log.ts';
import { CrashDisk } from './crash-disk.ts';
import { type CrashImage, CrashImages } from './crash-images.ts';
import { DamageLog } from './damage-log.ts';
import { DiskImage } from './disk-image.ts';
import type { EpochLimits } from './epoch-states.ts';
import { SECTOR_SIZE } from './image-digest.ts';
import type { MarkOperation } from '../record/operation.ts';
import { Obligations, type Obligation, sightingOf } from './obligations.ts';
import { perturbationPlans } from './perturbation.ts';
import type { PowercutFinding, PowercutResult, RunCertificate } from './powercut-result.ts';
import { type LoggedRun, Rig, type RigOptions } from './rig.ts';

/** What to examine, and how far to go. */
export interface PowercutOptions extends RigOptions {
  readonly program: readonly string[];
  /** Checks each tree; closed by the caller. */
  readonly checker: Checker;
  /** Runs with different perturbations. */
  readonly runs: number;
  readonly seed: number;
  readonly subsetsMax: number;
  readonly tornMax: number;
  /** Most images to mount over all runs; Infinity for all. */
  readonly imagesMax: number;
  /** Whether each recovered image is checked with the file system's own tool. */
  readonly checkFileSystems: boolean;
  /** Devices that are mounted side by side. */
  readonly devices: number;
  /** Called with each run's undamaged trees before its crash states; throws when the checker is unsound there. */
  validate?(first: FileTreeDirectory, last: FileTreeDirectory, run: LoggedRun): Promise<void>;
  /** Given each disk that could be mounted, once, with what had been said by then. */
  seen?(image: DiskImage, marks: readonly MarkOperation[]): void;
  /** Told what is under way, in a few words. */
  progress?(text: string): void;
  /** Given a way to take everything down at once; it is taken back before this resolves. */
  onRig?(takeDown: () => Promise<void>): () => void;
}

/** Examines a program. Everything it made is taken down when it resolves or rejects. */
export async function examinePowercut(options: PowercutOptions): Promise<PowercutResult> {
  const rig = await Rig.create(options);
  const disks: CrashDisk[] = [];
  const takeDown = async (): Promise<void> => {
    await Promise.all(disks.map((disk) => disk.close()));
    await rig.close();
  };
  const forget = options.onRig?.(takeDown);
  try {
    const devices = Math.min(options.devices, options.profile.devicesMax);
    for (let index = 0; index < devices; index += 1) {
      const directory = join(rig.workDirectory, `crash-${index}`);
      const mountOptions = options.mountOptions ?? '';
      disks.push(await CrashDisk.create(options.profile, mountOptions, directory));
    }
    return await new Examination(options, rig, disks).examine();
  } finally {
    await takeDown();
    forget?.();
  }
}

/** Time spent on one kind of work, summed over devices. */
interface Meter {
  count: number;
  ms: number;
}

class Examination {
  readonly #options: PowercutOptions;
  readonly #rig: Rig;
  readonly #disks: readonly CrashDisk[];
  readonly #obligations = new Obligations();
  readonly #damage = new DamageLog();
  /** What each image mounted so far was; null for a damaged one. All runs begin with the same disk. */
  readonly #known = new Map<string, { key: string; tree: FileTreeDirectory } | null>();
  readonly #mounts: Meter = { count: 0, ms: 0 };
  readonly #fileSystemChecks: Meter = { count: 0, ms: 0 };
  readonly #checks: Meter = { count: 0, ms: 0 };
  /** File systems that their own tool found nothing wrong with. */
  #clean = 0;

  constructor(options: PowercutOptions, rig: Rig, disks: readonly CrashDisk[]) {
    this.#options = options;
    this.#rig = rig;
    this.#disks = disks;
  }

  async examine(): Promise<PowercutResult> {
    const { runs, seed, program, profile } = this.#options;
    const rig = this.#rig;
    const base = DiskImage.read(rig.baseImage, await rig.keeper.extents(rig.baseImage));
    const certificates: RunCertificate[] = [];
    for (const [index, plan] of perturbationPlans(runs, seed).entries()) {
      this.#options.progress?.(`run ${index + 1} of ${runs}: ${program.join(' ')}`);
      const run = await rig.run(program, plan);
      await this.#options.validate?.(rig.baseTree, run.lastTree, run);
      certificates.push(await this.#mountRun(index, run, base));
      run.discard();
    }
    const findings = await this.#check();
    const damage = this.#damage.findings();
    return {
      findings,
      damage,
      complete:
        certificates.every((run) => run.skippedImages === 0) &&
        damage.every((one) => one.imagesWithoutTear === 0),
      certificate: {
        kernel: release(),
        fileSystem: profile.name,
        mountOptions: this.#options.mountOptions ?? '',
        program,
        seed,
        sectorBytes: SECTOR_SIZE,
        subsetsMax: this.#options.subsetsMax,
        tornMax: this.#options.tornMax,
        runs: certificates,
        imagesMounted: this.#mounts.count,
        distinctTrees: this.#obligations.treeCount,
        treesChecked: this.#checks.count,
        fileSystemsChecked: this.#fileSystemChecks.count,
        fileSystemsClean: this.#clean,
        devices: this.#disks.length,
        imagesPerSecond: perSecond(this.#mounts, this.#disks.length),
        fileSystemChecksPerSecond: perSecond(this.#fileSystemChecks, this.#disks.length),
        checksPerSecond: perSecond(this.#checks, 1),
      },
    };
  }

  async #mountRun(index: number, run: LoggedRun, base: DiskImage): Promise<RunCertificate> {
    const { seed, subsetsMax, tornMax, imagesMax, runs } = this.#options;
    const limits: EpochLimits = { seed: seed + index, subsetsMax, tornMax };
    const images = new CrashImages(run.logPath, base, limits);
    // Each run gets its part: the first alone could use up what all of them may mount.
    const part = (imagesMax - this.#mounts.count) / (runs - index);
    const share = part / images.counts.distinct;
    const before = this.#known.size;
    let skipped = 0;
    let looked = 0;
    const next = images[Symbol.iterator]();
    const work = async (disk: CrashDisk): Promise<void> => {
      for (let step = next.next(); step.done !== true; step = next.next()) {
        const image = step.value;
        looked += 1;
        this.#options.progress?.(
          `run ${index + 1}: disk ${looked} of ${images.counts.distinct} mounted`,
        );
        if (!this.#known.has(image.key) && !inShare(image.key, share)) skipped += 1;
        else await this.#look(disk, index, run, image);
      }
    };
    await Promise.all(this.#disks.map(work));
    const { entries, epochs, subsets, sampledEpochs, states, distinct } = images.counts;
    return {
      perturbed: run.perturbed,
      marks: run.marks.length,
      entries,
      epochs,
      subsets: subsets.toString(),
      sampledEpochs,
      states,
      distinctImages: distinct,
      newImages: this.#known.size - before,
      skippedImages: skipped,
    };
  }

  /** Mounts an image unless it was mounted before, and notes its tree with the marks that stood. */
  async #look(disk: CrashDisk, index: number, run: LoggedRun, image: CrashImage): Promise<void> {
    const sighting = sightingOf(index, image);
    const marks = marksUpTo(run.marks, image.position);
    let found = this.#known.get(image.key);
    if (found === undefined) {
      const mounted = await timed(this.#mounts, () => disk.mountAndRead(image.image));
      if (mounted.kind === 'damaged') {
        this.#damage.add(mounted.message, sighting);
        found = null;
      } else {
        found = { key: treeDigest(mounted.tree), tree: mounted.tree };
        this.#options.seen?.(image.image, marks);
        if (this.#options.checkFileSystems) {
          const complaint = await timed(this.#fileSystemChecks, () => disk.check());
          if (complaint === null) this.#clean += 1;
          else this.#damage.add(complaint, sighting);
        }
      }
      this.#known.set(image.key, found);
    }
    if (found === null) return;
    this.#obligations.add(found.key, { tree: found.tree, marks, sighting });
  }

  async #check(): Promise<PowercutFinding[]> {
    const { checker } = this.#options;
    const failed = new Map<string, { trees: number; obligation: Obligation }>();
    const waiting = [...this.#obligations];
    const next = waiting[Symbol.iterator]();
    const start = performance.now();
    const work = async (): Promise<void> => {
      for (let step = next.next(); step.done !== true; step = next.next()) {
        const obligation = step.value;
        this.#options.progress?.(`tree ${this.#checks.count} of ${waiting.length} checked`);
        const { tree: root, marks } = obligation;
        const verdict = await checker.check({ root, marks });
        this.#checks.count += 1;
        if (verdict.ok) continue;
        const known = failed.get(verdict.message);
        const better =
          known === undefined ||
          obligation.sighting.lost.length < known.obligation.sighting.lost.length;
        failed.set(verdict.message, {
          trees: (known?.trees ?? 0) + 1,
          obligation: better ? obligation : known.obligation,
        });
      }
    };
    await Promise.all(Array.from({ length: this.#options.devices }, work));
    this.#checks.ms = performance.now() - start;
    return [...failed].map(([message, { trees, obligation }]) => ({
      message,
      trees,
      example: obligation.sighting,
      marks: obligation.marks.length,
      tree: listTree(obligation.tree),
    }));
  }
}

/** Whether an image is among a share, from 0 to 1, that is the same for every seed and order. */
function inShare(key: string, share: number): boolean {
  return share >= 1 || Buffer.from(key, 'base64').readUInt32LE() / 2 ** 32 < share;
}

/** Rounded; null when nothing was done. */
function perSecond({ count, ms }: Meter, parallel: number): number | null {
  return count === 0 ? null : Math.round((count * parallel * 1000) / ms);
}

async function timed<Result>(meter: Meter, work: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    meter.count += 1;
    meter.ms += performance.now() - start;
  }
}

/** One line for each name: `dir/file 12 bytes`. */
function listTree(root: FileTreeDirectory): string[] {
  const lines: string[] = [];
  const visit = (path: string, node: FileTreeNode): void => {
    if (node.kind === 'file') lines.push(`${path} ${node.content.length} bytes`);
    else if (node.kind === 'symlink') lines.push(`${path} -> ${node.target}`);
    else {
      if (path !== '') lines.push(`${path}/`);
      for (const [name, child] of node.entries)
        visit(path === '' ? name : `${path}/${name}`, child);
    }
  };
  visit('', root);
  return lines;
}
