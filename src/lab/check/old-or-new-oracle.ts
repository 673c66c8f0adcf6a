/**
 * An oracle that needs no checker: from the trace alone it knows what each path stood for over time and what the
 * outside world had been told, and judges a crashed disk by it. A replaced file shows its old or its new version,
 * whole; what was acknowledged is there; what was acknowledged as removed stays away. The rules are numbered in
 * `obligation-plan.ts`. They prefer silence to a false alarm: what a rule does not name is allowed.
 *
 * Not judged: modes, owners and other attributes; whether two names are one file; two files that only make sense
 * together; order between files. Those need a checker that knows the program.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import type { Trace } from '../record/operation.ts';
import type { Checker, CrashedDisk, Verdict } from './checker.ts';
import type { ContentRule } from './content-rule.ts';
import { contentsLeft, planObligations, statesLeft, type PathState } from './obligation-plan.ts';
import {
  describeLoss,
  movedAllowance,
  movedFiles,
  type MovedAllowance,
  type MovedFile,
} from './moved-files.ts';
import { describeViolation } from './old-or-new-message.ts';

/** What one path may show, when a certain number of marks was given. */
interface Allowance {
  readonly absent: boolean;
  readonly directory: boolean;
  readonly targets: readonly string[];
  readonly contents: readonly ContentRule[];
}

/** A path on the way to one that owes something, or such a path itself (`index` not -1). */
interface PathNode {
  readonly name: string;
  readonly children: PathNode[];
  index: number;
}

/** So many numbers of marks are kept ready; crash points are walked in order, so few are needed at a time. */
const ALLOWANCES_KEPT = 64;

const PASSED: Verdict = { ok: true };

export class OldOrNewOracle implements Checker {
  readonly name = 'old-or-new';
  readonly reads = 'lazy';
  readonly #paths: readonly string[];
  readonly #states: readonly (readonly PathState[])[];
  readonly #markedAt: readonly number[];
  readonly #moved: readonly MovedFile[];
  readonly #root: PathNode = { name: '', children: [], index: -1 };
  /** The number of marks that `#movedKept` is for. */
  #movedFor = -1;
  #movedKept: readonly MovedAllowance[] = [];
  readonly #allowances = new Map<number, readonly Allowance[]>();

  /** @throws TraceError `HOLDFAST_BAD_TRACE` when the trace contradicts itself. */
  constructor(trace: Trace) {
    const { paths, markedAt } = planObligations(trace);
    this.#moved = movedFiles(paths);
    this.#paths = [...paths.keys()];
    this.#states = [...paths.values()];
    this.#markedAt = markedAt;
    this.#paths.forEach((path, index) => this.#insert(path.split('/'), index));
  }

  /** How many paths owe something. */
  get pathCount(): number {
    return this.#paths.length;
  }

  /**
   * Judges by the number of marks: `disk.marks` must be the first ones of the trace, in order. What a disk owes
   * only grows with their number, so a disk that passes under later marks passes under earlier ones.
   */
  check(disk: CrashedDisk): Verdict {
    const count = Math.min(disk.marks.length, this.#markedAt.length - 1);
    const allowances = this.#allowancesAt(count);
    const verdict = this.#walk(this.#root, disk.root, allowances, count);
    if (!verdict.ok) return verdict;
    for (const moved of this.#movedAt(count)) {
      const message = describeLoss(moved, disk.root);
      if (message !== null) return { ok: false, message };
    }
    return PASSED;
  }

  #walk(
    node: PathNode,
    directory: FileTreeDirectory | undefined,
    allowances: readonly Allowance[],
    count: number,
  ): Verdict {
    for (const child of node.children) {
      const found = directory?.entries.get(child.name);
      const allowance = allowances[child.index];
      if (allowance !== undefined && !isAllowed(allowance, found)) {
        return this.#refuse(child.index, found, count);
      }
      if (child.children.length === 0) continue;
      const below = found?.kind === 'directory' ? found : undefined;
      const verdict = this.#walk(child, below, allowances, count);
      if (!verdict.ok) return verdict;
    }
    return PASSED;
  }

  #refuse(index: number, found: FileTreeNode | undefined, count: number): Verdict {
    const path = this.#paths[index] ?? '';
    const states = this.#states[index] ?? [];
    const marked = this.#markedAt[count] ?? -Infinity;
    return { ok: false, message: describeViolation(path, states, marked, found) };
  }

  #allowancesAt(count: number): readonly Allowance[] {
    const known = this.#allowances.get(count);
    if (known !== undefined) return known;
    if (this.#allowances.size >= ALLOWANCES_KEPT) this.#allowances.clear();
    const marked = this.#markedAt[count] ?? -Infinity;
    const made = this.#states.map((states) => allowanceOf(states, marked));
    this.#allowances.set(count, made);
    return made;
  }

  #movedAt(count: number): readonly MovedAllowance[] {
    if (this.#movedFor === count) return this.#movedKept;
    const marked = this.#markedAt[count] ?? -Infinity;
    this.#movedKept = this.#moved.flatMap((file) => movedAllowance(file, marked) ?? []);
    this.#movedFor = count;
    return this.#movedKept;
  }

  #insert(names: readonly string[], index: number): void {
    let node = this.#root;
    for (const name of names) {
      let child = node.children.find((other) => other.name === name);
      if (child === undefined) {
        child = { name, children: [], index: -1 };
        node.children.push(child);
      }
      node = child;
    }
    node.index = index;
  }
}

function isAllowed(allowance: Allowance, found: FileTreeNode | undefined): boolean {
  if (found === undefined) return allowance.absent;
  if (found.kind === 'directory') return allowance.directory;
  if (found.kind === 'symlink') return allowance.targets.includes(found.target);
  if (allowance.contents.length === 0) return false;
  const { content } = found;
  for (const rule of allowance.contents) if (rule.accepts(content)) return true;
  return false;
}

function allowanceOf(states: readonly PathState[], marked: number): Allowance {
  let absent = false;
  let directory = false;
  const targets: string[] = [];
  const contents = new Set<ContentRule>();
  for (const state of statesLeft(states, marked)) {
    const { shape, target } = state.event;
    if (shape === 'absent') absent = true;
    else if (shape === 'directory') directory = true;
    else if (shape === 'symlink') targets.push(target);
    else for (const rule of contentsLeft(state, marked)) contents.add(rule);
  }
  return { absent, directory, targets, contents: [...contents] };
}
