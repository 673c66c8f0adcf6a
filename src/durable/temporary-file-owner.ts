/**
 * Who made a temporary file, and whether that process is surely dead. The answer "dead" lets a file
 * be deleted, so every doubt is answered with "alive". Not here: names and sweeping, which are
 * `temporary-file`.
 *
 * A process is dead when
 * 1. it lived in *our* world (same boot of the same machine, same process-id namespace: `world` is
 *    equal) and no process has its id, or the one that has it started at another time; or
 * 2. it lived in *another boot of our host* (`host` is equal and known, `world` is not): every
 *    process of an earlier boot is gone. `host` is known only on Linux outside of containers, where
 *    a machine id exists. In every other case (another host, another container, a system that tells
 *    us nothing) it is alive.
 */

import { createHash, randomBytes } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';

import { errorCode } from '../vfs/errno.ts';
import { readWholeFileSync } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';

/** The maker of a temporary file. All parts are short and safe in a file name. */
export interface FileOwner {
  /** Equal for processes that can see each other's ids. */
  readonly world: string;
  /** Equal for different boots of one machine; `NO_HOST` where that cannot be known. */
  readonly host: string;
  readonly processId: number;
  /** When the process started, in the system's own unit; `NO_START` where that cannot be known. */
  readonly start: string;
}

/** Knows this process, and judges others. */
export interface OwnerJudge {
  readonly self: FileOwner;
  /** True only when the owner cannot be alive. */
  isDead(owner: FileOwner): boolean;
}

export const NO_HOST = '0';
export const NO_START = '0';

/**
 * The inode of the first process-id namespace on every Linux (PROC_PID_INIT_INO,
 * include/linux/proc_ns.h).
 */
const FIRST_NAMESPACE = 'pid:[4026531836]';

/** What the judge asks the system; replaced in tests. */
export interface ProcessProbe {
  readonly platform: string;
  readonly processId: number;
  /** The text of a file in /proc, /sys or /etc; null where it cannot be read. */
  readText(path: string): string | null;
  /** The target of a link in /proc; null where it cannot be read. */
  readLink(path: string): string | null;
  /** False only when the system says that no process has the id. */
  mayExist(processId: number): boolean;
  /** Names this machine among those that may share a directory with it. */
  machineName(): string;
  random(): string;
}

/** Judges by what the operating system says about processes. */
export class SystemOwnerJudge implements OwnerJudge {
  readonly self: FileOwner;
  readonly #probe: ProcessProbe;

  constructor(probe: ProcessProbe) {
    this.#probe = probe;
    this.self = {
      ...(probe.platform === 'linux' ? linuxWorld(probe) : otherWorld(probe)),
      processId: probe.processId,
      start: startOf(probe, probe.processId) ?? NO_START,
    };
  }

  isDead(owner: FileOwner): boolean {
    const { self } = this;
    if (owner.world !== self.world) return owner.host !== NO_HOST && owner.host === self.host;
    if (!this.#probe.mayExist(owner.processId)) return true;
    if (owner.start === NO_START) return false;
    // Under `hidepid` another user's process cannot be read: it exists, so it counts as alive.
    const start = startOf(this.#probe, owner.processId);
    return start !== null && start !== owner.start;
  }
}

/** Reads the machine through `vfs`, which must be the machine's own file system. */
export function systemProbe(vfs: Vfs): ProcessProbe {
  return {
    platform: process.platform,
    processId: process.pid,
    readText: (path) => orNull(() => Buffer.from(readWholeFileSync(vfs, path)).toString('latin1')),
    readLink: (path) => orNull(() => vfs.readLinkSync(path)),
    mayExist(processId) {
      try {
        process.kill(processId, 0);
        return true;
      } catch (error) {
        // EPERM: it exists and belongs to another user. Anything else but ESRCH tells nothing: it
        // may exist.
        return errorCode(error) !== 'ESRCH';
      }
    },
    machineName() {
      // Linux has a machine id beside it; elsewhere two machines of one name are told apart by
      // their hardware.
      if (process.platform === 'linux') return hostname();
      const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      const hardware = addresses.filter((each) => !each.internal).map((each) => each.mac);
      return [hostname(), ...new Set(hardware.toSorted())].join(' ');
    },
    random: () => randomBytes(8).toString('hex'),
  };
}

function linuxWorld(probe: ProcessProbe): { world: string; host: string } {
  const boot = probe.readText('/proc/sys/kernel/random/boot_id')?.trim();
  const namespace = probe.readLink('/proc/self/ns/pid');
  // Start times are shifted by a time namespace, so they compare only within one
  // (time_namespaces(7)).
  const timeNamespace = probe.readLink('/proc/self/ns/time') ?? '';
  // Without these nobody can judge us and we can judge nobody.
  if (boot === undefined || boot === '' || namespace === null) {
    return { world: probe.random(), host: NO_HOST };
  }
  const machine = probe.readText('/etc/machine-id')?.trim() ?? '';
  const known = namespace === FIRST_NAMESPACE && machine !== '' && machine !== 'uninitialized';
  return {
    world: digest(boot, namespace, timeNamespace),
    // With the namespaces equal, only the boot can make the worlds of two processes differ.
    host: known ? digest(machine, probe.machineName(), timeNamespace) : NO_HOST,
  };
}

/** Systems without a boot id: one world a machine. A reused process id then counts as alive. */
function otherWorld(probe: ProcessProbe): { world: string; host: string } {
  return { world: digest(probe.platform, probe.machineName()), host: NO_HOST };
}

/**
 * Clock ticks from boot to the start of the process, field 22 of /proc/PID/stat; null where it
 * cannot be read. The second field is the program's name in parentheses, which may hold spaces and
 * parentheses itself. A /proc that belongs to another process-id namespace shows other processes
 * under our ids: it is not read.
 * @see proc_pid_stat(5)
 */
function startOf(probe: ProcessProbe, processId: number): string | null {
  if (probe.platform !== 'linux') return null;
  if (probe.readLink('/proc/self') !== String(probe.processId)) return null;
  const text = probe.readText(`/proc/${processId}/stat`);
  if (text === null) return null;
  const afterName = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const start = afterName[19];
  return start !== undefined && /^\d+$/.test(start) ? start : null;
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // Not there, or not for us to read: unknown, which is judged as alive.
    return null;
  }
}
