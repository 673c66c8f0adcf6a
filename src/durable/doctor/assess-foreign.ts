/**
 * macOS and Windows, from facts alone. Neither has been run: what is said here is inferred from documentation, and
 * the strongest verdict is `assumed`.
 *
 * @see fsync(2) and fcntl(2) of macOS on F_FULLFSYNC; `FlushFileBuffers` of Windows; libuv `src/unix/fs.c`
 */

import { syncRulesFor } from '../sync-table.ts';
import type { Findings, Reason } from './doctor-answer.ts';
import type { ForeignPlace } from './place-facts.ts';
import { reason } from './reasons.ts';

const FAT = new Set(['msdos', 'vfat', 'fat', 'fat32', 'exfat']);

/** Findings and the nearest model of the laboratory. */
export function assessForeign(place: ForeignPlace): Findings & { readonly model: string } {
  const name = place.fileSystem ?? 'This volume';
  const type = place.fileSystem?.toLowerCase() ?? null;
  if (place.network === true) {
    return { model: 'posix', reasons: [reason('network', `${name} is on a server`)], notes: [] };
  }
  if (type !== null && FAT.has(type)) {
    const reasons = [reason('fat-rename', name), ...platformReasons(place)];
    return { model: 'posix+splitrename', reasons, notes: [] };
  }
  const reasons = platformReasons(place);
  if (place.platform === 'win32') return { model: 'posix', reasons, notes: [] };
  if (type !== 'apfs') {
    return { model: 'posix', reasons: [...reasons, reason('no-model', name)], notes: [] };
  }
  const { confidence } = syncRulesFor(place.platform, place.runtime).bytes;
  return { model: confidence === 'weaker' ? 'apfs-fsync' : 'apfs-fullfsync', reasons, notes: [] };
}

function platformReasons({ platform, runtime }: ForeignPlace): Reason[] {
  if (platform === 'win32') return [reason('windows-names')];
  const { confidence } = syncRulesFor(platform, runtime).bytes;
  if (confidence === 'weaker') return [reason('mac-plain-fsync', runtime), reason('mac-names')];
  return [...(runtime === 'node' ? [reason('mac-fallback')] : []), reason('mac-names')];
}
