/**
 * A copy of one state of a tree in another directory, page by page, while writing goes on. The copy
 * has a log of its own that begins anew, so that its pages say they have seen nothing of it. From its
 * first file on the directory is refused as a store, until the pages get their name, which comes last.
 */

import { join } from 'node:path';

import { DurableDirectory } from '../durable/durable-directory.ts';
import { makeEmptyDirectory } from '../durable/empty-directory.ts';
import type { BackupReport, ProgressOptions } from '../engine/engine-reports.ts';
import { UNFINISHED } from '../engine/unfinished-name.ts';
import { writeFully } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { WriteAheadLog } from '../wal/write-ahead-log.ts';
import type { BtreeSettings } from './btree-options.ts';
import { LOG_NAME, PAGES_NAME } from './btree-parts.ts';
import type { BtreeParts } from './btree-parts.ts';
import { freeListPageOf, isUsed } from './free-list.ts';
import { META_PAGE, pageCount } from './meta-page.ts';
import { formatPage, sealPage, setPagePosition } from './page-format.ts';
import { PageMissing } from './pager.ts';
import { pageOf } from './tree-reader.ts';

/** Pages that are written in one go. */
const RUN_PAGES = 256;

export async function backUpBtree(
  parts: BtreeParts,
  settings: BtreeSettings,
  state: number,
  directory: string,
  options: ProgressOptions,
): Promise<BackupReport> {
  const { dispatch, clock } = settings;
  const { vfs } = dispatch;
  const durable = new DurableDirectory(dispatch, clock);
  await makeEmptyDirectory(dispatch, directory, clock);
  const path = join(directory, PAGES_NAME + UNFINISHED);
  const file = await vfs.open(path, { write: true, create: true, exclusive: true, noFollow: true });
  let bytes = 0;
  try {
    await dispatch.names(directory, [path]);
    const log = await WriteAheadLog.open(join(directory, LOG_NAME), { dispatch, clock });
    await log.close();
    const { pageBytes } = parts.pager;
    const pages = pageCount(await pageLater(parts, META_PAGE, state));
    const run = new Uint8Array(RUN_PAGES * pageBytes);
    for (let first = 0; first < pages; first += RUN_PAGES) {
      options.signal?.throwIfAborted();
      const count = Math.min(RUN_PAGES, pages - first);
      for (let index = 0; index < count; index++) {
        const page = run.subarray(index * pageBytes, (index + 1) * pageBytes);
        await copyPage(parts, first + index, state, page);
      }
      await writeFully(file, run, first * pageBytes, 0, count * pageBytes);
      bytes += count * pageBytes;
      const done = first + count;
      options.onProgress?.({ phase: 'copying pages', done, total: pages, unit: 'pages' });
    }
    await dispatch.bytes(file);
  } finally {
    await file.close();
  }
  await durable.rename(path, join(directory, PAGES_NAME));
  const logged = await sizesIn(vfs, join(directory, LOG_NAME));
  bytes += logged.reduce((sum, size) => sum + size, 0);
  return { directory, files: 1 + logged.length, bytes };
}

/** Of the files of a log, without what is nobody's. */
async function sizesIn(vfs: Vfs, directory: string): Promise<number[]> {
  const sizes: number[] = [];
  for (const { name, kind } of await vfs.readDirectory(directory)) {
    if (kind === 'file' && !name.startsWith('.')) {
      sizes.push((await vfs.stat(join(directory, name))).size);
    }
  }
  return sizes;
}

async function copyPage(
  parts: BtreeParts,
  number: number,
  state: number,
  target: Uint8Array,
): Promise<void> {
  const list = await pageLater(parts, freeListPageOf(number, target.length), state);
  if (isUsed(list, number)) target.set(await pageLater(parts, number, state));
  else formatPage(target, number, 0, 0);
  setPagePosition(target, 0);
  sealPage(target);
}

async function pageLater(parts: BtreeParts, number: number, state: number): Promise<Uint8Array> {
  for (;;) {
    try {
      return pageOf(parts.pager, number, state);
    } catch (error) {
      if (!(error instanceof PageMissing)) throw error;
      await parts.pager.bring(error);
    }
  }
}
