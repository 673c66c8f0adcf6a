/**
 * Ready-made checks for crash tests, over the oracles of `check/`: what acknowledges and what recovery reads is the
 * test's, what may be lost is known here.
 */

import type { Checker, CrashedDisk, Verdict } from '../check/checker.ts';
import { MonotoneOracle } from '../check/monotone-oracle.ts';
import { OpensOracle } from '../check/opens-oracle.ts';
import { OldOrNewOracle } from '../check/old-or-new-oracle.ts';
import { PrefixOracle } from '../check/prefix-oracle.ts';
import { ContentStore } from '../explore/content-store.ts';
import { walkDisks } from '../explore/disk-walk.ts';
import { MemoryVfs } from '../../vfs/memory-vfs.ts';
import type { Vfs } from '../../vfs/vfs.ts';
import { modelByName } from '../model/model-list.ts';
import { promiseOf } from './promise-of.ts';
import type { CheckContext, CheckFunction, Recover, TraceOracle } from './crash-test.ts';

export interface PrefixOptions {
  /** What recovery finds, oldest first. Throwing is a finding. */
  readonly list: (vfs: Vfs) => readonly string[] | Promise<readonly string[]>;
  /** All records that the workload writes, in order. Without it anything may follow the acknowledged ones. */
  readonly issued?: readonly string[];
  /** The records acknowledged by these marks. @default each mark is one */
  readonly acknowledged?: (marks: readonly string[]) => readonly string[];
}

export interface MonotoneOptions {
  /** What recovery reads. Throwing is a finding. */
  readonly read: (vfs: Vfs) => bigint | number | Promise<bigint | number>;
  /** The value acknowledged last; null for none. @default the last whole number in the last mark that has one */
  readonly acknowledged?: (marks: readonly string[]) => bigint | number | null;
  /** The highest value that the workload ever writes. */
  readonly highest?: bigint | number;
}

export interface RobustOptions {
  /** What a user would see after recovery. The same for equal disks. */
  readonly dump: (vfs: Vfs, context: CheckContext) => string | Promise<string>;
}

export interface Oracles {
  /** Recovery that throws or hangs is the only finding. */
  opens(open: (vfs: Vfs) => unknown): CheckFunction;
  /** Acknowledged records are there, in order, followed only by what was written next: logs, queues, stores. */
  prefix(options: PrefixOptions): CheckFunction;
  /** Never below what was acknowledged: counters, versions, positions. */
  monotone(options: MonotoneOptions): CheckFunction;
  /** Every file that the workload replaced is whole, old or new; it knows the trace and asks for nothing else. */
  oldOrNew(): TraceOracle;
  /** Recovery shows only what it also shows after some crash in which nothing was reordered. */
  robust(options: RobustOptions): TraceOracle;
}

export const oracles: Oracles = {
  opens:
    (open) =>
    (vfs, { disk }) =>
      requirePass(new OpensOracle({ open: () => waited(open(vfs)) }), disk),

  prefix: ({ list, issued, acknowledged }) => {
    return (vfs, { marks, disk }) => {
      const oracle = new PrefixOracle({
        list: () => waited(list(vfs)),
        ...(issued === undefined ? {} : { issued }),
        acknowledged: () => acknowledged?.(marks) ?? marks,
      });
      return requirePass(oracle, disk);
    };
  },

  monotone: ({ read, acknowledged, highest }) => {
    return (vfs, { marks, disk }) => {
      const oracle = new MonotoneOracle({
        read: () => waited(read(vfs)),
        ...(acknowledged === undefined ? {} : { acknowledged: () => acknowledged(marks) }),
        ...(highest === undefined ? {} : { highest }),
      });
      return requirePass(oracle, disk);
    };
  },

  oldOrNew: () => ({
    name: 'old or new',
    forTrace: (trace) => {
      const oracle = new OldOrNewOracle(trace);
      const own = new Set<unknown>(trace.operations);
      // Marks of a recovery speak of another trace.
      return (_, { disk }) =>
        requirePass(oracle, { root: disk.root, marks: disk.marks.filter((mark) => own.has(mark)) });
    },
  }),

  robust: ({ dump }) => ({
    name: 'robust',
    forTrace: (trace, recover) => {
      let known: Promise<ReadonlySet<string>> | null = null;
      return async (vfs, context) => {
        const shown = await dump(vfs, context);
        const disks = walkDisks(trace, modelByName('prefix'), new ContentStore());
        known ??= outputsInOrder(disks, recover, dump);
        if ((await known).has(shown)) return;
        throw new Error(`recovery shows ${JSON.stringify(shown)}: no crash in order gives this`);
      };
    },
  }),
};

async function outputsInOrder(
  disks: Iterable<CrashedDisk>,
  recover: Recover | undefined,
  dump: RobustOptions['dump'],
): Promise<ReadonlySet<string>> {
  const outputs = new Set<string>();
  for (const disk of disks) {
    const marks = disk.marks.map(({ text }) => text);
    const vfs = MemoryVfs.fromTree(disk.root);
    await recover?.(vfs, { marks, disk, mark: () => undefined });
    const recovered = recover === undefined ? disk : { ...disk, root: vfs.toTree() };
    outputs.add(await dump(vfs, { marks, disk: recovered }));
  }
  return outputs;
}

/** With a promise of this context, as the oracles look for it. */
function waited<T>(value: T | Promise<T>): T | Promise<T> {
  return promiseOf(value) ?? value;
}

function requirePass(checker: Checker, disk: CrashedDisk): void | Promise<void> {
  const verdict = checker.check(disk);
  return verdict instanceof Promise ? verdict.then(throwFailure) : throwFailure(verdict);
}

function throwFailure(verdict: Verdict): void {
  if (!verdict.ok) throw new Error(verdict.message);
}
