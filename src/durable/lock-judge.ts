/**
 * Who this thread is, and whether another owner of a lock lives. "Dead" lets the lock be taken, so
 * it is said only when it is certain; every doubt is "unknown". No heartbeat: the operating system
 * knows at once.
 *
 * An owner is dead when 1. host and boot and namespace are ours, and no process has its number, or
 * one that started at another time, or one that has ended and waits for its parent; or 2. as 1, the
 * process lives, and the thread of it that took the lock has ended; or 3. host and machine are
 * ours, the process numbers of both are the machine's own (no container), and the boot is another
 * one: nothing outlives a reboot. An owner in another process namespace or on another host is never
 * dead. Assumed: hosts that share a directory differ in name or machine id.
 *
 * Where the system does not tell start times and threads (all but Linux), a reused process number
 * counts as alive, and so does a terminated worker thread until its process ends.
 */

import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

import { nodeVfs } from '../vfs/node-vfs.ts';
import type { LockOwner } from './lock-owner.ts';
import { systemProbe } from './temporary-file-owner.ts';
import type { ProcessProbe } from './temporary-file-owner.ts';

/** `'ending'`: killed, and not yet gone; its last call may still be under way in the kernel. */
export type LockVerdict = 'alive' | 'dead' | 'ending' | 'unknown';

/** Knows this thread, and judges others. */
export interface LockJudge {
  /** This thread; the nonce comes with each lock. */
  readonly self: Omit<LockOwner, 'nonce'>;
  verdictOn(owner: LockOwner): LockVerdict;
  /**
   * What became of a lock of this thread, by its nonce: held; released, though its file may still
   * be there; or gone with its file.
   */
  note(nonce: string, state: 'held' | 'released' | 'gone'): void;
}

/** What the judge asks besides the `ProcessProbe`. */
export interface LockProbe extends ProcessProbe {
  readonly threadId: number;
  readonly host: string;
}

/** Judges by what the operating system says about processes and threads. */
export class SystemLockJudge implements LockJudge {
  readonly self: Omit<LockOwner, 'nonce'>;
  readonly #probe: LockProbe;

  constructor(probe: LockProbe) {
    this.#probe = probe;
    const { processId, threadId: thread } = probe;
    const linux = probe.platform === 'linux';
    const read = (path: string): string => (linux ? (probe.readText(path)?.trim() ?? '') : '');
    const link = (path: string): string => (linux ? (probe.readLink(path) ?? '') : '');
    // Read on this very thread: the name stands for whoever asks.
    const systemThreadId = /^\d+\/task\/(\d+)$/.exec(link('/proc/thread-self'))?.[1] ?? '';
    const pids = link('/proc/self/ns/pid');
    const names = `${pids} ${link('/proc/self/ns/time')}`.trim();
    this.self = {
      processId,
      processStart: this.#stat(`${processId}`)?.start ?? '',
      threadId: thread,
      systemThreadId,
      systemThreadStart: this.#stat(`${processId}/task/${systemThreadId}`)?.start ?? '',
      boot: read('/proc/sys/kernel/random/boot_id'),
      // Elsewhere every process of a host has the same numbers.
      namespace: linux ? names : probe.platform,
      host: probe.host,
      machine: read('/etc/machine-id'),
    };
  }

  note(nonce: string, state: 'held' | 'released' | 'gone'): void {
    if (state === 'gone') registry().delete(nonce);
    else registry().set(nonce, state);
  }

  verdictOn(owner: LockOwner): LockVerdict {
    const { self } = this;
    // What this thread did itself it knows better than the system.
    const own = registry().get(owner.nonce);
    if (own !== undefined) return own === 'held' ? 'alive' : 'dead';
    const unknown = owner.namespace === '' || owner.processId < 1;
    if (unknown || owner.host !== self.host || owner.namespace !== self.namespace) return 'unknown';
    if (owner.machine !== self.machine) return 'unknown';
    if (owner.boot !== self.boot) return this.#rebooted(owner) ? 'dead' : 'unknown';
    if (!this.#probe.mayExist(owner.processId)) return 'dead';
    return this.#verdictOnProcess(owner);
  }

  /**
   * Rule 3. In a container neither the machine id nor the boot id says which machine and container
   * it was.
   */
  #rebooted(owner: LockOwner): boolean {
    const named = owner.machine !== '' || !NO_NAMES.has(owner.host);
    const onMachine = owner.namespace.startsWith(FIRST_NAMESPACE) && named;
    return onMachine && owner.boot !== '' && this.self.boot !== '';
  }

  /** REQUIRES: a process has the number, in our namespace and boot. */
  #verdictOnProcess(owner: LockOwner): LockVerdict {
    if (owner.processStart === '') return 'alive';
    const process = this.#stat(`${owner.processId}`);
    // Hidden from us (hidepid), or gone since we asked.
    if (process === null) return this.#probe.mayExist(owner.processId) ? 'alive' : 'dead';
    if (process.start !== owner.processStart) return 'dead';
    if (process.ended) return process.threads <= 1 ? 'dead' : 'ending';
    if (process.exiting || this.#isKilled(owner.processId)) return 'ending';
    if (owner.systemThreadStart === '') return 'alive';
    const thread = this.#stat(`${owner.processId}/task/${owner.systemThreadId}`);
    if (thread === null || thread.start !== owner.systemThreadStart) return 'dead';
    // An exiting thread makes no more calls.
    return thread.ended || thread.exiting ? 'dead' : 'alive';
  }

  /**
   * What /proc says about a process or thread; null where it cannot be read. A /proc that belongs
   * to another namespace shows others under our numbers: it is not read. @see proc_pid_stat(5)
   */
  #stat(name: string): ProcessStat | null {
    const probe = this.#probe;
    if (probe.platform !== 'linux') return null;
    if (probe.readLink('/proc/self') !== String(probe.processId)) return null;
    const text = probe.readText(`/proc/${name}/stat`);
    if (text === null) return null;
    // The second field is the program's name in parentheses, and may hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): string => fields[number - 3] ?? '';
    if (!/^\d+$/.test(field(22))) return null;
    return {
      ended: field(3) === 'Z' || field(3) === 'X',
      exiting: (Number(field(9)) & PF_EXITING) !== 0,
      threads: Number(field(20)),
      start: field(22),
    };
  }

  /** Whether SIGKILL is on its way: nothing can stop it. @see proc_pid_status(5) SigPnd, ShdPnd */
  #isKilled(processId: number): boolean {
    const text = this.#probe.readText(`/proc/${processId}/status`) ?? '';
    return [...text.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)].some(
      ([, mask]) => (BigInt(`0x${mask}`) & SIGKILL_BIT) !== 0n,
    );
  }
}

interface ProcessStat {
  /** A zombie: with more than one thread, others of it may still be in a call. */
  readonly ended: boolean;
  readonly exiting: boolean;
  readonly threads: number;
  readonly start: string;
}

/** include/linux/sched.h: "Getting shut down". */
const PF_EXITING = 0x4;
const SIGKILL_BIT = 1n << 8n;
/** The first process-id namespace on every Linux (PROC_PID_INIT_INO, include/linux/proc_ns.h). */
const FIRST_NAMESPACE = 'pid:[4026531836]';

/** Host names that many hosts have: without a machine id they tell nothing. */
const NO_NAMES: ReadonlySet<string> = new Set(['', '(none)', 'localhost', 'localhost.localdomain']);

let ours: LockJudge | null = null;

/**
 * The judge of this thread on this machine. Not to be shared with another thread. What it knows of
 * this thread is read once: only the host's name may change while it lives.
 */
export function systemLockJudge(): LockJudge {
  const host = hostname();
  if (ours?.self.host !== host) {
    ours = new SystemLockJudge({ ...systemProbe(nodeVfs), threadId, host });
  }
  return ours;
}

const REGISTRY = Symbol.for('holdfast.locks');

/** The locks of this thread by nonce, shared by all copies of this module in it. */
function registry(): Map<string, 'held' | 'released'> {
  const shared = globalThis as { [REGISTRY]?: Map<string, 'held' | 'released'> };
  shared[REGISTRY] ??= new Map();
  return shared[REGISTRY];
}
