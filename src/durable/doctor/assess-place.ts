/**
 * From facts to the answer: joins what the file system, its devices and the platform have to say, names the crash
 * model, and judges every claim, policy and promise. Pure: the same facts give the same answer on any machine.
 */

import { assessDevice, hasVolatileCache } from './assess-device.ts';
import { assessFileSystem } from './assess-file-system.ts';
import { assessForeign } from './assess-foreign.ts';
import {
  judgeClaims,
  judgePolicies,
  judgePromises,
  worst,
  type ClaimId,
  type Findings,
  type Judged,
  type ModelChoice,
  type Note,
  type PolicyId,
  type PromiseId,
  type Reason,
  type Verdict,
} from './doctor-answer.ts';
import { note } from './notes.ts';
import { upperDirectory } from './linux-place.ts';
import type { LinuxPlace, PlaceFacts } from './place-facts.ts';
import { reason } from './reasons.ts';

/** What the doctor says of a directory. */
export interface DoctorAnswer {
  readonly verdict: Verdict;
  readonly model: ModelChoice;
  readonly claims: readonly Judged<ClaimId>[];
  readonly policies: readonly Judged<PolicyId>[];
  readonly promises: readonly Judged<PromiseId>[];
  /** What fails first, then what is only assumed. */
  readonly reasons: readonly Reason[];
  readonly notes: readonly Note[];
}

interface PlaceFindings extends Findings {
  readonly model: string;
}

/** Judges a directory. `extra` are reasons from elsewhere: what `--measure` found. */
export function assessPlace(facts: PlaceFacts, extra: readonly Reason[] = []): DoctorAnswer {
  const found = findingsOf(facts);
  const all = withoutDoubles([...found.reasons, ...extra], (one) => `${one.id} ${one.text}`);
  const reasons = [
    ...all.filter((one) => one.verdict === 'fails'),
    ...all.filter((one) => one.verdict === 'assumed'),
  ];
  return {
    verdict: worst(reasons.map((one) => one.verdict)),
    model: modelChoice(found.model, reasons),
    claims: judgeClaims(reasons),
    policies: judgePolicies(reasons),
    promises: judgePromises(reasons),
    reasons,
    notes: withoutDoubles(found.notes, (one) => `${one.id} ${one.text}`),
  };
}

function withoutDoubles<T>(things: readonly T[], keyOf: (thing: T) => string): T[] {
  const seen = new Set<string>();
  return things.filter((thing) => {
    const key = keyOf(thing);
    return seen.has(key) ? false : seen.add(key);
  });
}

function findingsOf(facts: PlaceFacts): PlaceFindings {
  if (facts.platform === 'linux') return assessLinux(facts);
  if (facts.platform === 'other') {
    return { model: 'posix', reasons: [reason('unknown-platform', facts.name)], notes: [] };
  }
  return assessForeign(facts);
}

function assessLinux(place: LinuxPlace): PlaceFindings {
  const { mount } = place;
  if (mount === null) return { model: 'posix', reasons: [reason('mount-unseen')], notes: [] };
  if (mount.fileSystem === 'overlay') return assessOverlay(place);
  const volatileCache =
    place.devices.length === 0 || place.devices.some(({ device }) => hasVolatileCache(device));
  const own = assessFileSystem(mount, place.ext4, volatileCache);
  const reasons: Reason[] = [...own.reasons];
  const notes: Note[] = [...own.notes];
  for (const device of place.devices) {
    const below = assessDevice(device, place.hypervisor, assessLinux);
    reasons.push(...below.reasons);
    notes.push(...below.notes);
  }
  if (own.onDevice && place.devices.length === 0) {
    reasons.push(reason('device-unseen', `${mount.fileSystem} at ${mount.mountPoint}`));
  }
  return { model: own.model, reasons, notes };
}

function assessOverlay(place: LinuxPlace): PlaceFindings {
  const { mount, upper } = place;
  const options = mount?.superOptions ?? [];
  const subject = `overlay at ${mount?.mountPoint ?? '?'}`;
  const reasons: Reason[] = [];
  const notes: Note[] = [];
  // Newer kernels print `fsync=volatile` for a mount with `volatile` (seen on 6.18).
  if (options.includes('volatile') || options.includes('fsync=volatile')) {
    reasons.push(reason('overlay-volatile', subject));
  }
  if (place.container !== null && mount?.mountPoint === '/') notes.push(note('container-layer'));
  if (mount !== null && upperDirectory(mount) === null) {
    return { model: 'posix', reasons, notes: [...notes, note('read-only')] };
  }
  notes.push(note('overlay-copy-up'));
  if (upper === null) {
    reasons.push(reason('overlay-upper-hidden', subject));
    return { model: 'posix', reasons, notes };
  }
  const below = assessLinux(upper);
  return {
    model: below.model,
    reasons: [...reasons, ...below.reasons],
    notes: [...notes, ...below.notes],
  };
}

const NOTHING_KEPT = new Set(['memory', 'memory-device', 'overlay-volatile']);
const FLUSH_LOST = new Set(['no-barrier', 'flush-switched-off', 'flush-stopped', 'no-strict-sync']);
const FLUSH_DOUBTED = new Set([
  'virtual-disk',
  'device-unseen',
  'network-device',
  'image-unseen',
  'barriers-not-needed',
  'overlay-upper-hidden',
  'host',
  'fuse',
  'network',
  'mount-unseen',
  'flush-too-fast',
]);

function modelChoice(base: string, reasons: readonly Reason[]): ModelChoice {
  const has = (ids: ReadonlySet<string>): boolean => reasons.some((one) => ids.has(one.id));
  if (has(NOTHING_KEPT)) return { name: `${base}+volatile`, otherwise: null };
  if (has(FLUSH_LOST)) return { name: `${base}+nobarrier`, otherwise: null };
  if (base === 'apfs-fullfsync') return { name: base, otherwise: 'apfs-fsync' };
  if (has(FLUSH_DOUBTED)) return { name: base, otherwise: `${base}+nobarrier` };
  const journalUnseen = reasons.some((one) => one.id === 'journal-unseen');
  return { name: base, otherwise: journalUnseen ? 'ext4-nojournal' : null };
}
