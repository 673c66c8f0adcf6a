/**
 * The file systems that the rig can make, as data: how each is formatted, mounted, checked, and how its pending
 * metadata can be forced out without its data. Images are as small as the tools allow, since the time to restore
 * one between two crash states grows with what is on it.
 */

import { UsageError } from '../../base/errors.ts';

/** How the metadata of other files is made durable while data that is still pending stays pending. */
export type CommitMethod =
  /** A sync of an unrelated file: a journal holds everybody's changes. */
  | 'unrelated-sync'
  /** The ioctl that commits a btrfs transaction without flushing delayed data. */
  | 'btrfs-transaction'
  /** Write-back of the block device's own buffers: there is no journal. */
  | 'device-buffers';

/** One file system in one configuration. */
export interface DiskProfile {
  /** Value of `--fs`. */
  readonly name: string;
  /** One line for `--help` and reports. */
  readonly summary: string;
  /** The kernel's name for `mount`. */
  readonly type: string;
  /** Size of the image in bytes. */
  readonly sizeBytes: number;
  /** Command that formats the image, whose path is appended. */
  readonly format: readonly string[];
  /** Mount options of the configuration itself. */
  readonly mountOptions: string;
  /** Options needed to mount the crashed copy beside others of the same identity. */
  readonly copyOptions: string;
  /** How many copies may be mounted at once. */
  readonly devicesMax: number;
  /** Read-only check, the image's path appended; exit code 0 is clean. */
  readonly check: readonly string[];
  /** What a system without a journal runs before it mounts again, or null. Exit codes up to 3 are success. */
  readonly repair: readonly string[] | null;
  readonly commit: CommitMethod;
  /** Name of the lab's model that must allow every tree this leaves. */
  readonly model: string;
  /** Debian package of the format and check commands. */
  readonly package: string;
}

const MIB = 1024 * 1024;

function ext(
  name: string,
  summary: string,
  details: Partial<DiskProfile> & { features?: readonly string[] },
): DiskProfile {
  const { features = [], ...rest } = details;
  const extended = features.length === 0 ? [] : ['-O', features.join(',')];
  return {
    name,
    summary,
    type: 'ext4',
    sizeBytes: 64 * MIB,
    // Blocks of 4 KiB as on any real disk; small images would get 1 KiB otherwise. Lazy initialisation would
    // write tables in the background, at times that no seed controls.
    format: [
      'mkfs.ext4',
      '-q',
      '-F',
      '-b',
      '4096',
      '-N',
      '2048',
      '-E',
      'lazy_itable_init=0,lazy_journal_init=0,nodiscard',
      ...extended,
    ],
    mountOptions: '',
    copyOptions: '',
    devicesMax: 8,
    check: ['e2fsck', '-f', '-n'],
    repair: null,
    commit: 'unrelated-sync',
    model: name,
    package: 'e2fsprogs',
    ...rest,
  };
}

const EXT_REPAIR = ['e2fsck', '-f', '-y'] as const;

/** Every profile, in the order of the help. */
export const diskProfiles: readonly DiskProfile[] = [
  ext('ext4', 'ext4 as mounted by default (data=ordered)', {}),
  ext('ext4-nodelalloc', 'ext4 without delayed allocation', { mountOptions: 'nodelalloc' }),
  ext('ext4-journal', 'ext4 with data=journal', { mountOptions: 'data=journal' }),
  ext('ext4-writeback', 'ext4 with data=writeback', { mountOptions: 'data=writeback' }),
  ext('ext4-fastcommit', 'ext4 with the fast_commit feature', {
    features: ['fast_commit'],
    model: 'ext4+fastcommit',
  }),
  ext('ext4-nojournal', 'ext4 without a journal', {
    features: ['^has_journal'],
    repair: EXT_REPAIR,
    commit: 'device-buffers',
  }),
  ext('ext2', 'ext2', {
    type: 'ext2',
    format: ['mkfs.ext2', '-q', '-F', '-b', '4096', '-N', '2048', '-E', 'nodiscard'],
    repair: EXT_REPAIR,
    commit: 'device-buffers',
  }),
  {
    name: 'xfs',
    summary: 'XFS',
    type: 'xfs',
    sizeBytes: 300 * MIB,
    format: ['mkfs.xfs', '-q', '-f', '-K'],
    mountOptions: '',
    copyOptions: 'nouuid',
    devicesMax: 8,
    check: ['xfs_repair', '-n'],
    repair: null,
    commit: 'unrelated-sync',
    model: 'xfs',
    package: 'xfsprogs',
  },
  {
    name: 'btrfs',
    summary: 'btrfs',
    type: 'btrfs',
    sizeBytes: 128 * MIB,
    format: ['mkfs.btrfs', '-q', '-f', '-K'],
    mountOptions: '',
    copyOptions: '',
    // Two mounts of one identity at the same moment race in the kernel: one of them fails with EEXIST.
    devicesMax: 1,
    check: ['btrfs', 'check', '--readonly'],
    repair: null,
    commit: 'btrfs-transaction',
    model: 'btrfs',
    package: 'btrfs-progs',
  },
];

/** The profile of a name. @throws {UsageError} when there is none. */
export function diskProfile(name: string): DiskProfile {
  const profile = diskProfiles.find((one) => one.name === name);
  if (profile === undefined) {
    const names = diskProfiles.map((one) => one.name).join(', ');
    throw new UsageError(`unknown file system '${name}' (known: ${names})`);
  }
  return profile;
}

const MOUNT_FLAGS: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
};

/** Mount options as mount(2) takes them: the general ones as bits, those of the file system as text. */
export function mountArguments(...options: readonly string[]): { flags: number; data: string } {
  let flags = 0;
  const own: string[] = [];
  for (const option of options.flatMap((text) => text.split(','))) {
    const flag = MOUNT_FLAGS[option];
    if (flag !== undefined) flags |= flag;
    else if (option !== '' && option !== 'rw' && option !== 'defaults') own.push(option);
  }
  if ((flags & 1) !== 0) throw new UsageError('a program cannot run on a disk mounted ro');
  return { flags, data: own.join(',') };
}
