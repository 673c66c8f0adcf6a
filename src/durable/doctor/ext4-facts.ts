/**
 * What an ext4 driver (which also mounts ext2 and ext3) says of one file system: mountinfo shows only options that
 * differ from the superblock's defaults, `/proc/fs/ext4/DEVICE/options` shows the ones in force, and neither says
 * outright whether there is a journal. This file puts the three sources together and says what none of them tells.
 *
 * Seen on Linux 6.18: `options` has a `data=` line exactly where there is a journal; `fc_debug_force` where fast
 * commits are on and the kernel was built with CONFIG_EXT4_DEBUG.
 */

import { optionValue } from './mount-table.ts';

/** `unknown` where this process was not allowed to look. */
export type Ext4DataMode = 'ordered' | 'writeback' | 'journal' | 'none' | 'unknown';

/** The facts about an ext2, ext3 or ext4 file system that decide what a power cut leaves. */
export interface Ext4Facts {
  readonly journal: 'present' | 'absent' | 'unknown';
  /** `none` without a journal. */
  readonly dataMode: Ext4DataMode;
  readonly barrier: boolean;
  readonly delayedAllocation: boolean;
  /** New blocks are unwritten extents until their data is there (`dioread_nolock`, the default). */
  readonly unwrittenExtents: boolean;
  readonly autoAllocate: boolean;
  readonly asyncCommit: boolean;
  readonly fastCommit: 'on' | 'off' | 'unknown';
  /** Seconds between two commits of the journal. */
  readonly commitSeconds: number;
  /** Errors that the file system has recorded in its superblock; null when not readable. */
  readonly errorsCount: number | null;
}

/** The texts the facts are made of; null where they could not be read. */
export interface Ext4Sources {
  readonly fileSystem: string;
  readonly superOptions: readonly string[];
  /** `/proc/fs/ext4/DEVICE/options`. */
  readonly procOptions: string | null;
  /** `/proc/fs/ext4/DEVICE/fc_info`. */
  readonly fastCommitInfo: string | null;
  /** `/sys/fs/ext4/DEVICE/journal_task`: a thread id, or `<none>`. */
  readonly journalTask: string | null;
  /** `/sys/fs/ext4/DEVICE/errors_count`. */
  readonly errorsCount: string | null;
  /** The 1,024 bytes at 1,024 of the device; only root may read them. */
  readonly superblock: Uint8Array | null;
}

/** Puts the sources together; what they do not tell is `unknown`, or the kernel's default where it is harmless. */
export function ext4Facts(sources: Ext4Sources): Ext4Facts {
  const inForce = sources.procOptions?.split('\n').map((line) => line.trim()) ?? null;
  const options = inForce ?? sources.superOptions;
  const features = superblockFeatures(sources.superblock);
  const journal = journalOf(sources, inForce, features);
  const errors = Number(sources.errorsCount?.trim() || Number.NaN);
  return {
    journal,
    dataMode: journal === 'absent' ? 'none' : dataModeOf(options, inForce !== null),
    barrier: !options.includes('nobarrier') && !options.includes('barrier=0'),
    delayedAllocation: inForce
      ? inForce.includes('delalloc')
      : sources.fileSystem === 'ext4' && !options.includes('nodelalloc'),
    unwrittenExtents: !options.includes('nodioread_nolock') && !options.includes('dioread_lock'),
    autoAllocate: !options.includes('noauto_da_alloc'),
    asyncCommit: options.includes('journal_async_commit'),
    fastCommit: fastCommitOf(sources, options, journal, features),
    commitSeconds: Number(optionValue(options, 'commit') ?? 5),
    errorsCount: Number.isNaN(errors) ? null : errors,
  };
}

function journalOf(
  sources: Ext4Sources,
  inForce: readonly string[] | null,
  features: SuperblockFeatures | null,
): Ext4Facts['journal'] {
  if (sources.fileSystem === 'ext2') return 'absent';
  if (inForce !== null) return optionValue(inForce, 'data') === null ? 'absent' : 'present';
  if (features !== null) return features.journal ? 'present' : 'absent';
  if (sources.journalTask === null) return 'unknown';
  return sources.journalTask.trim() === '<none>' ? 'absent' : 'present';
}

function dataModeOf(options: readonly string[], inForce: boolean): Ext4DataMode {
  const mode = optionValue(options, 'data');
  if (mode === 'ordered' || mode === 'writeback' || mode === 'journal') return mode;
  // mountinfo leaves the mode out when it is the superblock's default, which may be any of the three.
  return inForce ? 'ordered' : 'unknown';
}

function fastCommitOf(
  sources: Ext4Sources,
  options: readonly string[],
  journal: Ext4Facts['journal'],
  features: SuperblockFeatures | null,
): Ext4Facts['fastCommit'] {
  if (journal === 'absent') return 'off';
  if (options.includes('fc_debug_force')) return 'on';
  if (features !== null) return features.fastCommit ? 'on' : 'off';
  const commits = Number(/^(\d+) commits$/m.exec(sources.fastCommitInfo ?? '')?.[1] ?? 0);
  return commits > 0 ? 'on' : 'unknown';
}

interface SuperblockFeatures {
  readonly journal: boolean;
  readonly fastCommit: boolean;
}

/**
 * The two feature bits that matter, or null when the bytes are not an ext superblock.
 * @see https://docs.kernel.org/filesystems/ext4/super.html: s_magic at 0x38, s_feature_compat at 0x5C
 */
function superblockFeatures(bytes: Uint8Array | null): SuperblockFeatures | null {
  if (bytes === null || bytes.length < 0x60) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0x38, true) !== 0xef53) return null;
  const compatible = view.getUint32(0x5c, true);
  return { journal: (compatible & 0x4) !== 0, fastCommit: (compatible & 0x400) !== 0 };
}
