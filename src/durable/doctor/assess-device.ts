/**
 * What the devices below a file system do to a sync: does the kernel send them flushes, and who answers. A drive that
 * is asked to flush and says that it did is believed here: that is a standing assumption (`docs/assumptions.md`),
 * which only `--measure` can throw doubt on.
 */

import type { BlockDevice } from './block-device.ts';
import type { Findings, Note, Reason } from './doctor-answer.ts';
import { layersOf } from './linux-place.ts';
import { note } from './notes.ts';
import type { LinuxPlace, PlaceDevice } from './place-facts.ts';
import { reason } from './reasons.ts';

/** Judges the place that an image file is in; passed in, since a place has devices and devices have places. */
export type AssessImage = (place: LinuxPlace) => Findings;

/** Findings about one device with everything below it. */
export function assessDevice(
  { device, images }: PlaceDevice,
  hypervisor: boolean,
  assessImage: AssessImage,
): Findings {
  const reasons: Reason[] = [];
  const notes: Note[] = [];
  for (const layer of layersOf(device)) {
    reasons.push(...cacheReasons(layer));
    if (layer.kind === 'memory') reasons.push(reason('memory-device', layer.name));
    else if (layer.kind === 'network') reasons.push(reason('network-device', layer.name));
    else if (layer.kind === 'loop') {
      const image = assessLoop(layer, images[layer.name] ?? null, assessImage);
      reasons.push(...image.reasons);
      notes.push(...image.notes);
    } else if (layer.below.length === 0) {
      const disk = assessDisk(layer, hypervisor);
      reasons.push(...disk.reasons);
      notes.push(...disk.notes);
    }
  }
  return { reasons, notes };
}

/** Whether a sync must empty a cache somewhere below; also where nobody says that there is none. */
export function hasVolatileCache(device: BlockDevice): boolean {
  return layersOf(device).some(
    (layer) => layer.writeCache === 'write back' || (isBottom(layer) && layer.writeCache === null),
  );
}

function isBottom(layer: BlockDevice): boolean {
  return layer.below.length === 0;
}

function cacheReasons(layer: BlockDevice): Reason[] {
  if (layer.writeCache !== 'write through') return [];
  if (layer.reportedCache === 'write back') return [reason('flush-switched-off', layer.name)];
  const cached = layersOf(layer).find((lower) => lower.writeCache === 'write back');
  if (cached !== undefined) return [reason('flush-stopped', `${layer.name} over ${cached.name}`)];
  // A loop device takes flushes wherever its image can be synced at all.
  if (layer.kind === 'loop') return [reason('flush-stopped', `${layer.name} over its image file`)];
  return [];
}

function assessDisk(disk: BlockDevice, hypervisor: boolean): Findings {
  const virtualBy = disk.virtualBy ?? (hypervisor ? 'this machine is virtual' : null);
  if (virtualBy !== null) {
    return { reasons: [reason('virtual-disk', `${disk.name} (${virtualBy})`)], notes: [] };
  }
  if (disk.writeCache === null) return { reasons: [], notes: [note('cache-unseen', disk.name)] };
  if (disk.writeCache === 'write back' || disk.reportedCache === 'write back') {
    return { reasons: [], notes: [] };
  }
  return { reasons: [], notes: [note('no-volatile-cache', disk.name)] };
}

function assessLoop(
  layer: BlockDevice,
  place: LinuxPlace | null,
  assessImage: AssessImage,
): Findings {
  const file = layer.backingFile;
  if (place === null || file === null) {
    return { reasons: [reason('image-unseen', layer.name)], notes: [] };
  }
  const below = assessImage(place);
  const where =
    place.mount === null ? '' : ` on ${place.mount.fileSystem} at ${place.mount.mountPoint}`;
  return {
    // Only the bytes of the image matter: its name is not renamed, its locks are not used. But whatever can
    // happen to its bytes can happen to every claim of the file system inside it.
    reasons: below.reasons
      .filter((one) => one.claims.includes('bytes'))
      .map((one) => ({ ...one, claims: ['bytes', 'names', 'renames', 'order'] })),
    notes: [note('image', `${layer.name} is the file ${file}${where}.`)],
  };
}
