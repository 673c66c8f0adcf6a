/**
 * Everything the doctor knows of one directory before it judges: which file system on which devices, with which
 * options, seen from which platform. Plain data, so that a test can state any machine.
 */

import type { SyncRuntime } from '../sync-table.ts';
import type { BlockDevice } from './block-device.ts';
import type { Ext4Facts } from './ext4-facts.ts';
import type { Mount } from './mount-table.ts';

/** A directory on Linux. */
export interface LinuxPlace {
  readonly platform: 'linux';
  /** Absolute, without links. For the image of a loop device: the file. */
  readonly directory: string;
  /** Null when mountinfo does not reach down to the directory. */
  readonly mount: Mount | null;
  /** Only for ext2, ext3 and ext4. */
  readonly ext4: Ext4Facts | null;
  /** The devices below the file system: none for those that have none, several for btrfs over many disks. */
  readonly devices: readonly PlaceDevice[];
  /** The upper directory of an overlay; null where the place is no overlay, or its upper layer cannot be seen. */
  readonly upper: LinuxPlace | null;
  /** What says that this is a container; null when nothing does. */
  readonly container: string | null;
  /** The processor says that a hypervisor runs below. */
  readonly hypervisor: boolean;
}

/** A device and, for a loop device, the place its image file is in. */
export interface PlaceDevice {
  readonly device: BlockDevice;
  /** Per loop device in the stack, by its name; null where the image cannot be seen from here. */
  readonly images: Readonly<Record<string, LinuxPlace | null>>;
}

/** A directory on macOS or Windows, from facts that somebody else found out. */
export interface ForeignPlace {
  readonly platform: 'darwin' | 'win32';
  readonly directory: string;
  /** `apfs`, `NTFS`, …; null when not known. */
  readonly fileSystem: string | null;
  /** On another machine; null when not known. */
  readonly network: boolean | null;
  /** On macOS runtimes ask the drive for different things. */
  readonly runtime: SyncRuntime;
}

/** A platform of which the doctor knows nothing. */
export interface UnknownPlace {
  readonly platform: 'other';
  readonly directory: string;
  /** As Node names it. */
  readonly name: string;
}

export type PlaceFacts = LinuxPlace | ForeignPlace | UnknownPlace;
