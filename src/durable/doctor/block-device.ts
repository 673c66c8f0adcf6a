/**
 * The stack of block devices below a file system, down to what the machine believes is a disk, from `/sys`:
 * partitions, device mapper, RAID, loop devices. Says what each layer reports of its write cache; what that means is
 * judged in `assess-device`.
 *
 * @see https://docs.kernel.org/block/writeback_cache_control.html
 */

import type { SystemReader } from './system-reader.ts';

/** What the kernel (or the driver) says of a device's cache; null where it says nothing. */
export type WriteCache = 'write back' | 'write through' | null;

export type DeviceKind = 'disk' | 'mapper' | 'raid' | 'loop' | 'memory' | 'network';

/** One layer. */
export interface BlockDevice {
  /** `sda`, `dm-0`, `loop3`: of a partition the whole disk, since the cache is the disk's. */
  readonly name: string;
  readonly kind: DeviceKind;
  /** `queue/write_cache`: what the kernel acts on. With `write through` it sends no flush at all. */
  readonly writeCache: WriteCache;
  /** `cache_type` of the driver, where it has one: what the device itself said. */
  readonly reportedCache: WriteCache;
  /** A disk that spins; null when not known. */
  readonly rotational: boolean | null;
  readonly model: string | null;
  /** What says that a hypervisor, not a drive, answers: `virtio`, `Xen`, a model name; null for none. */
  readonly virtualBy: string | null;
  /** The layers under a mapper or RAID device. */
  readonly below: readonly BlockDevice[];
  /** The image file of a loop device, as its owner named it. */
  readonly backingFile: string | null;
}

const DEPTH_MAX = 8;

/** The device `MAJOR:MINOR`, or null when `/sys` does not show it. */
export function deviceByNumber(reader: SystemReader, number: string): BlockDevice | null {
  const path = reader.realPath(`/sys/dev/block/${number}`);
  return path === null ? null : readDevice(reader, path, 0);
}

/** The device behind a node such as `/dev/mapper/data`, by its name in `/sys/class/block`. */
export function deviceByNode(reader: SystemReader, node: string): BlockDevice | null {
  const name = (reader.realPath(node) ?? node).split('/').pop() ?? '';
  const path = name === '' ? null : reader.realPath(`/sys/class/block/${name}`);
  return path === null ? null : readDevice(reader, path, 0);
}

function readDevice(reader: SystemReader, path: string, depth: number): BlockDevice {
  if (reader.text(`${path}/partition`) !== null) {
    return readDevice(reader, path.slice(0, path.lastIndexOf('/')), depth);
  }
  const name = path.slice(path.lastIndexOf('/') + 1);
  const model = modelOf(reader, path);
  const slaves = depth < DEPTH_MAX ? (reader.names(`${path}/slaves`) ?? []) : [];
  const below = slaves.flatMap((slave) => {
    const lower = reader.realPath(`${path}/slaves/${slave}`);
    return lower === null ? [] : [readDevice(reader, lower, depth + 1)];
  });
  const rotational = line(reader, `${path}/queue/rotational`);
  return {
    name,
    kind: kindOf(name, path),
    writeCache: cacheOf(line(reader, `${path}/queue/write_cache`)),
    reportedCache: reportedCacheOf(reader, path),
    rotational: rotational === null ? null : rotational === '1',
    model,
    virtualBy: virtualBy(path, model),
    below,
    backingFile: line(reader, `${path}/loop/backing_file`),
  };
}

function kindOf(name: string, path: string): DeviceKind {
  if (/^dm-\d/.test(name)) return 'mapper';
  if (/^md\d/.test(name)) return 'raid';
  if (/^loop\d/.test(name)) return 'loop';
  if (/^(zram|ram)\d/.test(name)) return 'memory';
  // A path through a `session` is an iSCSI target.
  if (/^(nbd|rbd|drbd)\d/.test(name) || /\/session\d+\//.test(path)) return 'network';
  return 'disk';
}

function cacheOf(text: string | null): WriteCache {
  // SCSI adds a remark to the first (`write back, no read (daft)`) and says `none` for no cache at all.
  if (text?.startsWith('write back')) return 'write back';
  return text === 'write through' || text === 'none' ? 'write through' : null;
}

function reportedCacheOf(reader: SystemReader, path: string): WriteCache {
  const own = cacheOf(line(reader, `${path}/cache_type`));
  if (own !== null) return own;
  const [address] = reader.names(`${path}/device/scsi_disk`) ?? [];
  if (address === undefined) return null;
  return cacheOf(line(reader, `${path}/device/scsi_disk/${address}/cache_type`));
}

function modelOf(reader: SystemReader, path: string): string | null {
  const vendor = line(reader, `${path}/device/vendor`);
  const model = line(reader, `${path}/device/model`);
  // Of virtio the vendor is a PCI number, which tells nobody anything.
  const words = [vendor?.startsWith('0x') ? null : vendor, model].filter((word) => word !== null);
  return words.length === 0 ? null : words.join(' ');
}

const VIRTUAL_PATHS: readonly (readonly [RegExp, string])[] = [
  [/\/virtio\d+\//, 'virtio'],
  [/\/vbd-\d+/, 'Xen'],
  [/\/(vmbus|VMBUS)/, 'Hyper-V'],
];

const VIRTUAL_MODELS =
  /QEMU|VMware|VBOX|Virtual|Msft|MSFT|Google|nvme_card|Amazon Elastic Block|Xen/;

function virtualBy(path: string, model: string | null): string | null {
  const byPath = VIRTUAL_PATHS.find(([pattern]) => pattern.test(path));
  if (byPath !== undefined) return byPath[1];
  return model !== null && VIRTUAL_MODELS.test(model) ? model : null;
}

function line(reader: SystemReader, path: string): string | null {
  const text = reader.text(path)?.trim() ?? '';
  return text === '' ? null : text;
}
