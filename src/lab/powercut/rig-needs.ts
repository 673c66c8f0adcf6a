/**
 * What a rig needs of the machine it runs on, looked at before anything is made, so that a missing piece is one
 * line that says which and how to get it.
 */

import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { UsageError } from '../../base/errors.ts';
import type { DiskProfile } from './disk-profile.ts';

const COMMANDS: readonly (readonly [command: string, debianPackage: string])[] = [
  ['qemu-storage-daemon', 'qemu-system-common'],
  ['perl', 'perl-base'],
  ['nsenter', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['cp', 'coreutils'],
];

/** Everything that is missing for `profile`, one sentence each; empty when a rig can be built. */
export function missingForRig(profile: DiskProfile): string[] {
  if (process.platform !== 'linux') return ['a power cut can be made on Linux only'];
  const missing: string[] = [];
  if (process.geteuid?.() !== 0) missing.push('powercut must run as root (it mounts file systems)');
  const commands = [
    ...COMMANDS,
    ...[profile.format, profile.check].map(
      (command) => [command[0] ?? '', profile.package] as const,
    ),
  ];
  for (const [command, debianPackage] of commands) {
    if (findCommand(command) === null) {
      missing.push(`${command} is missing (apt-get install ${debianPackage})`);
    }
  }
  for (const device of ['/dev/fuse', '/dev/loop-control']) {
    if (!existsSync(device)) {
      missing.push(`${device} is missing (the kernel, or this container, does not offer it)`);
    }
  }
  if (!kernelKnows(profile.type)) {
    missing.push(`this kernel has no ${profile.type} (not in /proc/filesystems, and no module)`);
  }
  return missing;
}

/** @throws {UsageError} naming every missing piece. */
export function requireForRig(profile: DiskProfile): void {
  const missing = missingForRig(profile);
  if (missing.length > 0) throw new UsageError(missing.join('; '));
}

/** Where a command is, searched as a shell would and in the places of system commands. */
export function findCommand(command: string): string | null {
  const { PATH: path = '' } = process.env;
  for (const directory of [...path.split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin']) {
    const candidate = `${directory}/${command}`;
    if (directory === '') continue;
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here: the next directory may have it.
    }
  }
  return null;
}

/** A file system that is a module is loaded by the first mount, so a module file counts as known. */
function kernelKnows(type: string): boolean {
  const known = readFileSync('/proc/filesystems', 'utf8').split('\n');
  if (known.some((line) => line.split('\t')[1] === type)) return true;
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return existsSync(`/lib/modules/${release}/kernel/fs/${type}`);
}
