/**
 * The checker that a crash test is: recovery and check run on a private copy of the crashed disk. Equal disks under
 * equal promises are handed over once, whichever trace, model or depth they come from.
 */

import { UsageError } from '../../base/errors.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import { MemoryVfs } from '../../vfs/memory-vfs.ts';
import { acknowledgedLines } from '../check/acknowledged-lines.ts';
import type { Checker, CrashedDisk, Verdict } from '../check/checker.ts';
import { printable } from '../check/printable.ts';
import type { DiskKeys } from '../nested/disk-keys.ts';
import type { MarkOperation } from '../record/operation.ts';
import { promiseOf } from './promise-of.ts';
import type { CheckContext, CheckFunction, Recover } from './crash-test.ts';

/** Milliseconds after which a recovery or check that has not settled counts as hanging. */
const TIME_LIMIT_MS = 30_000;

const PASSED: Verdict = { ok: true };

/** One disk that passed of so many is checked twice, and so many of those that failed. */
const TRIED_TWICE_EACH = 97;
const FAILURES_TRIED_TWICE = 4;

/** What is known of a disk under certain marks. */
interface KnownDisk {
  readonly verdict: Verdict;
  /** Recovery changed something, so that there are crashes inside it. */
  readonly recovers: boolean;
}

/** A disk that passed and whose recovery changes it. */
export interface RecoveringDisk {
  readonly disk: CrashedDisk;
  /** Equal for equal disks under equal marks. */
  readonly key: string;
}

/** Verdicts over all traces, models and depths of one crash test. */
export class DiskVerdicts {
  readonly keys: DiskKeys;
  readonly known: Map<string, KnownDisk> = new Map();

  constructor(keys: DiskKeys) {
    this.keys = keys;
  }

  /** True when recovery and check passed and refused one disk. */
  wavered = false;

  /** Disks that failed so far. */
  failed = 0;

  /** Checks that read lazily: whole disks have no key there. */
  lazyChecks = 0;

  /** Disks handed to recovery and check so far. */
  get checked(): number {
    return this.known.size + this.lazyChecks;
  }

  keyOf(disk: CrashedDisk): string {
    const told = disk.marks.map(({ text }) => text);
    return `${JSON.stringify(told)} ${this.keys.keyOf(disk.root)}`;
  }
}

export interface VfsCheckerOptions {
  readonly check: CheckFunction;
  readonly recover: Recover | undefined;
  readonly verdicts: DiskVerdicts;
  /** What had been promised before the trace began: of nested crashes. */
  readonly marksBefore?: readonly MarkOperation[];
  /** Told of every disk whose recovery changes it, also of one that was known. */
  readonly onRecovering?: (disk: RecoveringDisk) => void;
  /** See `Checker.reads`. A disk whose recovery changes it is read as a whole all the same. */
  readonly reads?: 'lazy' | undefined;
  /** True for one look at one disk, as a debugger takes: no disk is tried twice. */
  readonly once?: boolean;
}

export class VfsChecker implements Checker {
  readonly name = 'check';
  readonly reads?: 'lazy';
  readonly #options: VfsCheckerOptions;

  constructor(options: VfsCheckerOptions) {
    this.#options = options;
    if (options.reads !== undefined) this.reads = options.reads;
  }

  /** @throws UsageError that the check throws: wrong use is no finding. */
  check(crashed: CrashedDisk): Verdict | Promise<Verdict> {
    const { marksBefore, verdicts } = this.#options;
    const disk =
      marksBefore === undefined
        ? crashed
        : { root: crashed.root, marks: [...marksBefore, ...crashed.marks] };
    if (this.reads === 'lazy') return this.#checkLazily(disk);
    const key = verdicts.keyOf(disk);
    const known = verdicts.known.get(key);
    if (known !== undefined) return this.#tell(disk, key, known);
    const probe = new DiskProbe(disk, this.#options);
    const first = probe.run();
    const again = (settled: Verdict): Verdict | Promise<Verdict> => this.#again(disk, settled);
    const verdict = first instanceof Promise ? first.then(again) : again(first);
    const settle = (settled: Verdict): Verdict => {
      const result = { verdict: settled, recovers: settled.ok && probe.changed };
      verdicts.known.set(key, result);
      return this.#tell(disk, key, result);
    };
    return verdict instanceof Promise ? verdict.then(settle) : settle(verdict);
  }

  /** The first failures, and some disks that passed, are tried twice: chance and clocks are found out. */
  #again(disk: CrashedDisk, before: Verdict): Verdict | Promise<Verdict> {
    const { verdicts, once } = this.#options;
    if (once === true) return before;
    const isTried = before.ok
      ? verdicts.known.size % TRIED_TWICE_EACH === TRIED_TWICE_EACH - 1
      : ++verdicts.failed <= FAILURES_TRIED_TWICE;
    if (!isTried) return before;
    const compare = (after: Verdict): Verdict => {
      if (after.ok !== before.ok) verdicts.wavered = true;
      return before;
    };
    const after = new DiskProbe(disk, this.#options).run();
    return after instanceof Promise ? after.then(compare) : compare(after);
  }

  #checkLazily(disk: CrashedDisk): Verdict | Promise<Verdict> {
    const { verdicts, onRecovering } = this.#options;
    verdicts.lazyChecks++;
    const probe = new DiskProbe(disk, this.#options);
    const settle = (verdict: Verdict): Verdict => {
      if (!verdict.ok || !probe.changed || onRecovering === undefined) return verdict;
      const whole = { root: wholeTree(disk.root), marks: disk.marks };
      onRecovering({ disk: whole, key: verdicts.keyOf(whole) });
      return verdict;
    };
    const verdict = probe.run();
    return verdict instanceof Promise ? verdict.then(settle) : settle(verdict);
  }

  #tell(disk: CrashedDisk, key: string, { verdict, recovers }: KnownDisk): Verdict {
    if (recovers) this.#options.onRecovering?.({ disk, key });
    return verdict;
  }
}

/** One run of recovery and check on one disk. */
class DiskProbe {
  /** Whether recovery, or a check that recovers by itself, changed the disk. */
  changed = false;
  readonly #disk: CrashedDisk;
  readonly #vfs: MemoryVfs;
  readonly #options: VfsCheckerOptions;
  readonly #marks: string[];

  constructor(disk: CrashedDisk, options: VfsCheckerOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#vfs = MemoryVfs.fromTree(disk.root);
    this.#marks = [...acknowledgedLines(disk.marks)];
  }

  run(): Verdict | Promise<Verdict> {
    try {
      const running = promiseOf(this.#recoverAndCheck());
      return running === null ? this.#passed() : this.#within(running);
    } catch (error) {
      // What recovery or check throws on a crashed disk is the finding.
      return failed(error);
    }
  }

  #recoverAndCheck(): unknown {
    const { recover } = this.#options;
    if (recover === undefined) return this.#check();
    const mark = (text: string): void => void this.#marks.push(text);
    const recovered = promiseOf(recover(this.#vfs, { ...contextOf(this.#disk), mark }));
    return recovered === null ? this.#check() : recovered.then(() => this.#check());
  }

  #check(): unknown {
    return this.#options.check(this.#vfs, { marks: this.#marks, disk: this.#recovered() });
  }

  #recovered(): CrashedDisk {
    if (this.#options.recover === undefined) return this.#disk;
    const root = this.#vfs.toTree();
    this.changed = root !== this.#disk.root;
    return { root, marks: this.#disk.marks };
  }

  #passed(): Verdict {
    if (this.#options.recover === undefined) this.changed = this.#vfs.toTree() !== this.#disk.root;
    return PASSED;
  }

  async #within(running: Promise<unknown>): Promise<Verdict> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Verdict>((resolve) => {
      timer = setTimeout(() => {
        resolve({ ok: false, message: `recovery did not end within ${TIME_LIMIT_MS} ms` });
      }, TIME_LIMIT_MS);
    });
    const settled = running.then(() => this.#passed(), failed);
    try {
      return await Promise.race([settled, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A tree whose parts are decided as they are read, as one that stays. */
function wholeTree(root: FileTreeDirectory): FileTreeDirectory {
  const entries = new Map<string, FileTreeNode>();
  for (const [name, node] of root.entries) {
    if (node.kind === 'directory') entries.set(name, wholeTree(node));
    else if (node.kind === 'symlink') entries.set(name, { ...node });
    else {
      const { mode, content, inode } = node;
      const file = { kind: 'file', mode, content } as const;
      entries.set(name, inode === undefined ? file : { ...file, inode });
    }
  }
  return { kind: 'directory', mode: root.mode, entries };
}

/** What a recovery or a check of this disk is told. */
export function contextOf(disk: CrashedDisk): CheckContext {
  return { marks: acknowledgedLines(disk.marks), disk };
}

/** The first lines of the error as one. */
function failed(error: unknown): Verdict {
  if (error instanceof UsageError) throw error;
  const text = error instanceof Error ? error.message : String(error);
  const message = printable(escapeControls(text.replaceAll(/\s+/g, ' ')));
  return { ok: false, message: message === '' ? 'the check throws' : message };
}

/** Zeros and garbage are what is to be seen: they must not become blanks. */
function escapeControls(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001F\u007F]/g, (found) => {
    return `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
