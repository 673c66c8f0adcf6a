/**
 * Which file systems of the rig can show a finding of a model: those that the model speaks of, or, where this kernel
 * has none of these (macOS, the weakest disk), the nearest ones. A finding that a near one shows is real there; one
 * that it does not show is neither here nor there.
 */

import { type DiskProfile, diskProfile, diskProfiles } from './disk-profile.ts';

/** One file system to ask. */
export interface NearKernel {
  readonly profile: DiskProfile;
  /** The models that it stands in for; empty where it has one of the finding's own. */
  readonly instead: readonly string[];
}

/** By model without modifiers: profiles that lose or reorder most like it. */
const NEAREST: Readonly<Record<string, readonly string[]>> = {
  posix: ['ext2', 'ext4-nojournal'],
  'apfs-fsync': ['ext2', 'ext4-nojournal'],
  'apfs-fullfsync': ['btrfs', 'ext4'],
  // Everything in order is what data=journal comes nearest to.
  prefix: ['ext4-journal'],
};

/** File systems for a finding that was met under these models, each once; the finding's own where there are any. */
export function kernelsFor(models: readonly string[]): NearKernel[] {
  const own = [...diskProfiles, ...WITHOUT_BARRIERS].filter(({ model }) => models.includes(model));
  if (own.length > 0) return own.map((profile) => ({ profile, instead: [] }));
  const near = new Map<string, string[]>();
  for (const model of models) {
    const [base = '', ...modifiers] = model.split('+');
    const names = modifiers.some((one) => one === 'nobarrier' || one === 'volatile')
      ? WITHOUT_BARRIERS.map(({ name }) => name)
      : (NEAREST[base] ?? diskProfiles.filter((one) => one.model === base).map(({ name }) => name));
    for (const name of names) near.set(name, [...(near.get(name) ?? []), model]);
  }
  return [...near].map(([name, instead]) => ({
    profile: WITHOUT_BARRIERS.find((one) => one.name === name) ?? diskProfile(name),
    instead,
  }));
}

/** Ext4 whose syncs send no flush to the device: the block log is then one epoch, and nothing in it is safe. */
const WITHOUT_BARRIERS: readonly DiskProfile[] = [withoutBarriers(diskProfile('ext4'))];

function withoutBarriers(profile: DiskProfile): DiskProfile {
  return {
    ...profile,
    name: `${profile.name} with nobarrier`,
    mountOptions: [profile.mountOptions, 'nobarrier'].filter(Boolean).join(','),
    model: `${profile.model}+nobarrier`,
  };
}
