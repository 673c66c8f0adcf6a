/**
 * The parts of an open tree, put together, and opening: a store that is there is recovered, one
 * that is not is made. Not here: what an open tree does (`btree-engine`).
 *
 * Files: `tree.pages`, the pages; `tree.double` and `tree.double-sync`, pages on their way there;
 * `log/`, the redo log; `old-pages.tmp`, scratch. A store is there
 * when `tree.pages` is: it gets this name last, when the log has all of the empty tree.
 */

import { join } from 'node:path';

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { ReadSpeed } from '../base/read-speed.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import { Poison } from '../durable/poison.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { runLater } from '../durable/two-forms.ts';
import type { RecoveryReport } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { isThere } from '../vfs/is-there.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import { readFully, writeFully } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { WAL_POINTER_NAME, listWal } from '../wal/wal-directory.ts';
import { inspectWal } from '../wal/wal-inspection.ts';
import { WriteAheadLog } from '../wal/write-ahead-log.ts';
import { PageCache } from './btree-page-cache.ts';
import type { BtreeSettings } from './btree-options.ts';
import { Checkpointer } from './checkpointer.ts';
import { CommitQueue } from './commit-queue.ts';
import {
  CALLING_DOUBLE_NAME,
  DOUBLE_NAME,
  DOUBLE_NAMES,
  DoubleWrite,
  readDoubles,
  settleDoubles,
} from './double-write.ts';
import type { DoubleWrites } from './checkpointer.ts';
import { FreeList, freeListPageOf, regionPages } from './free-list.ts';
import {
  META_FIXED_BYTES,
  META_PAGE,
  formatMetaPage,
  pageBytesOf,
  pageCount,
} from './meta-page.ts';
import { makeEmptyTree } from './new-tree.ts';
import { PageFile } from './page-file.ts';
import { sealPage } from './page-format.ts';
import { PageVersions } from './page-versions.ts';
import { Pager } from './pager.ts';
import { RedoLog } from './redo-log.ts';
import { checkpointGone, judgeLost, putBack, redo } from './redo.ts';
import { SpillFile } from './spill-file.ts';
import { TreeWriter } from './tree-writer.ts';
import { ValuePlacer } from './value-placer.ts';

/** Names in a store's directory. */
export const PAGES_NAME = 'tree.pages';
/** The pages of a store that is being made. */
export const NEW_PAGES_NAME = 'tree.pages.new';
export const LOG_NAME = 'log';
export const SPILL_NAME = 'old-pages.tmp';
/** A tree that a repair has made, whole: it takes the place of the damaged one. */
export const REPAIRED_NAME = 'repaired';

/** An open tree, whole. */
export interface BtreeParts {
  readonly directory: string;
  readonly pager: Pager;
  readonly log: RedoLog;
  readonly writer: TreeWriter;
  readonly freeList: FreeList;
  readonly commits: CommitQueue;
  readonly checkpointer: Checkpointer;
  readonly spill: SpillFile;
  readonly doubles: DoubleWrites;
  readonly poison: Poison;
  readonly recovery: RecoveryReport;
}

/** The file of pages, opened; see `PageFile` for `calling`. */
interface OpenedPages {
  readonly file: VfsFile;
  readonly calling: VfsFile | null;
  readonly pageBytes: number;
}

/** Whether a store is in a directory. */
export async function holdsBtree(settings: BtreeSettings, directory: string): Promise<boolean> {
  try {
    const stat = await settings.dispatch.vfs.lstat(join(directory, PAGES_NAME));
    return stat.kind === 'file';
  } catch (error) {
    // Neither the file nor, perhaps, the directory is there.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** Makes an empty store in a directory that has none. REQUIRES: the lock of the directory. */
export async function makeBtree(settings: BtreeSettings, directory: string): Promise<void> {
  const { dispatch, clock, pageBytes } = settings;
  const { vfs } = dispatch;
  const durable = new DurableDirectory(dispatch, clock);
  await refuseForeignLog(vfs, join(directory, LOG_NAME));
  await refuseLostPages(vfs, directory);
  // What an earlier attempt has left is of no store.
  await durable.rm(join(directory, LOG_NAME), { recursive: true, force: true });
  await durable.rm(join(directory, NEW_PAGES_NAME), { force: true });
  await removeDoubles(dispatch, directory);
  const path = join(directory, NEW_PAGES_NAME);
  const file = await vfs.open(path, {
    read: true,
    write: true,
    create: true,
    exclusive: true,
    noFollow: true,
  });
  try {
    // The log has all pages of the empty tree; the first one tells the size of the pages.
    const page = new Uint8Array(pageBytes);
    formatMetaPage(page);
    sealPage(page);
    await writeFully(file, page, 0);
    await dispatch.bytes(file);
    const log = await openLog(settings, directory);
    try {
      const { pager } = pagerOf(settings, directory, { file, calling: null, pageBytes });
      pager.beginRecord();
      makeEmptyTree(pager);
      await log.append(pager.endRecord(log.lastSequence + 1), 'sync');
    } finally {
      await log.close();
    }
  } finally {
    await file.close();
  }
  await durable.rename(path, join(directory, PAGES_NAME));
}

/**
 * Removes the doublewrite files of a tree whose place another one takes. The name of that is made durable
 * in the same directory behind it.
 */
export async function removeDoubles(dispatch: SyncDispatch, directory: string): Promise<void> {
  for (const name of DOUBLE_NAMES) {
    const path = join(directory, name);
    if (await isThere(dispatch.vfs, path)) await new DurableDirectory(dispatch).rm(path);
  }
}

/**
 * Opens the store of a directory: redoes what the log has, so that readers see all of it.
 * REQUIRES: the lock of the directory.
 */
export async function openBtree(
  settings: BtreeSettings,
  directory: string,
  created: boolean,
): Promise<BtreeParts> {
  const path = join(directory, PAGES_NAME);
  const { vfs } = settings.dispatch;
  const handles: VfsFile[] = [];
  try {
    // See `PageFile` for why there are two.
    const file = await vfs.open(path, { read: true, write: true, noFollow: true });
    handles.push(file);
    const calling = await vfs.open(path, { write: true, noFollow: true });
    handles.push(calling);
    const pageBytes = await pageBytesIn(file);
    await requireLog(vfs, directory);
    const log = await openLog(settings, directory);
    try {
      const pages = { file, calling, pageBytes };
      return await openParts(settings, directory, pages, log, created);
    } catch (error) {
      await log.close();
      throw error;
    }
  } catch (error) {
    // Nothing was written through them; the first error is the one to tell.
    await Promise.allSettled(handles.map((handle) => handle.close()));
    throw error;
  }
}

/** Another program's `log` is not in the way of a new store. @throws HOLDFAST_FOREIGN */
async function refuseForeignLog(vfs: Vfs, path: string): Promise<void> {
  let found = 'is a file';
  try {
    const [foreign] = (await runLater(listWal(vfs, path))).foreign;
    if (foreign === undefined) return;
    found = `has ${JSON.stringify(foreign)}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    if (errorCode(error) !== 'ENOTDIR') throw error;
  }
  throw new HoldfastError(
    'HOLDFAST_FOREIGN',
    `${path} ${found} and is no log of a B+tree: give the store a directory of its own`,
  );
}

/**
 * A log of which more than the making of a tree has come is that of a store whose pages are gone.
 * @throws HOLDFAST_CORRUPTION
 */
async function refuseLostPages(vfs: Vfs, directory: string): Promise<void> {
  const path = join(directory, LOG_NAME);
  if (!(await isThere(vfs, join(path, WAL_POINTER_NAME)))) return;
  const { lastSequence, checkpoint } = await runLater(inspectWal(vfs, path));
  if (lastSequence <= 1 && checkpoint === null) return;
  throw new CorruptionError({
    path: join(directory, PAGES_NAME),
    offset: 0,
    expected: 'the pages of the store whose log is there (restore a backup)',
    found: 'no such file',
  });
}

/** A new log would begin with numbers that pages have already seen. @throws HOLDFAST_CORRUPTION */
async function requireLog(vfs: Vfs, directory: string): Promise<void> {
  const path = join(directory, LOG_NAME);
  if (await isThere(vfs, join(path, WAL_POINTER_NAME))) return;
  const expected = 'the log of the pages that are there (restore a backup)';
  throw new CorruptionError({ path, offset: 0, expected, found: 'none' });
}

async function openParts(
  settings: BtreeSettings,
  directory: string,
  opened: OpenedPages,
  wal: WriteAheadLog,
  created: boolean,
): Promise<BtreeParts> {
  const { pageBytes } = opened;
  const { pager, spill } = pagerOf(settings, directory, opened);
  await spill.remove();
  const poison = new Poison(directory);
  const log = new RedoLog(wal);
  pager.file.log = log;
  const { checkpoint, clock, dispatch } = settings;
  const upTo = wal.recovery.checkpoint?.upTo ?? 0;
  const logPath = join(directory, LOG_NAME);
  const { firstSequence } = wal.recovery;
  if (upTo < firstSequence - 1) throw checkpointGone(logPath, firstSequence);
  const bounds = { pageBytes, upTo, lastSequence: log.lastSequence };
  const found = await readDoubles(dispatch.vfs, directory, bounds);
  await settleDoubles(dispatch, found);
  await putBack(found.pages, pager.file);
  const doubles = {
    later: new DoubleWrite(dispatch, join(directory, DOUBLE_NAME), poison),
    now: new DoubleWrite(dispatch, join(directory, CALLING_DOUBLE_NAME), poison),
  };
  const checkpointer = new Checkpointer(pager, log, poison, checkpoint, clock, doubles, upTo);
  const done = await redo(wal.replay(upTo), pager, checkpointer, logPath);
  if (done.records > 0) log.replayed();
  await pin(pager, META_PAGE);
  const pages = pageCount(pager.meta.data);
  for (let first = 0; first < pages; first += regionPages(pageBytes)) {
    await pin(pager, freeListPageOf(first, pageBytes));
  }
  judgeLost(done.lost, pager);
  if (done.records > 0) forgetCut(pager, pages);
  const freeList = new FreeList(pager);
  const placer = new ValuePlacer(pager, freeList, log, poison, settings.aheadBytes);
  const writer = new TreeWriter(pager, freeList, placer);
  const commits = new CommitQueue(writer, log, checkpointer);
  const { dropped } = wal.recovery;
  const recovery: RecoveryReport = {
    created,
    clean: created || (done.records === 0 && dropped.length === 0),
    replayedBatches: created ? 0 : done.records,
    replayedBytes: created ? 0 : done.bytes,
    dropped,
  };
  return {
    directory,
    pager,
    log,
    writer,
    freeList,
    commits,
    checkpointer,
    spill,
    doubles,
    poison,
    recovery,
  };
}

/**
 * Gives an open tree's files back, with all pages in their file where that goes. REQUIRES: no call is
 * under way. @throws (rejects) the first failure; the files are given back all the same
 */
export async function closeBtree(parts: BtreeParts): Promise<void> {
  const { checkpointer, doubles, log, pager, spill, poison } = parts;
  let failure: { readonly error: unknown } | null = null;
  try {
    // With everything in the file, the next opening has nothing to do.
    const changed = pager.dirtyCount > 0 || log.needed;
    if (!poison.poisoned && changed) await checkpointer.checkpoint();
  } catch {
    // The log has everything that was acknowledged: recovery does what could not be done here.
  }
  await checkpointer.stop();
  await pager.settle();
  for (const part of [log, pager.file, doubles.later, doubles.now, spill]) {
    try {
      await part.close();
    } catch (error) {
      // The rest has to be given back all the same; the first failure is told.
      failure ??= { error };
    }
  }
  if (failure !== null) throw failure.error;
  poison.check();
}

function openLog(settings: BtreeSettings, directory: string): Promise<WriteAheadLog> {
  const { dispatch, clock, policy, options } = settings;
  return WriteAheadLog.open(join(directory, LOG_NAME), {
    dispatch,
    clock,
    sync: policy,
    ...(options.batch === undefined ? {} : { batch: options.batch }),
  });
}

function pagerOf(
  settings: BtreeSettings,
  directory: string,
  { file: handle, calling, pageBytes }: OpenedPages,
): { readonly pager: Pager; readonly spill: SpillFile } {
  const { dispatch, cacheBytes, versionsBytesMax, clock } = settings;
  const file = new PageFile(handle, pageBytes, dispatch, calling);
  const cache = new PageCache(pageBytes, cacheBytes);
  const spill = new SpillFile(dispatch.vfs, join(directory, SPILL_NAME), pageBytes);
  const versions = new PageVersions(cache, spill, versionsBytesMax);
  const speed = new ReadSpeed(dispatch.vfs === nodeVfs ? clock : null);
  return { pager: new Pager(file, cache, versions, spill, speed), spill };
}

/**
 * Lets pages go that redo has built and that a later record has cut off: where the file grows again
 * they are new, and one with the bits of a free list would be taken for that of its region.
 */
function forgetCut(pager: Pager, pages: number): void {
  pager.cache.forEach((frame) => {
    if (frame.number < pages) return;
    if (frame.dirty) pager.markClean(frame);
    pager.cache.drop(frame);
  });
}

/** Takes a page into memory for good. */
async function pin(pager: Pager, number: number): Promise<void> {
  let frame = pager.cache.peek(number);
  if (frame === undefined) {
    const data = pager.cache.takeBuffer();
    await pager.file.read(number, data);
    frame = pager.adopt(number, data, false);
  }
  pager.cache.pin(frame);
}

/**
 * The size of the pages of a file.
 * @throws HOLDFAST_FOREIGN, HOLDFAST_FORMAT; HOLDFAST_CORRUPTION for one too short to be anybody's
 */
export async function pageBytesIn(file: VfsFile): Promise<number> {
  const first = new Uint8Array(META_FIXED_BYTES);
  const count = await readFully(file, first, 0);
  const pageBytes = pageBytesOf(first.subarray(0, count), file.path);
  if (pageBytes !== null) return pageBytes;
  if (count < first.length) {
    const expected = 'the first page of a B+tree (repair it, or restore a backup)';
    throw new CorruptionError({ path: file.path, offset: 0, expected, found: `${count} bytes` });
  }
  throw new HoldfastError(
    'HOLDFAST_FOREIGN',
    `${file.path} does not begin as a B+tree of Holdfast does: it is another program's, or its ` +
      'first bytes are damaged',
  );
}
