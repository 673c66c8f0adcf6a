/**
 * Makes a damaged store openable. What can be read goes into a new tree in a directory beside it
 * (`repair.tmp`), which gets the name `repaired` when it is whole and durable; from then on opening
 * the store takes it over. The damaged files are kept in `lost`. Order:
 *
 * 1. The damaged files get a second name in `lost`, durably.
 * 2. The new tree is filled, closed, and named `repaired`, durably: the point of no return.
 * 3. Its log takes the place of the old one, then its pages that of the old pages.
 *
 * A crash before 2 leaves the store as it was, and one after it is finished by the next opener.
 */

import { join } from 'node:path';

import { HoldfastError } from '../base/errors.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import type { Damage, ProgressOptions, RepairReport } from '../engine/engine-reports.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import { errorCode } from '../vfs/errno.ts';
import { isThere } from '../vfs/is-there.ts';
import { readFully } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { compactBtree } from './btree-compact.ts';
import { btreeSettings } from './btree-options.ts';
import type { BtreeSettings } from './btree-options.ts';
import {
  LOG_NAME,
  PAGES_NAME,
  REPAIRED_NAME,
  closeBtree,
  makeBtree,
  openBtree,
  removeDoubles,
} from './btree-parts.ts';
import type { BtreeParts } from './btree-parts.ts';
import { DOUBLE_NAMES } from './double-write.ts';
import { noPages, pageBytesInLog } from './lost-pages.ts';
import { META_FIXED_BYTES, entryCount, pageBytesOf } from './meta-page.ts';
import { PageFile } from './page-file.ts';
import { PAGE_BYTES_MAX, PAGE_BYTES_MIN, pageFault } from './page-format.ts';
import { StillTree } from './still-tree.ts';
import type { StillPages } from './still-tree.ts';
import { TreeSalvage } from './salvage-tree.ts';

/** A tree that is being filled: of no meaning after a crash. */
export const REPAIR_NAME = 'repair.tmp';
/** Where damaged files are kept. */
const LOST_NAME = 'lost';

const BATCH_BYTES = 1 << 20;
/** Pages at the beginning of a file that tell the size of its pages where the first one does not. */
const SAMPLE_PAGES = 64;

/** See `EngineKind.repair`. REQUIRES: the lock of the directory. */
export async function repairBtree(
  settings: BtreeSettings,
  directory: string,
  options: ProgressOptions,
): Promise<RepairReport> {
  const { dispatch, clock } = settings;
  const { vfs } = dispatch;
  await takeOver(dispatch, directory);
  const pages = await damagedPages(settings, directory);
  try {
    const { pageBytes } = pages.file;
    const tree = new StillTree(pages.file, vfs, join(directory, LOG_NAME));
    await tree.readLog();
    const salvage = new TreeSalvage(tree, pages.count);
    const building = join(directory, REPAIR_NAME);
    const durable = new DurableDirectory(dispatch, clock);
    await durable.rm(building, { recursive: true, force: true });
    await durable.mkdir(building);
    const own = { ...settings, ...btreeSettings({ ...settings.options, pageBytes }) };
    await makeBtree(own, building);
    const parts = await openBtree(own, building, true);
    let savedEntries: number;
    try {
      savedEntries = await fill(parts, salvage, options);
    } finally {
      await closeBtree(parts);
    }
    const keptAside = await keepNames(dispatch, directory, pages.names);
    await durable.rename(building, join(directory, REPAIRED_NAME));
    await takeOver(dispatch, directory);
    const damage = [...pages.damage, ...tree.damage, ...salvage.damage];
    return { savedEntries, damage, keptAside };
  } finally {
    await pages.close();
  }
}

/** What a repair reads pages from. */
interface DamagedPages {
  readonly file: StillPages;
  /** Pages that the file has room for. */
  readonly count: number;
  /** The name of the file, where there is one. */
  readonly names: readonly string[];
  readonly damage: readonly Damage[];
  close(): Promise<void>;
}

/** The file of pages, or what stands for one that is lost. @throws HOLDFAST_FOREIGN, HOLDFAST_FORMAT */
async function damagedPages(settings: BtreeSettings, directory: string): Promise<DamagedPages> {
  const { dispatch } = settings;
  const { vfs } = dispatch;
  const path = join(directory, PAGES_NAME);
  const log = join(directory, LOG_NAME);
  if (!(await isThere(vfs, path))) {
    const pageBytes = (await pageBytesInLog(vfs, log)) ?? settings.pageBytes;
    const message = 'it is missing: what the log does not have is lost';
    const damage = [{ path, offset: undefined, message }];
    const close = (): Promise<void> => Promise.resolve();
    return { file: noPages(path, pageBytes), count: 0, names: [], damage, close };
  }
  const handle = await vfs.open(path, { read: true, noFollow: true });
  try {
    const pageBytes = await pageBytesOfDamaged(handle, settings, log);
    const file = new PageFile(handle, pageBytes, dispatch);
    const count = await file.pageCount();
    return { file, count, names: [PAGES_NAME], damage: [], close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Lets a tree that a repair has made take the place of the damaged one, whatever part of that is
 * done. REQUIRES: the lock of the directory.
 */
export async function takeOver(dispatch: SyncDispatch, directory: string): Promise<void> {
  const { vfs } = dispatch;
  const repaired = join(directory, REPAIRED_NAME);
  if (!(await isThere(vfs, repaired))) return;
  const durable = new DurableDirectory(dispatch);
  // Those of the damaged tree are not for the pages of the new one, which are all in their places.
  await removeDoubles(dispatch, directory);
  const log = join(repaired, LOG_NAME);
  if (await isThere(vfs, log)) {
    // It has its other name in `lost`.
    await durable.rm(join(directory, LOG_NAME), { recursive: true, force: true });
    await durable.rename(log, join(directory, LOG_NAME));
  }
  const pages = join(repaired, PAGES_NAME);
  if (await isThere(vfs, pages)) await durable.rename(pages, join(directory, PAGES_NAME));
  await durable.rm(repaired, { recursive: true });
}

/** Where the files of a store are: some may be waiting to take the places of damaged ones. */
export async function placesOf(
  vfs: Vfs,
  directory: string,
): Promise<{ readonly pages: string; readonly log: string }> {
  const pages = join(directory, REPAIRED_NAME, PAGES_NAME);
  if (!(await isThere(vfs, pages))) {
    return { pages: join(directory, PAGES_NAME), log: join(directory, LOG_NAME) };
  }
  const log = join(directory, REPAIRED_NAME, LOG_NAME);
  return { pages, log: (await isThere(vfs, log)) ? log : join(directory, LOG_NAME) };
}

/** Puts what was saved into the new tree. Returns how many entries it has then. */
async function fill(
  parts: BtreeParts,
  salvage: TreeSalvage,
  options: ProgressOptions,
): Promise<number> {
  const leaves = await salvage.leaves(options.signal);
  let batch = new WriteBatch();
  let done = 0;
  for (const leaf of leaves) {
    options.signal?.throwIfAborted();
    await salvage.entriesOf(leaf, (key, value) => batch.put(key, value));
    done++;
    if (batch.byteLength < BATCH_BYTES && done < leaves.length) continue;
    await parts.commits.write(batch, 'none');
    batch = new WriteBatch();
    options.onProgress?.({ phase: 'saving entries', done, total: leaves.length, unit: 'pages' });
  }
  await parts.commits.write(batch, 'sync');
  await compactBtree(parts, null, {});
  return entryCount(parts.pager.meta.data);
}

/** Gives the damaged files a second name in `lost`. Returns those names. */
async function keepNames(
  dispatch: SyncDispatch,
  directory: string,
  pages: readonly string[],
): Promise<string[]> {
  const { vfs } = dispatch;
  const durable = new DurableDirectory(dispatch);
  const lost = join(directory, LOST_NAME);
  await durable.mkdirAll(lost);
  let number = 1;
  while (await isThere(vfs, join(lost, `btree-${number}`))) number++;
  const place = join(lost, `btree-${number}`);
  await durable.mkdirAll(join(place, LOG_NAME));
  const kept: string[] = [];
  // What stands in a doublewrite file may be nowhere else.
  const doubles: string[] = [];
  for (const name of DOUBLE_NAMES)
    if (await isThere(vfs, join(directory, name))) doubles.push(name);
  for (const name of [...pages, ...doubles, ...(await logNames(vfs, directory))]) {
    await vfs.link(join(directory, name), join(place, name));
    kept.push(join(place, name));
  }
  for (const path of [join(place, LOG_NAME), place]) await dispatch.names(path);
  return kept;
}

/** Files of the log, with its folder. */
async function logNames(vfs: Vfs, directory: string): Promise<string[]> {
  try {
    const entries = await vfs.readDirectory(join(directory, LOG_NAME));
    return entries.filter(({ kind }) => kind === 'file').map(({ name }) => join(LOG_NAME, name));
  } catch (error) {
    // A log that is missing is part of the damage.
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The size of the pages, from the first one, from checksums or from the log. @throws HOLDFAST_FOREIGN */
async function pageBytesOfDamaged(
  file: VfsFile,
  settings: BtreeSettings,
  log: string,
): Promise<number> {
  const sample = new Uint8Array(SAMPLE_PAGES * PAGE_BYTES_MAX);
  const count = await readFully(file, sample, 0);
  const told = pageBytesOf(sample.subarray(0, Math.min(count, META_FIXED_BYTES)), file.path);
  if (told !== null) return told;
  for (let size = PAGE_BYTES_MIN; size <= PAGE_BYTES_MAX; size *= 2) {
    for (let number = 0; (number + 1) * size <= count; number++) {
      const page = sample.subarray(number * size, (number + 1) * size);
      if (pageFault(page, number) === null) return size;
    }
  }
  if (count < META_FIXED_BYTES) {
    return (await pageBytesInLog(settings.dispatch.vfs, log)) ?? settings.pageBytes;
  }
  throw new HoldfastError(
    'HOLDFAST_FOREIGN',
    `${file.path} has no page of a B+tree of Holdfast that could be read`,
  );
}
