/** The models by name. Pages with the evidence for each cell: `docs/models/`. */

import { UsageError } from '../../base/errors.ts';
import type { CrashModel } from './crash-model.ts';

/** A journal or a log: names and sizes in one order, data by itself. */
const STREAM = {
  metadata: 'stream',
  appendSize: 'late',
  data: 'own',
  dataBeforeSize: 'none',
  dataNeedsStream: false,
  unwritten: ['zeros'],
  garbageCovers: 'block',
  tearBytes: 512,
  rename: 'atomic',
  reuse: 'waits',
  fileSyncBrings: 'stream',
  directorySyncBrings: 'stream',
  damagesAround: false,
  syncIsDurable: true,
} as const;

/** No order at all. */
const FREE = {
  ...STREAM,
  metadata: 'free',
  appendSize: 'free',
  unwritten: ['zeros', 'random', 'freed'],
  fileSyncBrings: 'nothing',
  directorySyncBrings: 'entries',
} as const;

const JOURNALLED_DATA = {
  ...STREAM,
  appendSize: 'stream',
  data: 'stream',
  dataBeforeSize: 'all',
  tearBytes: 0,
} as const;

const MODELS: readonly CrashModel[] = [
  {
    ...JOURNALLED_DATA,
    name: 'prefix',
    summary: 'everything in order, cut anywhere: the disk that programs imagine',
    kernel: 'none: a yardstick',
    fileSyncBrings: 'everything',
    directorySyncBrings: 'everything',
  },
  {
    ...STREAM,
    name: 'ext4',
    summary: 'ext4 as mounted today: data=ordered, delayed allocation, dioread_nolock',
    kernel: 'Linux 5.6 and later',
  },
  {
    ...STREAM,
    name: 'ext4-nodelalloc',
    summary: 'ext4 with nodelalloc: new blocks are on the disk before the size that shows them',
    kernel: 'Linux 4.0 and later',
    appendSize: 'stream',
    dataBeforeSize: 'new-blocks',
  },
  {
    ...JOURNALLED_DATA,
    name: 'ext4-journal',
    summary: 'ext4 with data=journal: data travels with the metadata, in order',
    kernel: 'Linux 4.0 and later',
  },
  {
    ...STREAM,
    name: 'ext4-writeback',
    summary: 'ext4 with data=writeback: a new block may show what was freed before',
    kernel: 'Linux 4.0 and later',
    unwritten: ['zeros', 'random', 'freed'],
    reuse: 'blocks-at-once',
  },
  {
    ...FREE,
    name: 'ext4-nojournal',
    summary: 'ext4 without a journal: names in any order, inodes and blocks reused at once',
    kernel: 'Linux 4.0 and later',
    rename: 'split',
    reuse: 'at-once',
    fileSyncBrings: 'creation',
  },
  {
    ...FREE,
    name: 'ext2',
    summary: 'ext2: names in any order, inodes and blocks reused at once',
    kernel: 'Linux 4.0 and later',
    rename: 'split',
    reuse: 'at-once',
  },
  {
    ...STREAM,
    name: 'xfs',
    summary: 'XFS: ordered log, size follows the data that brought it',
    kernel: 'Linux 4.0 and later',
    dataBeforeSize: 'last',
  },
  {
    ...STREAM,
    name: 'btrfs',
    summary: 'btrfs: copy on write, a sync logs one inode with its names and no more',
    kernel: 'Linux 5.15 and later',
    dataNeedsStream: true,
    tearBytes: 0,
    rename: 'source-may-stay',
    fileSyncBrings: 'names',
    directorySyncBrings: 'entries-and-names',
  },
  {
    ...FREE,
    name: 'apfs-fsync',
    summary: 'APFS after a plain fsync(2): the drive may still hold and reorder everything',
    kernel: 'macOS 10.13 and later; assumed, not run',
    unwritten: ['zeros'],
    tearBytes: 0,
    syncIsDurable: false,
  },
  {
    ...STREAM,
    name: 'apfs-fullfsync',
    summary: "APFS after F_FULLFSYNC, which is what Node's fsync calls on macOS",
    kernel: 'macOS 10.13 and later; assumed, not run',
    tearBytes: 0,
    fileSyncBrings: 'creation',
    directorySyncBrings: 'entries',
  },
  {
    ...FREE,
    name: 'posix',
    summary:
      'the weakest disk on which software can be written: only what was synced, in any order',
    kernel: 'any',
    garbageCovers: 'written',
    rename: 'by-directory',
  },
];

/** What `+NAME` behind a model's name makes of it. */
interface Modifier {
  readonly name: string;
  readonly summary: string;
  /** Empty: any model. */
  readonly on: readonly string[];
  readonly change: Partial<CrashModel>;
}

const MODIFIERS: readonly Modifier[] = [
  {
    name: 'fastcommit',
    summary: 'ext4 fast commits: a sync of a file brings its own names only',
    on: ['ext4', 'ext4-nodelalloc'],
    change: { fileSyncBrings: 'names-by-fsync' },
  },
  {
    name: 'nobarrier',
    summary: 'no flush reaches the drive: a returned sync puts nothing out of danger',
    on: [],
    change: { syncIsDurable: false },
  },
  {
    name: 'volatile',
    summary: 'overlay mounted volatile, or a drive that lies: a returned sync does nothing',
    on: [],
    change: { syncIsDurable: false },
  },
  {
    name: 'splitrename',
    summary: 'a rename may be half done: both names, or neither',
    on: [],
    change: { rename: 'split' },
  },
  {
    name: 'nopsow',
    summary: 'a torn write may damage the bytes around it, up to the sector',
    on: [],
    change: { damagesAround: true, garbageCovers: 'block', tearBytes: 512 },
  },
];

/** Used when no model is named. */
export const DEFAULT_MODELS: readonly string[] = [
  'ext4',
  'ext4-journal',
  'xfs',
  'btrfs',
  'apfs-fullfsync',
  'posix',
];

export function listModels(): readonly CrashModel[] {
  return MODELS;
}

/** Name and summary of each modifier, for people. */
export function listModifiers(): readonly { readonly name: string; readonly summary: string }[] {
  return MODIFIERS.map(({ name, summary }) => ({ name: `+${name}`, summary }));
}

/** A model by its name, with modifiers: `ext4+nobarrier`. @throws UsageError when there is none. */
export function modelByName(name: string): CrashModel {
  const [base = '', ...modifiers] = name.split('+');
  const model = MODELS.find((candidate) => candidate.name === base);
  if (model === undefined) {
    const known = MODELS.map((candidate) => candidate.name).join(', ');
    throw new UsageError(`unknown model "${base}": the models are ${known}`);
  }
  return modifiers.reduce(withModifier, model);
}

function withModifier(model: CrashModel, name: string): CrashModel {
  const modifier = MODIFIERS.find((candidate) => candidate.name === name);
  if (modifier === undefined) {
    const known = MODIFIERS.map((candidate) => `+${candidate.name}`).join(', ');
    throw new UsageError(`unknown modifier "+${name}": the modifiers are ${known}`);
  }
  const [base = ''] = model.name.split('+');
  if (modifier.on.length > 0 && !modifier.on.includes(base)) {
    throw new UsageError(`+${name} goes with ${modifier.on.join(' and ')}, not with ${base}`);
  }
  const summary = `${model.summary}; ${modifier.summary}`;
  return { ...model, ...modifier.change, name: `${model.name}+${name}`, summary };
}
