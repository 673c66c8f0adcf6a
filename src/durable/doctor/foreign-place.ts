/**
 * Facts about a directory on macOS or Windows, from text that the command line fetches there (the output of
 * `/sbin/mount`) or from the path alone. Written from documentation and never run on either: the answers that are
 * built on it are labelled `assumed`, and `docs/doctor.md` says why.
 */

import type { SyncRuntime } from '../sync-table.ts';
import type { ForeignPlace } from './place-facts.ts';

const NETWORK_MAC = new Set(['nfs', 'smbfs', 'afpfs', 'webdav', 'ftp', 'autofs']);

/** `mountText` is what `/sbin/mount` prints: `/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled)`. */
export function macPlace(
  directory: string,
  mountText: string | null,
  runtime: SyncRuntime,
): ForeignPlace {
  let best: { point: string; words: readonly string[] } | null = null;
  for (const line of mountText?.split('\n') ?? []) {
    const match = /^.+? on (.+) \(([^)]*)\)$/.exec(line.trim());
    if (match === null) continue;
    const [, point = '', list = ''] = match;
    const inside = directory === point || directory.startsWith(point === '/' ? '/' : `${point}/`);
    if (inside && point.length >= (best?.point.length ?? 0)) {
      best = { point, words: list.split(',').map((word) => word.trim()) };
    }
  }
  const fileSystem = best?.words[0]?.toLowerCase() ?? null;
  return {
    platform: 'darwin',
    directory,
    fileSystem,
    network: fileSystem === null || best === null ? null : isNetwork(fileSystem, best.words),
    runtime,
  };
}

function isNetwork(fileSystem: string, words: readonly string[]): boolean {
  return NETWORK_MAC.has(fileSystem) || !words.includes('local');
}

/** `fileSystem` where somebody knows it (`NTFS`); a path `\\server\share` is on the network. */
export function windowsPlace(
  directory: string,
  fileSystem: string | null,
  runtime: SyncRuntime,
): ForeignPlace {
  const network = /^[\\/]{2}(?![.?][\\/])/.test(directory) || /^\\\\\?\\UNC\\/i.test(directory);
  return { platform: 'win32', directory, fileSystem, network: network ? true : null, runtime };
}
