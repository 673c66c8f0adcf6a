/**
 * Judges the disks of one program by classes, whichever trace, crash or fault they come from: what was found out about
 * one is known of all. Which disks there are, `wide-exploration`, `nested-exploration` and `faulted-exploration` say.
 *
 * Where a store can say of a disk all that its recovery will act on (`classOf`), each disk is looked at so far, and
 * recovered to the end once for each thing that can be said. One in so many of the others is recovered all the same:
 * its verdict must be that of its class.
 */

import { hash } from 'node:crypto';

import { acknowledgedLines } from '../../src/lab/check/acknowledged-lines.ts';
import type { Checker, CrashedDisk, Verdict } from '../../src/lab/check/checker.ts';
import { DiskKeys } from '../../src/lab/nested/disk-keys.ts';
import type { Recover } from '../../src/lab/suite/crash-test.ts';
import { DiskVerdicts, VfsChecker } from '../../src/lab/suite/vfs-checker.ts';
import type { FileTreeNode } from '../../src/vfs/file-tree.ts';

/** One disk of so many whose class is known is recovered all the same. */
const PROBED_EACH = 200;
/** Names of temporary files, in the text of a disk. */
const DRAWN_BEGIN = '.holdfast-';
const DRAWN_NAMES = /\.holdfast-[0-9a-f-]+\.tmp\//g;

/** What can be said of a disk, so that recovery does the same on all of which it is said. */
export type ClassOf = (disk: CrashedDisk) => string;

/** How the disks of a program are judged. */
export interface Judging {
  /** Recovers to the end, and throws when something is wrong. */
  readonly judge: Recover;
  /** Absent: every disk is a class of its own. */
  readonly classOf?: ClassOf | undefined;
  /** All that `judge` asks for after these marks, as text. @default the marks themselves */
  readonly owedBy?: ((marks: readonly string[]) => string) | undefined;
}

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

/** A disk of a class that no disk was of before, and what came of it. */
export interface NewClass {
  readonly disk: CrashedDisk;
  readonly verdict: Verdict | Promise<Verdict>;
}

/** The disks that a checker is for. */
export interface Looking {
  readonly tally: WideTally;
  /** What had been promised before the trace began. */
  readonly before?: CrashedDisk['marks'];
  /** Told of each class that is new. */
  readonly onClass?: (met: NewClass) => void;
}

export class WideJudge {
  readonly #judging: Judging;
  readonly #keys = new DiskKeys();
  readonly #known = new Map<string, Verdict | Promise<Verdict>>();
  readonly #classes = new Map<string, Verdict | Promise<Verdict>>();
  readonly #digests = new WeakMap<Uint8Array, string>();
  readonly #owedNumbers = new Map<string, number>();

  constructor(judging: Judging) {
    this.#judging = judging;
  }

  /** For one trace. */
  checker(looking: Looking): Checker {
    const { before = [] } = looking;
    let at: CrashedDisk['marks'] | null = null;
    let marks: CrashedDisk['marks'] = [];
    let owed = 0;
    const check = ({ root, marks: since }: CrashedDisk): Verdict | Promise<Verdict> => {
      // The marks of a crash point are one list.
      if (since !== at) {
        at = since;
        marks = before.length === 0 ? since : [...before, ...since];
        owed = this.#numberOf(marks);
      }
      return this.#check({ root, marks }, owed, looking);
    };
    return { name: 'check', check };
  }

  #check(disk: CrashedDisk, owed: number, looking: Looking): Verdict | Promise<Verdict> {
    const { tally } = looking;
    const text = this.#textOf(disk.root, new Map());
    const name = digestOf(Buffer.from(text));
    // Those that differ in nothing but names drawn at random count once, in all runs together.
    const drawn = text.includes(DRAWN_BEGIN);
    tally.add(drawn ? digestOf(Buffer.from(text.replace(DRAWN_NAMES, '.tmp/'))) : name);
    const key = `${owed} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    tally.asked++;
    const verdict = this.#decide(disk, owed, looking);
    this.#known.set(key, verdict);
    return verdict;
  }

  #decide(
    disk: CrashedDisk,
    owed: number,
    { tally, onClass }: Looking,
  ): Verdict | Promise<Verdict> {
    const { classOf } = this.#judging;
    const said = classOf === undefined ? null : `${owed} ${classOf(disk)}`;
    const known = said === null ? undefined : this.#classes.get(said);
    if (said === null || known === undefined) {
      const verdict = this.#recover(disk, tally);
      if (said !== null) this.#classes.set(said, verdict);
      onClass?.({ disk, verdict });
      return verdict;
    }
    if (tally.asked % PROBED_EACH !== 0) return known;
    tally.probed++;
    return agreement(known, this.#recover(disk, tally), said);
  }

  #recover(disk: CrashedDisk, tally: WideTally): Verdict | Promise<Verdict> {
    tally.recovered++;
    const { judge } = this.#judging;
    // What is known is known here: a checker of its own for each disk keeps nothing.
    const verdicts = new DiskVerdicts(this.#keys);
    return new VfsChecker({ check: () => undefined, recover: judge, verdicts }).check(disk);
  }

  #numberOf(marks: CrashedDisk['marks']): number {
    const { owedBy = JSON.stringify } = this.#judging;
    const text = owedBy(acknowledgedLines(marks));
    const number = this.#owedNumbers.get(text) ?? this.#owedNumbers.size;
    this.#owedNumbers.set(text, number);
    return number;
  }

  /** The same for equal disks, in all runs: inodes are numbered as their first names come. */
  #textOf(node: FileTreeNode, inodes: Map<number, number>): string {
    if (node.kind === 'symlink') return `l${JSON.stringify(node.target)}`;
    if (node.kind === 'file') {
      const { mode, inode, content } = node;
      let link = '';
      if (inode !== undefined) {
        const place = inodes.get(inode) ?? inodes.size;
        inodes.set(inode, place);
        link = `#${place}`;
      }
      return `f${mode}${link}:${this.#digestOf(content)}`;
    }
    const names = [...node.entries.keys()].toSorted();
    const entries = names.map((name) => {
      return `${name}/${this.#textOf(node.entries.get(name)!, inodes)}`;
    });
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
