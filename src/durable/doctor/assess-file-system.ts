/**
 * What a Linux file system with its mount options does to a sync, and which crash model of the laboratory it is.
 * Devices are judged apart, in `assess-device`; sources for every sentence are in `docs/doctor.md`.
 */

import type { Findings, Note, Reason } from './doctor-answer.ts';
import type { Ext4Facts } from './ext4-facts.ts';
import { optionValue, type Mount } from './mount-table.ts';
import { note } from './notes.ts';
import { reason } from './reasons.ts';

/** Findings and the model without the modifiers that reasons bring. */
export interface FileSystemFindings extends Findings {
  readonly model: string;
  /** Whether the file system should have a block device below. */
  readonly onDevice: boolean;
}

const MEMORY = new Set(['tmpfs', 'ramfs', 'devtmpfs', 'rootfs', 'hugetlbfs', 'proc', 'sysfs']);
const NETWORK = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'smbfs', 'ceph', 'afs', 'lustre', 'gfs2']);
const HOST = new Set(['9p', 'virtiofs', 'vboxsf', 'vmhgfs', 'prl_fs', 'drvfs']);
const FAT = new Set(['vfat', 'msdos', 'exfat']);
const EXT = new Set(['ext2', 'ext3', 'ext4']);

/**
 * `volatileCache`: whether a device below must be flushed for a sync to mean anything. Overlays are not judged
 * here but by what holds their upper layer.
 */
export function assessFileSystem(
  mount: Mount,
  ext4: Ext4Facts | null,
  volatileCache: boolean,
): FileSystemFindings {
  const { fileSystem } = mount;
  const subject = `${fileSystem} at ${mount.mountPoint}`;
  const notes = commonNotes(mount);
  if (EXT.has(fileSystem) && ext4 !== null) {
    return assessExt4(mount, ext4, subject, volatileCache, notes);
  }
  if (fileSystem === 'xfs' || fileSystem === 'btrfs') {
    return {
      model: fileSystem,
      onDevice: true,
      reasons: barrierReasons(mount.superOptions.includes('nobarrier'), subject, volatileCache),
      notes: [...notes, ...btrfsNotes(mount)],
    };
  }
  const { model, onDevice, reasons } = assessOther(mount, subject);
  return { model, onDevice, reasons, notes };
}

function assessExt4(
  mount: Mount,
  ext4: Ext4Facts,
  subject: string,
  volatileCache: boolean,
  notes: readonly Note[],
): FileSystemFindings {
  const reasons: Reason[] = [];
  if (ext4.journal === 'absent') {
    reasons.push(reason('no-journal-rename', subject), reason('no-journal', subject));
  }
  if (ext4.journal === 'unknown') reasons.push(reason('journal-unseen', subject));
  if (ext4.fastCommit === 'on') reasons.push(reason('fast-commit-sync', subject));
  if (ext4.errorsCount !== null && ext4.errorsCount > 0) {
    reasons.push(reason('recorded-errors', String(ext4.errorsCount)));
  }
  reasons.push(...barrierReasons(!ext4.barrier, subject, volatileCache));
  return {
    model: ext4Model(mount.fileSystem, ext4),
    onDevice: true,
    reasons,
    notes: [...notes, ...ext4Notes(ext4)],
  };
}

function ext4Model(fileSystem: string, ext4: Ext4Facts): string {
  if (ext4.journal === 'absent') return fileSystem === 'ext2' ? 'ext2' : 'ext4-nojournal';
  if (ext4.dataMode === 'writeback') return 'ext4-writeback';
  if (ext4.dataMode === 'journal') return 'ext4-journal';
  // Without delayed allocation the kernel does not use unwritten extents either. With it, but without them
  // (nodioread_nolock), fewer states are possible than `ext4` allows: the model stays right, only wider.
  const base = ext4.delayedAllocation ? 'ext4' : 'ext4-nodelalloc';
  return ext4.fastCommit === 'on' ? `${base}+fastcommit` : base;
}

function ext4Notes(ext4: Ext4Facts): Note[] {
  const notes: Note[] = [];
  if (ext4.dataMode === 'writeback') notes.push(note('data-writeback'));
  if (ext4.dataMode === 'journal') notes.push(note('data-journal'));
  if (ext4.dataMode === 'unknown') notes.push(note('data-mode-unseen'));
  if (ext4.fastCommit === 'on') notes.push(note('fast-commit'));
  if (ext4.fastCommit === 'unknown' && ext4.dataMode === 'ordered') {
    notes.push(note('fast-commit-unseen'));
  }
  if (ext4.asyncCommit) notes.push(note('async-commit'));
  if (!ext4.autoAllocate) notes.push(note('auto-da-alloc'));
  if (ext4.journal === 'present' && ext4.commitSeconds > 5) {
    notes.push(note('commit', String(ext4.commitSeconds)));
  }
  return notes;
}

function barrierReasons(off: boolean, subject: string, volatileCache: boolean): Reason[] {
  if (!off) return [];
  return [reason(volatileCache ? 'no-barrier' : 'barriers-not-needed', subject)];
}

function btrfsNotes(mount: Mount): Note[] {
  if (mount.fileSystem !== 'btrfs') return [];
  const seconds = Number(optionValue(mount.superOptions, 'commit') ?? 30);
  return [
    ...(mount.superOptions.includes('nodatacow') ? [note('no-copy-on-write')] : []),
    ...(seconds > 30 ? [note('commit', String(seconds))] : []),
  ];
}

function commonNotes(mount: Mount): Note[] {
  const notes: Note[] = [];
  const readOnly = mount.options.includes('ro') || mount.superOptions.includes('ro');
  if (readOnly) notes.push(note('read-only'));
  // The root of a btrfs mount is its subvolume, and container runtimes mount single files of other kinds.
  if (mount.root !== '/' && mount.root.startsWith('/') && mount.fileSystem !== 'btrfs') {
    notes.push(note('bind-mount', mount.root));
  }
  if (NETWORK.has(mount.fileSystem) && mount.superOptions.includes('soft')) {
    notes.push(note('network-soft'));
  }
  return notes;
}

function assessOther(mount: Mount, subject: string): Omit<FileSystemFindings, 'notes'> {
  const { fileSystem } = mount;
  const posix = { model: 'posix', onDevice: false } as const;
  if (MEMORY.has(fileSystem)) return { ...posix, reasons: [reason('memory', subject)] };
  if (NETWORK.has(fileSystem)) {
    const lost = mount.superOptions.includes('nostrictsync');
    const reasons = lost ? [reason('no-strict-sync', subject)] : [];
    return { ...posix, reasons: [...reasons, reason('network', `${subject} is on a server`)] };
  }
  if (HOST.has(fileSystem)) return { ...posix, reasons: [reason('host', subject)] };
  if (fileSystem === 'fuseblk' || fileSystem === 'fuse' || fileSystem.startsWith('fuse.')) {
    return { ...posix, reasons: [reason('fuse', subject)] };
  }
  if (FAT.has(fileSystem)) {
    return {
      model: 'posix+splitrename',
      onDevice: true,
      reasons: [reason('fat-rename', subject), reason('no-model', subject)],
    };
  }
  return { model: 'posix', onDevice: false, reasons: [reason('no-model', subject)] };
}
