/**
 * The contract of a checker: a recovered disk and what had been promised by then in, a verdict out.
 * A new way to check (another process, another machine) is a new implementation of `Checker`.
 */

import type { FileTreeDirectory } from '../../vfs/file-tree.ts';
import type { MarkOperation } from '../record/operation.ts';

/** One disk that a power cut could leave. */
export interface CrashedDisk {
  readonly root: FileTreeDirectory;
  /** Everything the outside world had been told by the crash, in order. */
  readonly marks: readonly MarkOperation[];
}

/** `ok: false` is a violation; `message` is one line that says what is wrong with this disk. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface Checker {
  readonly name: string;
  /** How many disks it can check at the same time; 1 when absent. */
  readonly concurrency?: number;
  /**
   * `'lazy'`: the verdict depends on nothing but what it reads of the disk and on the marks, and a repeated check
   * reads the same. Then disks are decided only where it looks, and it is asked once for each thing it can see.
   * `root` is good until `check` returns or its promise settles. Checks come one at a time. Absent: whole disks.
   */
  readonly reads?: 'lazy';
  /** Why its verdicts cannot be trusted, as far as it has found out by itself; a result with one is incomplete. */
  readonly doubts?: readonly string[];
  /** Disks decided so far by what a run on another one had read. */
  readonly remembered?: number;
  check(disk: CrashedDisk): Verdict | Promise<Verdict>;
  /** Releases workers and temporary directories. */
  close?(): Promise<void>;
}
