/**
 * Litmus programs on a real kernel: each runs under the rig, perturbed in several ways, every disk that a power cut
 * could have left is mounted, and each tree is looked for among those that the model allows at that moment.
 */

import { release } from 'node:os';
import { join } from 'node:path';
import { modelByName } from '../model/model-list.ts';
import { CrashDisk } from '../powercut/crash-disk.ts';
import { CrashImages, type LostWrite } from '../powercut/crash-images.ts';
import { DiskImage } from '../powercut/disk-image.ts';
import type { DiskProfile } from '../powercut/disk-profile.ts';
import { perturbationPlans } from '../powercut/perturbation.ts';
import { type LoggedRun, Rig } from '../powercut/rig.ts';
import { marksUpTo } from '../powercut/ack-log.ts';
import { type AllowedDisks, LitmusModel } from './litmus-allowed.ts';
import type { LitmusProgram } from './litmus-program.ts';
import { litmusCommand, litmusSetup } from './litmus-script.ts';
import { litmusEntries, type LitmusEntry, outcomeOf, treeText } from './litmus-tree.ts';

export interface LitmusKernelOptions {
  readonly profile: DiskProfile;
  /** Runs of each program, perturbed differently. */
  readonly runs: number;
  readonly seed: number;
  readonly subsetsMax: number;
  readonly tornMax: number;
  progress?(text: string): void;
}

/** A tree that the kernel left and the model does not allow: one of the two is wrong. */
export interface ForbiddenTree {
  /** How many steps had returned. */
  readonly returned: number;
  readonly tree: string;
  readonly outcome: string;
  readonly perturbed: readonly string[];
  readonly lost: readonly LostWrite[];
}

/** What one program showed on one file system. */
export interface LitmusKernelResult {
  readonly program: string;
  readonly profile: string;
  readonly model: string;
  readonly kernel: string;
  /** Crash states walked, and different disks mounted. */
  readonly states: number;
  readonly images: number;
  /** Disks that could not be mounted or read; all of them had a torn write, or `damagedWhole` counts them. */
  readonly damaged: number;
  readonly damagedWhole: number;
  readonly trees: number;
  /** Trees that are allowed only with sectors mixed. */
  readonly mixed: number;
  readonly forbidden: readonly ForbiddenTree[];
  /** Outcomes once all steps had returned: seen, and allowed by the model but never seen. */
  readonly reached: readonly string[];
  readonly unreached: readonly string[];
}

/** Runs one program. Everything is taken down when it resolves or rejects. */
export async function litmusOnKernel(
  program: LitmusProgram,
  options: LitmusKernelOptions,
): Promise<LitmusKernelResult> {
  const { profile } = options;
  const rig = await Rig.create({ profile, setup: litmusSetup(program) });
  try {
    const disk = await CrashDisk.create(profile, '', join(rig.workDirectory, 'crash'));
    try {
      return await new LitmusRun(program, options, rig, disk).run();
    } finally {
      await disk.close();
    }
  } finally {
    await rig.close();
  }
}

class LitmusRun {
  readonly #program: LitmusProgram;
  readonly #options: LitmusKernelOptions;
  readonly #rig: Rig;
  readonly #disk: CrashDisk;
  readonly #model: LitmusModel;
  /** By image: what it showed; null for a damaged one. All runs begin with the same disk. */
  readonly #mounted = new Map<string, readonly LitmusEntry[] | null>();
  /** By step count and tree. */
  readonly #judged = new Set<string>();
  readonly #trees = new Set<string>();
  readonly #reached = new Set<string>();
  readonly #forbidden: ForbiddenTree[] = [];
  #states = 0;
  #mixed = 0;
  #damaged = 0;
  #damagedWhole = 0;

  constructor(program: LitmusProgram, options: LitmusKernelOptions, rig: Rig, disk: CrashDisk) {
    this.#program = program;
    this.#options = options;
    this.#rig = rig;
    this.#disk = disk;
    this.#model = new LitmusModel(program, modelByName(options.profile.model));
  }

  async run(): Promise<LitmusKernelResult> {
    const { profile, runs, seed } = this.#options;
    const { baseImage, keeper } = this.#rig;
    const base = DiskImage.read(baseImage, await keeper.extents(baseImage));
    for (const plan of perturbationPlans(runs, seed)) {
      const run = await this.#rig.run(litmusCommand(this.#program), plan);
      await this.#look(run, base, plan.seed);
      run.discard();
    }
    const { outcomes } = this.#atEnd();
    return {
      program: this.#program.name,
      profile: profile.name,
      model: profile.model,
      kernel: release(),
      states: this.#states,
      images: this.#mounted.size,
      damaged: this.#damaged,
      damagedWhole: this.#damagedWhole,
      trees: this.#trees.size,
      mixed: this.#mixed,
      forbidden: this.#forbidden,
      reached: [...this.#reached].toSorted(),
      unreached: outcomes.filter((outcome) => !this.#reached.has(outcome)),
    };
  }

  #atEnd(): AllowedDisks {
    return this.#model.after(this.#program.steps.length);
  }

  async #look(run: LoggedRun, base: DiskImage, seed: number): Promise<void> {
    const { subsetsMax, tornMax } = this.#options;
    const images = new CrashImages(run.logPath, base, { seed, subsetsMax, tornMax });
    this.#states += images.counts.states;
    for (const { key, image, position, lost } of images) {
      let entries = this.#mounted.get(key);
      if (entries === undefined) {
        const mounted = await this.#disk.mountAndRead(image);
        entries = mounted.kind === 'tree' ? litmusEntries(mounted.tree) : null;
        this.#mounted.set(key, entries);
        if (entries === null) {
          this.#damaged += 1;
          if (!lost.some(({ keptTo }) => keptTo > 0)) this.#damagedWhole += 1;
        }
      }
      if (entries === null) continue;
      const steps = marksUpTo(run.marks, position).filter(({ source }) => source === 'mark');
      this.#judge(entries, steps.length, run.perturbed, lost);
    }
  }

  #judge(
    entries: readonly LitmusEntry[],
    returned: number,
    perturbed: readonly string[],
    lost: readonly LostWrite[],
  ): void {
    const tree = treeText(entries);
    this.#trees.add(tree);
    const outcome = outcomeOf(this.#program, entries);
    if (returned === this.#program.steps.length) this.#reached.add(outcome);
    const key = `${returned}\n${tree}`;
    if (this.#judged.has(key)) return;
    this.#judged.add(key);
    const membership = this.#model.after(returned).contains(entries);
    if (membership === 'mixed') this.#mixed += 1;
    if (membership === 'forbidden') {
      this.#forbidden.push({ returned, tree, outcome, perturbed, lost });
    }
  }
}
