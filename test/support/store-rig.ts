/**
 * The log and the engines on real kernels: `test/root/store-program.ts` under the rig, and what a power cut leaves
 * recovered and judged, each subject by itself. A subject's directory that was judged before, with the same promises,
 * is not judged again: side by side most mounted states differ in one subject only.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Prng } from '../../src/base/prng.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { DiskImage } from '../../src/lab/powercut/disk-image.ts';
import type { PowercutOptions } from '../../src/lab/powercut/examine-powercut.ts';
import type { PowercutResult } from '../../src/lab/powercut/powercut-result.ts';
import type { MarkOperation } from '../../src/lab/record/operation.ts';
import { treeDigest } from '../../src/lab/replay/tree-digest.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { cutPower } from './powercut-needs.ts';
import { isRefusal, marksOf, NO_DISK, rigSubject } from './rig-subjects.ts';

const PROGRAM = fileURLToPath(new URL('../root/store-program.js', import.meta.url));

/**
 * File systems that do not replace a file at once over a power cut (docs/assumptions.md, 5). What is promised there: a
 * store is as everywhere, or it refuses to open and says so. It never shows less than was promised.
 */
export const MAY_REFUSE: ReadonlySet<string> = new Set(['ext2', 'ext4-nojournal']);

/** What the check says of a backup that does not open, and of nothing else. */
const REFUSED_BACKUP = /^P4: the backup [^;]*$/;

/** What became of one subject's directory. */
interface Verdict {
  readonly wrong: string | null;
  readonly refused: boolean;
}

/** How often a subject was judged. */
export interface JudgeCount {
  /** Different contents of its directory. */
  distinct: number;
  /** Judgements: of different contents or different promises. */
  judged: number;
  /** Of those, refused loudly where that is allowed. */
  refused: number;
}

/** Judges mounted states; knows what it has judged. */
export class StoreJudge {
  readonly #policy: string;
  readonly #names: readonly string[];
  readonly #mayRefuse: boolean;
  readonly #known = new Map<string, Promise<Verdict>>();
  readonly #seen = new Set<string>();
  readonly #counts: Record<string, JudgeCount> = {};

  constructor(fileSystem: string, policy: string, names: readonly string[]) {
    this.#policy = policy;
    this.#names = names;
    this.#mayRefuse = MAY_REFUSE.has(fileSystem);
    for (const name of names) this.#counts[name] = { distinct: 0, judged: 0, refused: 0 };
  }

  get counts(): Readonly<Record<string, JudgeCount>> {
    return this.#counts;
  }

  /** What is wrong with a disk; null when nothing is. `before`: marks of the disk that it comes from. */
  async judge(
    { root, marks }: CrashedDisk,
    before: readonly string[] = [],
  ): Promise<string | null> {
    // The end of the program is a mark too.
    const said = marks.filter(({ source }) => source === 'mark').map(({ text }) => text);
    const wrong: string[] = [];
    for (const name of this.#names) {
      const directory = root.entries.get(name);
      if (directory?.kind !== 'directory') {
        wrong.push(`${name}: its directory is gone, which was durable before the program`);
        continue;
      }
      const verdict = await this.#verdict(name, directory, marksOf(name, [...before, ...said]));
      if (verdict.wrong !== null) wrong.push(`${name}, ${this.#policy}: ${verdict.wrong}`);
    }
    return wrong.length === 0 ? null : wrong.join('; ');
  }

  #verdict(name: string, directory: FileTreeDirectory, marks: string[]): Promise<Verdict> {
    const digest = treeDigest(directory);
    const key = hashOf([name, digest, marks]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const judging = this.#counted(name, digest, directory, marks);
    this.#known.set(key, judging);
    return judging;
  }

  async #counted(
    name: string,
    digest: string,
    directory: FileTreeDirectory,
    marks: string[],
  ): Promise<Verdict> {
    const verdict = await this.#judgeSubject(name, MemoryVfs.fromTree(directory), marks);
    const count = this.#counts[name] ?? { distinct: 0, judged: 0, refused: 0 };
    if (!this.#seen.has(`${name} ${digest}`)) count.distinct++;
    this.#seen.add(`${name} ${digest}`);
    count.judged++;
    if (verdict.refused) count.refused++;
    return verdict;
  }

  /** Never rejects. */
  async #judgeSubject(name: string, vfs: MemoryVfs, said: string[]): Promise<Verdict> {
    const { recover, check } = rigSubject(name, this.#policy);
    const marks = [...said];
    const mark = (text: string): void => void marks.push(text);
    let recovered = false;
    try {
      await recover(vfs, { mark, marks: [...said], disk: NO_DISK });
      recovered = true;
      await check(vfs, { marks, disk: NO_DISK });
      return { wrong: null, refused: false };
    } catch (error) {
      // Whatever a recovery throws on a crashed disk is the finding, unless it is what is promised.
      const wrong = error instanceof Error ? error.message : String(error);
      const refused = recovered ? REFUSED_BACKUP.test(wrong) : isRefusal(error);
      return this.#mayRefuse && refused
        ? { wrong: null, refused: true }
        : { wrong, refused: false };
    }
  }
}

function hashOf(what: unknown): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('base64');
}

/** What makes the subjects' directories, durably, before anything is logged. */
export function storeSetup(names: readonly string[]): string {
  return `mkdir ${names.join(' ')}`;
}

/** Words that tell the stories, for the rig; `task` may also be `brief` or `unsynced`. */
export function storyProgram(
  policy: string,
  names: readonly string[],
  task: string = 'tell',
): string[] {
  return [process.execPath, PROGRAM, task, policy, names.join()];
}

/** A disk that a power cut left, and what had been said by then. */
export interface CutDisk {
  readonly image: DiskImage;
  readonly marks: readonly string[];
}

/** Tells the stories on one file system and judges what power cuts leave. */
export async function cutPowerOfStores(
  fileSystem: string,
  policy: string,
  names: readonly string[],
  judge: StoreJudge,
  more: Partial<PowercutOptions> = {},
): Promise<PowercutResult> {
  return await cutPower(fileSystem, '', (disk) => judge.judge(disk), {
    program: storyProgram(policy, names),
    setup: storeSetup(names),
    ...more,
  });
}

/**
 * Recovers a disk that a power cut left, on the kernel, with the block writes of that logged too: those of the kernel's
 * recovery and those of the stores'. Then the power is cut in there, and everything is judged again.
 */
export async function cutPowerOfRecovery(
  fileSystem: string,
  policy: string,
  names: readonly string[],
  judge: StoreJudge,
  cut: CutDisk,
  more: Partial<PowercutOptions> = {},
): Promise<PowercutResult> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-marks-'));
  try {
    const file = join(directory, 'marks');
    writeFileSync(file, JSON.stringify(cut.marks));
    return await cutPower(fileSystem, '', (disk) => judge.judge(disk, cut.marks), {
      program: [process.execPath, PROGRAM, 'recover', policy, names.join(), file],
      image: cut.image,
      ...more,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Some of the disks that are shown one after the other, each as likely as any other. */
export class CutSample {
  readonly #kept: CutDisk[] = [];
  readonly #most: number;
  readonly #prng: Prng;
  #shown = 0;

  constructor(most: number, seed: number) {
    this.#most = most;
    this.#prng = new Prng(seed);
  }

  get disks(): readonly CutDisk[] {
    return this.#kept;
  }

  show(image: DiskImage, marks: readonly MarkOperation[]): void {
    this.#shown++;
    const place =
      this.#kept.length < this.#most ? this.#kept.length : this.#prng.below(this.#shown);
    if (place >= this.#most) return;
    const texts = marks.filter(({ source }) => source === 'mark').map(({ text }) => text);
    this.#kept[place] = { image, marks: texts };
  }
}
