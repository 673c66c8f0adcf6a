/**
 * Makes the kernel write things back at other times than it would by itself, chosen by a seed: what it *could*
 * have left depends on when it chose to. Three means: write-back of chosen files' data without a commit,
 * a commit of everybody's metadata while data stays pending, and doing nothing, which leaves delayed allocation
 * pending. The union over several runs with different plans is what a kernel was seen to leave.
 */

import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Timer } from '../../base/clock.ts';
import { errorCode } from '../../vfs/errno.ts';
import { Prng } from '../../base/prng.ts';
import type { DiskProfile } from './disk-profile.ts';
import type { Keeper } from './keeper.ts';
import { PROGRAM_DIRECTORY, UNRELATED_FILE } from './rig-layout.ts';

export type PerturbationAction = 'write-back' | 'commit';
export type PerturbationPoint = 'mark' | 'line' | 'tick';

/** What to do when. */
export interface PerturbationPlan {
  readonly seed: number;
  /** Chance, from 0 to 1, of an action at a mark, at a line of output and at each tick of a timer. */
  readonly duringChance: number;
  /** What happens once the program has ended and before the file system is unmounted, in order. */
  readonly atEnd: readonly PerturbationAction[];
}

/** Where a perturber acts. */
export interface PerturbedDisk {
  readonly keeper: Keeper;
  readonly profile: DiskProfile;
  /** As the keeper sees it. */
  readonly mountPoint: string;
  readonly device: string;
  readonly plan: PerturbationPlan;
}

/** Longest time between two ticks, in milliseconds. */
const TICK_MS_MAX = 30;

/**
 * The plan of each of `count` runs. The first leaves all data pending and commits the metadata at the end; the
 * second writes some data back first; the others also act while the program runs.
 */
export function perturbationPlans(count: number, seed: number): PerturbationPlan[] {
  return Array.from({ length: count }, (_, index) => ({
    seed: seed + index,
    duringChance: index < 2 ? 0 : 0.5,
    atEnd: index % 2 === 0 ? ['commit'] : ['write-back', 'commit'],
  }));
}

/** Carries one plan out on one disk. Actions never overlap. */
export class Perturber {
  /** What was done, in order, for reports: `commit@mark`. */
  readonly done: string[] = [];
  readonly #disk: PerturbedDisk;
  readonly #prng: Prng;
  #last: Promise<void> = Promise.resolve();
  #timer: Timer | null = null;
  #stopped = false;
  #failure: unknown = null;

  constructor(disk: PerturbedDisk) {
    this.#disk = disk;
    this.#prng = new Prng(disk.plan.seed);
  }

  /** Begins to act at random times, when the plan says so. */
  start(): void {
    if (this.#disk.plan.duringChance === 0 || this.#stopped) return;
    this.#timer = systemClock.after(1 + this.#prng.below(TICK_MS_MAX), () => {
      void this.at('tick').finally(() => this.start());
    });
  }

  /** Gives the plan a chance to act here; resolves when that is done. */
  async at(point: PerturbationPoint): Promise<void> {
    if (this.#stopped || !this.#prng.chance(this.#disk.plan.duringChance)) return;
    await this.#queue(this.#prng.pick(['write-back', 'commit'] as const), point);
  }

  /** Ends the random actions and carries out those of the end. @throws what an action failed with. */
  async finish(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const action of this.#disk.plan.atEnd) await this.#queue(action, 'end');
    await this.#last;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Resolves when the action is done, also when it failed: nobody waits for those in the program's time. */
  async #queue(action: PerturbationAction, point: string): Promise<void> {
    this.done.push(`${action}@${point}`);
    const before = this.#last;
    this.#last = before
      .then(() => (action === 'commit' ? this.#commit() : this.#writeBack()))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
    await this.#last;
  }

  async #writeBack(): Promise<void> {
    const { keeper, mountPoint } = this.#disk;
    const root = join(mountPoint, PROGRAM_DIRECTORY);
    for await (const path of filesBelow(keeper.outside(root))) {
      if (!this.#prng.chance(0.5)) continue;
      await unlessGone(keeper.writeBack(path.slice(keeper.outside('').length)));
    }
  }

  async #commit(): Promise<void> {
    const { keeper, profile, mountPoint, device } = this.#disk;
    const outside = keeper.outside(mountPoint);
    if (profile.commit === 'btrfs-transaction') {
      await keeper.commitBtrfs(mountPoint);
      return;
    }
    const path = profile.commit === 'device-buffers' ? device : join(outside, UNRELATED_FILE);
    const handle = await open(path, 'r+');
    try {
      // The change must be new, or the sync would find nothing to commit.
      if (profile.commit === 'unrelated-sync') await handle.write(String(this.#prng.below(10)), 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** Files at any depth. What the program removes or renames meanwhile may be left out. */
async function* filesBelow(directory: string): AsyncGenerator<string, void> {
  const entries = (await unlessGone(readdir(directory, { withFileTypes: true }))) ?? [];
  // The kernel lists in the order of a hash that has a seed of its own on every file system.
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

/** Null when it is no longer there: the program goes on while files are written back. */
async function unlessGone<Result>(looked: Promise<Result>): Promise<Result | null> {
  try {
    return await looked;
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) throw error;
    return null;
  }
}
