/**
 * Facts in a few words: the file system with the options that matter, and the stack of devices below it.
 */

import type { BlockDevice } from './block-device.ts';
import type { Ext4Facts } from './ext4-facts.ts';
import type { LinuxPlace, PlaceFacts } from './place-facts.ts';

/** For example `ext4 on /dev/sda1 at /home (data=ordered, barriers on, commit every 5 s)`. */
export function describeFileSystem(facts: PlaceFacts): string {
  if (facts.platform === 'other') return `unknown (${facts.name})`;
  if (facts.platform !== 'linux') {
    return `${facts.fileSystem ?? 'unknown'}${facts.network === true ? ', on a server' : ''}`;
  }
  const { mount } = facts;
  if (mount === null) return 'unknown';
  const words = optionWords(facts);
  const source = mount.source.includes('/') ? ` on ${mount.source}` : '';
  const options = words.length === 0 ? '' : ` (${words.join(', ')})`;
  return `${mount.fileSystem}${source} at ${mount.mountPoint}${options}`;
}

function optionWords({ mount, ext4, upper }: LinuxPlace): string[] {
  if (mount === null) return [];
  if (ext4 !== null) return ext4Words(ext4);
  const { fileSystem, superOptions } = mount;
  if (fileSystem === 'xfs' || fileSystem === 'btrfs') {
    return [superOptions.includes('nobarrier') ? 'barriers off' : 'barriers on'];
  }
  if (fileSystem !== 'overlay') return [];
  const skipped = superOptions.includes('volatile') || superOptions.includes('fsync=volatile');
  return [
    ...(skipped ? ['volatile'] : []),
    upper === null
      ? 'upper layer not visible'
      : `upper layer in ${upper.directory}: ${describeFileSystem(upper)}`,
  ];
}

function ext4Words(ext4: Ext4Facts): string[] {
  const barriers = ext4.barrier ? 'barriers on' : 'barriers off';
  if (ext4.journal === 'absent') return ['no journal', barriers];
  return [
    ext4.journal === 'unknown' ? 'journal not visible' : `data=${ext4.dataMode}`,
    ...(ext4.fastCommit === 'on' ? ['fast_commit'] : []),
    ...(ext4.delayedAllocation || ext4.dataMode === 'journal' ? [] : ['nodelalloc']),
    barriers,
    `commit every ${ext4.commitSeconds} s`,
  ];
}

/** One line a device: `vda: virtual disk (virtio), volatile cache, flushes are sent`. */
export function describeDevices(facts: PlaceFacts): string[] {
  if (facts.platform !== 'linux') return [];
  const own = facts.devices.map(({ device }) => describeDevice(device));
  return facts.upper === null ? own : [...own, ...describeDevices(facts.upper)];
}

function describeDevice(device: BlockDevice): string {
  const below = device.below.map(describeDevice);
  const over = below.length === 0 ? '' : `; over ${below.join(' and ')}`;
  return `${device.name}: ${[deviceWords(device), cacheWords(device)].join(', ')}${over}`;
}

function deviceWords({ kind, virtualBy, rotational, model, backingFile }: BlockDevice): string {
  if (kind === 'loop') return `loop device on ${backingFile ?? 'an image that cannot be seen'}`;
  if (kind !== 'disk') return KIND_WORDS[kind];
  if (virtualBy !== null) return `virtual disk (${virtualBy})`;
  return `${rotational === true ? 'spinning disk' : 'disk'}${model === null ? '' : ` (${model})`}`;
}

const KIND_WORDS = {
  mapper: 'device mapper',
  raid: 'RAID',
  memory: 'disk in memory',
  network: 'disk on another machine',
} as const;

function cacheWords({ writeCache }: BlockDevice): string {
  if (writeCache === 'write back') return 'volatile cache, flushes are sent';
  return writeCache === null ? 'cache unknown' : 'no volatile cache, no flushes are sent';
}
