/**
 * Many disks of one workload, whatever its recovery reads: for large counts, where the crash test of the suite would
 * spend half of its checks on classes. One recovery for each distinct disk; crashes inside recovery are the suite's.
 *
 * Where a store can say of a disk all that its recovery will act on (`classOf`), each disk is looked at so far, and
 * recovered to the end once for each thing that can be said. One in so many of the others is recovered all the same:
 * its verdict must be that of its class.
 */

import { hash } from 'node:crypto';

import type { Checker, CrashedDisk, Verdict } from '../../src/lab/check/checker.ts';
import type { Exploration } from '../../src/lab/explore/exploration.ts';
import { exploreModel } from '../../src/lab/explore/explorer.ts';
import { ContentStore } from '../../src/lab/explore/content-store.ts';
import { VerdictCache } from '../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import { DiskKeys } from '../../src/lab/nested/disk-keys.ts';
import type { FileTreeNode } from '../../src/vfs/file-tree.ts';
import type { CrashTest, Recover } from '../../src/lab/suite/crash-test.ts';
import { recordRun } from '../../src/lab/suite/record-workload.ts';
import { DiskVerdicts, VfsChecker } from '../../src/lab/suite/vfs-checker.ts';

/** One disk of so many whose class is known is recovered all the same. */
const PROBED_EACH = 200;

/**
 * States that are looked at for each disk that is wanted: one after the other, of which most are different but small
 * crash points have fewer than their share; and at random, of which most are equal to some.
 */
const WALKED_A_DISK = 3;
const DRAWN_A_DISK = 0.5;

/** What can be said of a disk, so that recovery does the same on all of which it is said. */
export type ClassOf = (disk: CrashedDisk) => string;

/** What was counted, over any number of explorations. */
export class WideTally {
  readonly #disks = new Set<string>();
  /** Disks looked at, with the promises of that moment. */
  asked = 0;
  /** Disks recovered to the end: a class each, and `probed` of known classes. */
  recovered = 0;
  probed = 0;

  /** Different disks. */
  get disks(): number {
    return this.#disks.size;
  }

  /** Sixteen hexadecimal digits for each different disk. */
  get names(): ReadonlySet<string> {
    return this.#disks;
  }

  add(name: string): void {
    this.#disks.add(name);
  }
}

/**
 * Explores the disks of one workload under one model after the other; equal disks are recovered once. `disks`: about
 * so many of each model, where it allows so many.
 */
export async function exploreWidely(
  test: CrashTest,
  recover: Recover,
  models: readonly string[],
  disks: number,
  counted: { readonly tally?: WideTally; readonly classOf?: ClassOf } = {},
): Promise<Exploration[]> {
  const recorded = await recordRun({
    tree: test.tree,
    run: (vfs, mark) => test.workload(vfs, { mark }),
  });
  if (recorded.failure !== null) throw recorded.failure.error;
  const store = new ContentStore();
  const keys = new DiskKeys();
  const plain = (): Checker =>
    new VfsChecker({ check: () => undefined, recover, verdicts: new DiskVerdicts(keys) });
  const { tally, classOf } = counted;
  const checker = tally === undefined ? plain() : new WideChecker(plain, tally, classOf);
  const explorations: Exploration[] = [];
  for (const name of models) {
    const exploration = await exploreModel(recorded.trace, modelByName(name), {
      checker,
      store,
      verdicts: new VerdictCache(),
      // The states are the bound, and shared among the crash points: the first ones have some too.
      disksMax: (WALKED_A_DISK + DRAWN_A_DISK) * disks,
      walkedMax: Math.ceil(WALKED_A_DISK * disks),
      samplesMax: Math.floor(DRAWN_A_DISK * disks),
    });
    explorations.push(exploration);
  }
  return explorations;
}

/** Disks of each model that a mutant is looked for on: first few, which catch nearly all. */
const MUTANT_DISKS = [150, 1000];

/** Whether some disk that the workload can leave fails in this recovery: for mutation runs. */
export async function findsWidely(
  test: CrashTest,
  recover: Recover,
  classOf: ClassOf,
): Promise<boolean> {
  const models = (test.models ?? []).map(String);
  try {
    for (const disks of MUTANT_DISKS) {
      const counted = { tally: new WideTally(), classOf };
      const all = await exploreWidely(test, recover, models, disks, counted);
      if (all.some(({ violations }) => violations.length > 0)) return true;
    }
    return false;
  } catch (error) {
    // The mutant does not even work, unless it is the class that is wrong.
    if (error instanceof ClassMismatch) throw error;
    return true;
  }
}

class WideChecker implements Checker {
  readonly name = 'check';
  readonly #plain: () => Checker;
  readonly #tally: WideTally;
  readonly #classOf: ClassOf | undefined;
  readonly #known = new Map<string, Verdict | Promise<Verdict>>();
  readonly #classes = new Map<string, Verdict | Promise<Verdict>>();
  readonly #digests = new WeakMap<Uint8Array, string>();
  /** The marks of the crash point that is explored, and a number for their text. */
  #marks: CrashedDisk['marks'] | null = null;
  #markNumber = 0;
  readonly #markNumbers = new Map<string, number>();

  constructor(plain: () => Checker, tally: WideTally, classOf: ClassOf | undefined) {
    this.#plain = plain;
    this.#tally = tally;
    this.#classOf = classOf;
  }

  check(disk: CrashedDisk): Verdict | Promise<Verdict> {
    const marks = this.#numberOf(disk.marks);
    const name = digestOf(Buffer.from(this.#textOf(disk.root)));
    this.#tally.add(name);
    const key = `${marks} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#tally.asked++;
    const verdict = this.#decide(disk, marks);
    this.#known.set(key, verdict);
    return verdict;
  }

  #decide(disk: CrashedDisk, marks: number): Verdict | Promise<Verdict> {
    if (this.#classOf === undefined) return this.#recover(disk);
    const said = `${marks} ${this.#classOf(disk)}`;
    const known = this.#classes.get(said);
    if (known === undefined) {
      const verdict = this.#recover(disk);
      this.#classes.set(said, verdict);
      return verdict;
    }
    if (this.#tally.asked % PROBED_EACH !== 0) return known;
    this.#tally.probed++;
    return agreement(known, this.#recover(disk), said);
  }

  #recover(disk: CrashedDisk): Verdict | Promise<Verdict> {
    this.#tally.recovered++;
    // What is known is known here: a checker of its own for each disk keeps nothing.
    return this.#plain().check(disk);
  }

  #numberOf(marks: CrashedDisk['marks']): number {
    if (marks === this.#marks) return this.#markNumber;
    const text = JSON.stringify(marks.map((mark) => mark.text));
    this.#markNumber = this.#markNumbers.get(text) ?? this.#markNumbers.size;
    this.#markNumbers.set(text, this.#markNumber);
    this.#marks = marks;
    return this.#markNumber;
  }

  /** The same for equal disks, in all runs. */
  #textOf(node: FileTreeNode): string {
    if (node.kind === 'symlink') return `l${JSON.stringify(node.target)}`;
    if (node.kind === 'file') {
      const link = node.inode === undefined ? '' : `#${node.inode}`;
      return `f${node.mode}${link}:${this.#digestOf(node.content)}`;
    }
    const names = [...node.entries.keys()].toSorted();
    const entries = names.map((name) => `${name}/${this.#textOf(node.entries.get(name)!)}`);
    return `d${node.mode}{${entries.join(',')}}`;
  }

  #digestOf(content: Uint8Array): string {
    let digest = this.#digests.get(content);
    if (digest === undefined) {
      digest = digestOf(content);
      this.#digests.set(content, digest);
    }
    return digest;
  }
}

/** Two disks of one class differ: it says too little. */
export class ClassMismatch extends Error {}

/** @throws ClassMismatch */
async function agreement(
  known: Verdict | Promise<Verdict>,
  own: Verdict | Promise<Verdict>,
  said: string,
): Promise<Verdict> {
  const [before, now] = await Promise.all([known, own]);
  if (before.ok === now.ok) return now;
  throw new ClassMismatch(`two disks of one class differ: ${said}`);
}

/** Sixteen hexadecimal digits. */
export function digestOf(bytes: Uint8Array): string {
  return hash('sha1', bytes, 'hex').slice(0, 16);
}
