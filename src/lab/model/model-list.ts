/** The models by name. Pages with the evidence for each cell: `docs/models/`. */

import { UsageError } from '../../base/errors.ts';
import type { CrashModel } from './crash-model.ts';

const STREAM = {
  metadata: 'stream',
  rename: 'atomic',
  fileSyncBrings: 'stream',
  directorySyncBrings: 'stream',
  syncIsDurable: true,
} as const;

const MODELS: readonly CrashModel[] = [
  {
    ...STREAM,
    name: 'prefix',
    summary: 'everything in order, cut anywhere: the disk that programs imagine',
    kernel: 'none: a yardstick',
    appendSize: 'stream',
    data: 'stream',
    dataBeforeSize: 'all',
    unwritten: ['zeros'],
    tearBytes: 0,
    fileSyncBrings: 'everything',
    directorySyncBrings: 'everything',
  },
  {
    ...STREAM,
    name: 'ext4',
    summary: 'ext4 as mounted today: data=ordered, delayed allocation, dioread_nolock',
    kernel: 'Linux 5.6 and later',
    appendSize: 'late',
    data: 'own',
    dataBeforeSize: 'none',
    unwritten: ['zeros'],
    tearBytes: 512,
  },
  {
    ...STREAM,
    name: 'ext4-journal',
    summary: 'ext4 with data=journal: data travels with the metadata, in order',
    kernel: 'Linux 4.0 and later',
    appendSize: 'stream',
    data: 'stream',
    dataBeforeSize: 'all',
    unwritten: ['zeros'],
    tearBytes: 0,
  },
  {
    ...STREAM,
    name: 'xfs',
    summary: 'XFS: ordered log, size follows the data that brought it',
    kernel: 'Linux 4.0 and later',
    appendSize: 'late',
    data: 'own',
    dataBeforeSize: 'last',
    unwritten: ['zeros'],
    tearBytes: 512,
  },
  {
    name: 'posix',
    summary:
      'the weakest disk on which software can be written: only what was synced, in any order',
    kernel: 'any',
    metadata: 'free',
    appendSize: 'free',
    data: 'own',
    dataBeforeSize: 'none',
    unwritten: ['zeros', 'random', 'freed'],
    tearBytes: 512,
    rename: 'source-may-stay',
    fileSyncBrings: 'nothing',
    directorySyncBrings: 'entries',
    syncIsDurable: true,
  },
];

/** Used when no model is named. */
export const DEFAULT_MODELS: readonly string[] = ['prefix', 'ext4', 'ext4-journal', 'xfs', 'posix'];

export function listModels(): readonly CrashModel[] {
  return MODELS;
}

/** @throws UsageError when no model has this name. */
export function modelByName(name: string): CrashModel {
  const model = MODELS.find((candidate) => candidate.name === name);
  if (model !== undefined) return model;
  const known = MODELS.map((candidate) => candidate.name).join(', ');
  throw new UsageError(`unknown model "${name}": the models are ${known}`);
}
