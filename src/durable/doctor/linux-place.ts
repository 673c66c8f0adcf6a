/**
 * Gathers the facts about one directory on Linux through a `SystemReader`. Reads only, judges nothing.
 */

import { deviceByNode, deviceByNumber, type BlockDevice } from './block-device.ts';
import { ext4Facts, type Ext4Facts } from './ext4-facts.ts';
import { mountOfPath, optionValue, parseMountInfo, type Mount } from './mount-table.ts';
import type { LinuxPlace, PlaceDevice } from './place-facts.ts';
import type { SystemReader } from './system-reader.ts';

/** An image on an image on an overlay …: enough for any real machine, and an end to a circle of lies. */
const DEPTH_MAX = 6;

const EXT_FILE_SYSTEMS = new Set(['ext2', 'ext3', 'ext4']);

/** `directory` is absolute and without links; a file will do. */
export function linuxPlace(reader: SystemReader, directory: string, depth: number = 0): LinuxPlace {
  const mounts = parseMountInfo(reader.text('/proc/self/mountinfo') ?? '');
  const mount = mountOfDirectory(reader, mounts, directory);
  const devices = mount === null ? [] : devicesOf(reader, mount);
  return {
    platform: 'linux',
    directory,
    mount,
    ext4: mount === null ? null : readExt4(reader, mount, devices[0] ?? null),
    devices: devices.map((device) => withImages(reader, device, depth)),
    upper: mount === null ? null : upperPlace(reader, mount, depth),
    container: containerSign(reader),
    hypervisor: /^flags\s*:.*\bhypervisor\b/m.test(reader.text('/proc/cpuinfo') ?? ''),
  };
}

function mountOfDirectory(
  reader: SystemReader,
  mounts: readonly Mount[],
  directory: string,
): Mount | null {
  // The kernel's own word comes first: an open directory knows its mount, whatever is mounted over its path.
  const id = reader.mountId(directory);
  const own = id === null ? undefined : mounts.find((mount) => mount.id === id);
  return own ?? mountOfPath(mounts, directory);
}

function devicesOf(reader: SystemReader, mount: Mount): BlockDevice[] {
  if (mount.fileSystem === 'btrfs') {
    const all = btrfsDevices(reader, mount.source);
    if (all.length > 0) return all;
  }
  const device = mount.device.startsWith('0:')
    ? mount.source.startsWith('/dev/')
      ? deviceByNode(reader, mount.source)
      : null
    : deviceByNumber(reader, mount.device);
  return device === null ? [] : [device];
}

/** mountinfo names one device of a btrfs file system; `/sys/fs/btrfs/UUID/devices` names all of them. */
function btrfsDevices(reader: SystemReader, source: string): BlockDevice[] {
  const name = (reader.realPath(source) ?? source).split('/').pop() ?? '';
  for (const uuid of reader.names('/sys/fs/btrfs') ?? []) {
    const members = reader.names(`/sys/fs/btrfs/${uuid}/devices`) ?? [];
    if (!members.includes(name)) continue;
    return members.flatMap((member) => deviceByNode(reader, `/dev/${member}`) ?? []);
  }
  return [];
}

function readExt4(
  reader: SystemReader,
  mount: Mount,
  device: BlockDevice | null,
): Ext4Facts | null {
  if (!EXT_FILE_SYSTEMS.has(mount.fileSystem)) return null;
  // The driver names its directories after the partition, not the disk.
  const path = reader.realPath(`/sys/dev/block/${mount.device}`);
  const name = path?.split('/').pop() ?? device?.name ?? '';
  return ext4Facts({
    fileSystem: mount.fileSystem,
    superOptions: mount.superOptions,
    procOptions: reader.text(`/proc/fs/ext4/${name}/options`),
    fastCommitInfo: reader.text(`/proc/fs/ext4/${name}/fc_info`),
    journalTask: reader.text(`/sys/fs/ext4/${name}/journal_task`),
    errorsCount: reader.text(`/sys/fs/ext4/${name}/errors_count`),
    superblock: reader.bytes(`/dev/${name}`, 1024, 1024),
  });
}

function withImages(reader: SystemReader, device: BlockDevice, depth: number): PlaceDevice {
  const images: Record<string, LinuxPlace | null> = {};
  for (const layer of layersOf(device)) {
    if (layer.backingFile === null) continue;
    const file = depth < DEPTH_MAX ? reader.realPath(layer.backingFile) : null;
    // The file, not its directory: an image exported through FUSE is a mount point itself.
    images[layer.name] = file === null ? null : linuxPlace(reader, file, depth + 1);
  }
  return { device, images };
}

/** A device and everything below it, top first. */
export function layersOf(device: BlockDevice): BlockDevice[] {
  return [device, ...device.below.flatMap(layersOf)];
}

function upperPlace(reader: SystemReader, mount: Mount, depth: number): LinuxPlace | null {
  if (mount.fileSystem !== 'overlay' || depth >= DEPTH_MAX) return null;
  const upper = upperDirectory(mount);
  // A relative path was relative to the process that mounted: it says nothing here.
  if (upper === null || !upper.startsWith('/')) return null;
  const directory = reader.realPath(upper);
  if (directory === null) return null;
  const place = linuxPlace(reader, directory, depth + 1);
  // Inside a container the path names a directory of the host. Should one of that name exist on the overlay
  // itself, it is another directory.
  return place.mount?.id === mount.id ? null : place;
}

/** The upper directory of an overlay mount as its owner named it; null for a read-only overlay. */
export function upperDirectory(mount: Mount): string | null {
  // The kernel escapes commas with a backslash of its own before it escapes the field.
  return optionValue(mount.superOptions, 'upperdir')?.replaceAll(/\\(.)/g, '$1') ?? null;
}

function containerSign(reader: SystemReader): string | null {
  if (reader.text('/.dockerenv') !== null) return '/.dockerenv exists';
  if (reader.text('/run/.containerenv') !== null) return '/run/.containerenv exists';
  const manager = reader.text('/run/systemd/container')?.trim() ?? '';
  return manager === '' ? null : `/run/systemd/container says ${manager}`;
}
