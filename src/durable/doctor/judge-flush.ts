/**
 * Whether a measured sync is too fast to be one. A fast answer proves nothing, since a drive whose cache survives a
 * power cut (capacitors, battery) may answer at once; but a cache that is volatile by its own account cannot be
 * emptied in no time. So the finding is doubt, never proof.
 *
 * @see Zheng et al., "Understanding the Robustness of SSDs under Power Fault", FAST 2013
 */

import { layersOf } from './linux-place.ts';
import type { BlockDevice } from './block-device.ts';
import type { Reason } from './doctor-answer.ts';
import type { Measurement } from './measure-syncs.ts';
import type { LinuxPlace, PlaceFacts } from './place-facts.ts';
import { reason } from './reasons.ts';

/** Half a turn of a 15,000 rpm disk is 2 ms. */
const SPINNING_US_MIN = 1500;
/** An SSD without power-loss protection programs flash before it answers: hundreds of microseconds at least. */
const SOLID_US_MIN = 100;
/** F_FULLFSYNC on Apple's own drives takes milliseconds, plain fsync tens of microseconds. */
const MAC_US_MIN = 500;

const PROTECTED =
  'Either its cache survives a power cut (an enterprise SSD with capacitors, a controller with a battery: ' +
  'its data sheet says so), or something below answers without flushing.';

/** Reasons that only a measurement can give. */
export function judgeMeasurement(facts: PlaceFacts, measurement: Measurement): Reason[] {
  const names = measurement.methods.find(({ id }) => id === 'create-directory-sync');
  const refused = names?.refused ?? null;
  const flush = judgeFlush(facts, measurement);
  return [
    ...(refused === null || facts.platform === 'win32'
      ? []
      : [reason('no-directory-sync', refused)]),
    ...(flush === null ? [] : [reason('flush-too-fast', flush)]),
  ];
}

function judgeFlush(facts: PlaceFacts, measurement: Measurement): string | null {
  const flush = measurement.methods.find(({ id }) => id === 'overwrite-fdatasync');
  const us = flush?.medianUs ?? null;
  if (us === null) return null;
  if (facts.platform === 'darwin') {
    if (facts.network === true || us >= MAC_US_MIN) return null;
    return `A sync took ${micro(us)}: a full flush of a drive takes milliseconds, so the volume probably refused it.`;
  }
  if (facts.platform !== 'linux') return null;
  const slow = disksOf(facts).find((disk) => us < leastUs(disk));
  if (slow === undefined) return null;
  const kind = slow.rotational === true && slow.virtualBy === null ? 'a spinning disk' : 'an SSD';
  const cost = kind === 'an SSD' ? 'about 1 to 3 ms' : 'about 4 to 10 ms';
  return (
    `A sync took ${micro(us)}, but ${slow.name} says that it has a volatile cache, and emptying the one of ` +
    `${kind} takes ${cost}. ${PROTECTED}`
  );
}

/** The shortest time in which a sync through this disk can be real; 0 where no flush is needed. */
function leastUs(disk: BlockDevice): number {
  if (disk.writeCache !== 'write back') return 0;
  // Virtual disks often call themselves spinning when they are not.
  return disk.rotational === true && disk.virtualBy === null ? SPINNING_US_MIN : SOLID_US_MIN;
}

/** The disks at the very bottom, through images and upper layers. */
function disksOf(place: LinuxPlace): BlockDevice[] {
  const own = place.devices.flatMap(({ device, images }) => [
    ...layersOf(device).filter((layer) => layer.kind === 'disk' && layer.below.length === 0),
    ...Object.values(images).flatMap((image) => (image === null ? [] : disksOf(image))),
  ]);
  return place.upper === null ? own : [...own, ...disksOf(place.upper)];
}

function micro(us: number): string {
  return us >= 1000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us)} µs`;
}
