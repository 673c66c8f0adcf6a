/**
 * The makers of the stores in `test/golden/{lsm,bitcask,btree}/VERSION`: good ones, and ones that are damaged in a way that the
 * format documents speak of. They ran once, with the version that the folder names; today's code has to read what
 * they made then. A golden store is copied before it is opened.
 */

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import type { EngineName } from '../../src/level/engine-registry.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { BytesPayload, framed } from '../../src/wal/log-framing.ts';

/** By their paths in the store. */
export type StoreFileMap = Map<string, Uint8Array>;

export interface GoldenStore {
  readonly engine: EngineName;
  /** Of the format: what today's code makes is the latest. */
  readonly version: 'v1' | 'v2';
  readonly name: string;
  readonly make: () => Promise<StoreFileMap>;
}

type Work = (db: HoldfastLevel) => Promise<unknown>;
type Change = (files: StoreFileMap) => unknown;

/** What expires then has expired by now. */
const LONG_AGO = Date.UTC(2001, 0, 1);

/** How a program ends: it closes its store, or is killed, also in a checkpoint that is all but recorded. */
type Ending = 'closed' | 'killed' | 'cut short';

/** What a program leaves. */
async function left(engine: EngineName, how: Ending, work: Work): Promise<StoreFileMap> {
  const vfs = new MemoryVfs();
  const options = { engine, dispatch: new SyncDispatch(vfs), timeOfDay: () => LONG_AGO };
  const db = new HoldfastLevel('/store', options);
  await db.open();
  await work(db);
  const killed = filesOf(vfs.toTree());
  if (how === 'cut short') {
    await db.compact();
    for (const [name, bytes] of filesOf(vfs.toTree())) {
      if (!name.startsWith('log/')) killed.set(name, bytes);
    }
  }
  await db.close();
  return how === 'closed' ? filesOf(vfs.toTree()) : killed;
}

function filesOf(root: FileTreeDirectory): StoreFileMap {
  const files: StoreFileMap = new Map();
  const visit = (directory: FileTreeDirectory, above: string): void => {
    for (const [name, node] of directory.entries) {
      if (node.kind === 'directory') visit(node, `${above}${name}/`);
      if (node.kind !== 'file' || name.startsWith('holdfast-lock-')) continue;
      files.set(above + name, withoutRoom(above + name, node.content));
    }
  };
  const store = root.entries.get('store');
  if (store?.kind === 'directory') visit(store, '');
  return files;
}

const ZEROS_KEPT = 16;

/** Logs without most of the zeros that were written ahead of need. */
function withoutRoom(name: string, bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (/\.(log|data)$/.test(name)) while (end > 0 && bytes[end - 1] === 0) end--;
  // Some of them may be the end of a record.
  return bytes.slice(0, Math.min(bytes.length, end + ZEROS_KEPT));
}

/** Of every engine: text, an empty value, a large one, a delete, a batch; some of it in the log only. */
async function usualWork(db: HoldfastLevel): Promise<void> {
  await db.batch([
    { type: 'put', key: 'a', value: '1' },
    { type: 'put', key: 'b', value: '' },
    { type: 'put', key: 'ключ', value: 'значение' },
  ]);
  await db.put('gone', 'soon');
  await db.put('large', 'L'.repeat(5000));
  await db.compact();
  await db.batch([
    { type: 'del', key: 'gone' },
    { type: 'put', key: 'a', value: '2' },
  ]);
}

async function smallWork(db: HoldfastLevel): Promise<void> {
  await db.put('a', '1');
  await db.put('b', '2');
}

function flip(pattern: RegExp, offset: number): Change {
  return (files) => {
    const [name, bytes] = fileLike(files, pattern);
    const at = offset < 0 ? bytes.length + offset : offset;
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    files.set(name, changed);
  };
}

function cut(pattern: RegExp, length: number): Change {
  return (files) => {
    const [name, bytes] = fileLike(files, pattern);
    files.set(name, bytes.slice(0, length < 0 ? bytes.length + length : length));
  };
}

function without(pattern: RegExp): Change {
  return (files) => {
    const names = [...files.keys()].filter((name) => pattern.test(name));
    if (names.length === 0) throw new Error(`there is no ${String(pattern)}`);
    for (const name of names) files.delete(name);
  };
}

function behind(pattern: RegExp, more: (length: number) => Uint8Array): Change {
  return (files) => {
    const [name, bytes] = fileLike(files, pattern);
    files.set(name, Buffer.concat([bytes, more(bytes.length)]));
  };
}

function replaced(pattern: RegExp, from: string, to: string): Change {
  return (files) => {
    const [name, bytes] = fileLike(files, pattern);
    files.set(name, Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1'));
  };
}

function fileLike(files: StoreFileMap, pattern: RegExp): [string, Uint8Array] {
  const found = [...files].toSorted().find(([name]) => pattern.test(name));
  if (found === undefined) throw new Error(`there is no ${String(pattern)}`);
  return found;
}

/** Stores of one engine by name, each as work, how it ends, and what is done to its files. */
type Recipe = readonly [work: Work, how: Ending, change?: Change];

function stores(
  engine: EngineName,
  recipes: Readonly<Record<string, Recipe>>,
  version: GoldenStore['version'] = 'v1',
): GoldenStore[] {
  return Object.entries(recipes).map(([name, [work, how, change]]) => ({
    engine,
    version,
    name,
    make: async () => {
      const files = await left(engine, how, work);
      await change?.(files);
      return files;
    },
  }));
}

/** An edit with a field of a tag that no version knows. */
const UNKNOWN_FIELD = Uint8Array.of(99, 1);
/** An edit that names another order of keys. */
const OTHER_ORDER = Buffer.from(`\u0001\u0005other`, 'latin1');

async function edit(bytes: Uint8Array, files: StoreFileMap): Promise<void> {
  behind(/^MANIFEST/, (length) => Buffer.from(framed(length, new BytesPayload(bytes))))(files);
}

/** Writes to a store of Bitcask once more, and closes it with an index file, which only large ones have. */
async function withIndex(files: StoreFileMap): Promise<void> {
  const vfs = new MemoryVfs();
  vfs.mkdirSync('/store');
  for (const [name, bytes] of files) {
    const file = vfs.openSync(`/store/${name}`, { write: true, create: true });
    file.writeSync(bytes, 0, bytes.length, 0);
    file.closeSync();
  }
  const indexing = { indexEntriesMin: 1, timeOfDay: () => LONG_AGO };
  const engine = await bitcaskKind.open('/store', { ...indexing, dispatch: new SyncDispatch(vfs) });
  const batch = new WriteBatch();
  batch.put(Buffer.from('ключик'), Buffer.from('3'));
  batch.put(Buffer.from('until 2001'), Buffer.from('4'), 1000);
  await engine.write(batch, 'sync');
  await engine.close();
  files.clear();
  for (const [name, bytes] of filesOf(vfs.toTree())) files.set(name, bytes);
}

const LSM = stores('lsm', {
  closed: [usualWork, 'closed'],
  killed: [usualWork, 'killed'],
  'torn-log': [usualWork, 'killed', cut(/\.log$/, -20)],
  'damaged-log': [smallWork, 'closed', flip(/\.log$/, 50)],
  'missing-log': [usualWork, 'closed', without(/\.log$/)],
  'damaged-table': [usualWork, 'closed', flip(/\.ldb$/, 20)],
  'cut-table': [usualWork, 'closed', cut(/\.ldb$/, -10)],
  'missing-table': [usualWork, 'closed', without(/\.ldb$/)],
  'torn-manifest': [usualWork, 'killed', cut(/^MANIFEST/, -3)],
  'damaged-manifest': [usualWork, 'closed', flip(/^MANIFEST/, 20)],
  'missing-manifest': [usualWork, 'closed', without(/^MANIFEST/)],
  'empty-current': [usualWork, 'closed', cut(/^CURRENT$/, 0)],
  'missing-current': [usualWork, 'closed', without(/^CURRENT$/)],
  'newer-format': [usualWork, 'closed', (files) => edit(UNKNOWN_FIELD, files)],
  'other-order': [usualWork, 'closed', (files) => edit(OTHER_ORDER, files)],
});

const BITCASK = stores('bitcask', {
  closed: [usualWork, 'closed'],
  killed: [usualWork, 'killed'],
  expiring: [
    async (db) => {
      await db.put('for good', '1');
      await db.put('until 2001', '2', { ttl: 1000 });
    },
    'closed',
  ],
  'torn-log': [smallWork, 'killed', cut(/\.data$/, -20)],
  'damaged-data': [usualWork, 'closed', flip(/\.data$/, 60)],
  'cut-data': [usualWork, 'closed', cut(/\.data$/, -4)],
  'missing-data': [usualWork, 'closed', without(/\.data$/)],
  'damaged-hint': [usualWork, 'closed', flip(/\.hint$/, 50)],
  indexed: [usualWork, 'closed', withIndex],
  'damaged-index': [
    usualWork,
    'closed',
    async (files) => {
      await withIndex(files);
      flip(/\.index$/, -10)(files);
    },
  ],
  'damaged-manifest': [smallWork, 'closed', flip(/^BITCASK$/, 30)],
  'missing-manifest': [smallWork, 'closed', without(/^BITCASK$/)],
  'newer-data': [smallWork, 'closed', flip(/\.data$/, 8)],
});

const BTREE = stores('btree', {
  closed: [usualWork, 'closed'],
  killed: [smallWork, 'killed'],
  'torn-log': [smallWork, 'killed', cut(/\.log$/, -20)],
  'damaged-page': [smallWork, 'closed', flip(/^tree\.pages$/, 2 * 4096 + 4000)],
  'damaged-meta-page': [smallWork, 'closed', flip(/^tree\.pages$/, 60)],
  'cut-pages': [smallWork, 'closed', cut(/^tree\.pages$/, 2 * 4096)],
  'missing-log': [smallWork, 'closed', without(/^log\//)],
  'missing-pages': [smallWork, 'closed', without(/^tree\.pages$/)],
  'newer-format': [smallWork, 'closed', flip(/^tree\.pages$/, 40)],
  'not-ours': [smallWork, 'closed', replaced(/^tree\.pages$/, 'HOLDBTR', 'OTHERDB')],
});

const BTREE_2 = stores(
  'btree',
  {
    closed: [usualWork, 'closed'],
    killed: [usualWork, 'killed'],
    'torn-page': [usualWork, 'cut short', flip(/^tree\.pages$/, 2 * 4096 + 4000)],
    'torn-page-and-double': [
      usualWork,
      'cut short',
      async (files) => {
        await flip(/^tree\.pages$/, 2 * 4096 + 4000)(files);
        await flip(/^tree\.double$/, 40)(files);
      },
    ],
    'torn-double': [usualWork, 'killed', cut(/^tree\.double$/, -100)],
  },
  'v2',
);

export const GOLDEN_STORES: readonly GoldenStore[] = [...LSM, ...BITCASK, ...BTREE, ...BTREE_2];
