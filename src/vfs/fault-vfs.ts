/**
 * Makes chosen calls fail on their way to another vfs, and over a `MemoryVfs` knows what the disk
 * really holds, so that `crash` shows what a failed sync lost.
 *
 * What a failing call does. A write fails with nothing written, except EIO on a file opened with
 * `sync`: its bytes are in the cache and nowhere else. A sync that fails leaves its pages clean
 * (see `page-cache.ts`), except EINTR, which leaves them dirty. Every other description that the
 * file has then tells the error once, in its next sync; the one that failed never does again. A
 * close that fails has closed. Every other call fails without being made.
 *
 * Put a recorder around this vfs, not below it: below, failing calls never reach it.
 */

import { errorCode, systemError, type SystemError, type SystemErrorCode } from './errno.ts';
import { codeOf, matches, type Fault } from './fault.ts';
import type { FileTreeDirectory } from './file-tree.ts';
import { ForwardingVfs } from './forwarding-vfs.ts';
import { MemoryVfs } from './memory-vfs.ts';
import { PageTracker, type Settle } from './page-tracker.ts';
import type { VfsCall, VfsCallName } from './vfs-call.ts';
import type { Vfs } from './vfs.ts';

/** A fault that was injected. */
export interface InjectedFault {
  readonly fault: Fault;
  readonly call: VfsCall;
}

/** What becomes of pages that are dirty when the power goes: none is written, or all are. */
export type DirtyPages = 'lost' | 'written';

interface ArmedFault {
  readonly fault: Fault;
  /** Matching calls seen. */
  seen: number;
}

/** What becomes of one call. */
interface Plan {
  /** The call as it is made below; null where it is not made at all. */
  readonly made: VfsCall | null;
  /** What is thrown when it returned. */
  readonly error: SystemError | null;
  /** Tells the tracker how the call ended. */
  readonly settle: Settle;
}

/** How the calls of the contract are called by operating systems, for messages. */
const SYSCALLS: Partial<Record<VfsCallName, string>> = {
  openDirectory: 'open',
  readDirectory: 'scandir',
  readLink: 'readlink',
  'file.truncate': 'ftruncate',
  'file.sync': 'fsync',
  'file.datasync': 'fdatasync',
  'file.stat': 'fstat',
  'file.chmod': 'fchmod',
  'file.chown': 'fchown',
  'directory.sync': 'fsync',
};

/** A vfs with faults. */
export class FaultVfs extends ForwardingVfs {
  readonly #armed: ArmedFault[] = [];
  readonly #injected: InjectedFault[] = [];
  readonly #tracker: PageTracker | null;

  /**
   * `inner` is taken to be on the disk completely. Of several faults that match one call the first
   * wins, and the others count it too.
   */
  constructor(inner: Vfs, ...faults: readonly Fault[]) {
    super(inner);
    const memory = this.unwrap();
    this.#tracker = memory instanceof MemoryVfs ? new PageTracker(memory) : null;
    for (const fault of faults) this.inject(fault);
  }

  /** Adds a fault; it counts calls from now on. */
  inject(fault: Fault): void {
    this.#armed.push({ fault, seen: 0 });
  }

  /** Takes all faults away. What they did stays. */
  clear(): void {
    this.#armed.length = 0;
  }

  /** What failed so far, in order. */
  get injected(): readonly InjectedFault[] {
    return this.#injected;
  }

  /**
   * What the disk holds if the power goes now: every name as it is, of every file the bytes that
   * synced; dirty pages by choice, pages of a failed sync never. For all else that a crash can do,
   * record a trace and let the lab explore it.
   * @throws TypeError when there is no `MemoryVfs` below
   */
  crash(dirtyPages: DirtyPages = 'lost'): FileTreeDirectory {
    if (this.#tracker === null) throw new TypeError('crash needs a MemoryVfs below');
    return this.#tracker.disk(dirtyPages === 'written');
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const { made, error, settle } = this.#plan(call);
    let result: T | undefined;
    try {
      if (made !== null) result = await run(made);
      if (error !== null) throw error;
    } catch (cause) {
      settle(result, errorCode(cause) ?? 'EIO');
      throw cause;
    }
    settle(result, null);
    return result as T;
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    const { made, error, settle } = this.#plan(call);
    let result: T | undefined;
    try {
      if (made !== null) result = run(made);
      if (error !== null) throw error;
    } catch (cause) {
      settle(result, errorCode(cause) ?? 'EIO');
      throw cause;
    }
    settle(result, null);
    return result as T;
  }

  #plan(call: VfsCall): Plan {
    const fault = this.#next(call);
    if (fault === null) {
      const owed = this.#tracker?.owed(call) ?? null;
      const settle = this.#tracker?.observe(call, owed !== null) ?? ignore;
      return { made: call, error: owed === null ? null : errorFor(call, owed), settle };
    }
    this.#injected.push({ fault, call });
    const error = errorOf(call, fault);
    const code = codeOf(fault.kind);
    if (code !== undefined) this.#tracker?.failing(call, code);
    const settle = this.#tracker?.observe(call, error !== null) ?? ignore;
    return { made: this.#madeCall(call, fault), error, settle };
  }

  /** Counts the call on every fault and returns the one that strikes. */
  #next(call: VfsCall): Fault | null {
    let striking: Fault | null = null;
    for (const armed of this.#armed) {
      if (!matches(armed.fault, call)) continue;
      armed.seen++;
      const index = armed.seen - (armed.fault.nth ?? 1);
      if (index >= 0 && index < (armed.fault.times ?? 1)) striking ??= armed.fault;
    }
    return striking;
  }

  /** The call as it is made below; null where it is not made at all. */
  #madeCall(call: VfsCall, fault: Fault): VfsCall | null {
    if (fault.kind === 'short-write' && call.transfer !== undefined) {
      const length = fault.bytes ?? call.transfer.length >> 1;
      return { ...call, transfer: { ...call.transfer, length } };
    }
    if (call.name === 'file.close' || call.name === 'directory.close') return call;
    const reachesCache = call.name === 'file.write' && codeOf(fault.kind) === 'EIO';
    return reachesCache && this.#tracker?.isDurable(call) === true ? call : null;
  }
}

function errorOf(call: VfsCall, fault: Fault): SystemError | null {
  const code = codeOf(fault.kind);
  return code === undefined ? null : errorFor(call, code);
}

function errorFor(call: VfsCall, code: SystemErrorCode): SystemError {
  const syscall = SYSCALLS[call.name] ?? call.name.replace(/^.*\./, '');
  return systemError(code, syscall, call.path, call.target);
}

function ignore(): void {
  // There is no disk to keep in mind.
}
