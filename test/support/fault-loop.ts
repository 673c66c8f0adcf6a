/**
 * Runs a scenario again and again: with the first call failing, then the second, … until a run
 * meets no fault any more; and all of that for every kind of fault. The idea is SQLite's ("How
 * SQLite Is Tested", anomaly testing).
 */

import type { Fault, FaultKind } from '../../src/vfs/fault.ts';
import { FaultVfs } from '../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';

/** The kinds that the loop tries by default. */
export const FAULT_KINDS: readonly FaultKind[] = [
  'EIO',
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'EINTR',
  'short-write',
  'failed-sync',
];

export interface FaultRun {
  readonly vfs: FaultVfs;
  readonly fault: Fault;
}

export interface FaultLoopOptions {
  /** The vfs below, new for each run. Default: an empty `MemoryVfs`. */
  readonly create?: () => Vfs;
  /** Default: `FAULT_KINDS`. */
  readonly kinds?: readonly FaultKind[];
  /** What else every fault says: `path`, `calls`, `times`, … */
  readonly fault?: Omit<Fault, 'kind' | 'nth'>;
  /** A scenario with more calls than this is a mistake. Default 2000. */
  readonly callsMax?: number;
}

/**
 * Calls `scenario` for every fault. It does its work, takes errors as a user would, and throws when
 * something is wrong with what it finds afterwards; what it throws is given a message that names
 * the fault. The last run of each kind has no fault.
 * @returns how many calls were made to fail, by kind: a test asserts that it is not 0
 */
export async function faultLoop(
  scenario: (run: FaultRun) => void | Promise<void>,
  options: FaultLoopOptions = {},
): Promise<ReadonlyMap<FaultKind, number>> {
  const { create = (): Vfs => new MemoryVfs(), kinds = FAULT_KINDS, callsMax = 2000 } = options;
  const failed = new Map<FaultKind, number>();
  for (const kind of kinds) {
    let nth = 1;
    for (let met = true; met; nth++) {
      if (nth > callsMax) throw new Error(`${kind}: more than ${callsMax} calls that can fail`);
      const fault: Fault = { ...options.fault, kind, nth };
      const vfs = new FaultVfs(create(), fault);
      try {
        await scenario({ vfs, fault });
      } catch (error) {
        throw new Error(describe(vfs, fault), { cause: error });
      }
      met = vfs.injected.length > 0;
    }
    failed.set(kind, nth - 2);
  }
  return failed;
}

function describe(vfs: FaultVfs, { kind, nth }: Fault): string {
  const [first] = vfs.injected;
  if (first === undefined) return `wrong without any fault (looking for ${kind})`;
  const { name, path, blocking } = first.call;
  return `wrong after ${kind} at call ${nth}: ${name}${blocking ? 'Sync' : ''} ${path}`;
}
