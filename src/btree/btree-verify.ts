/**
 * Reads a whole tree and says what is wrong: every page reachable or free exactly once, order, fill,
 * counts, and the checksum of every page in the file. Pages with changes that the file does not have
 * yet are looked at in memory.
 */

import { CorruptionError } from '../base/errors.ts';
import type { Damage, ProgressOptions, VerifyReport } from '../engine/engine-reports.ts';
import type { BtreeParts } from './btree-parts.ts';
import { META_PAGE, pageCount } from './meta-page.ts';
import { freeListPageOf, isUsed } from './free-list.ts';
import { PageMissing } from './pager.ts';
import { pageOf } from './tree-reader.ts';
import { TreeWalk } from './tree-check.ts';

/** Pages between two looks at the signal and two reports. */
const STEP_PAGES = 256;

export async function verifyBtree(
  parts: BtreeParts,
  state: number,
  options: ProgressOptions,
): Promise<VerifyReport> {
  const { pager } = parts;
  const { pageBytes, file } = pager;
  const damage: Damage[] = [];
  const walk = new TreeWalk((number) => pageOf(pager, number, state));
  let more = true;
  for (let steps = 1; more; steps++) {
    try {
      more = walk.step();
    } catch (error) {
      if (error instanceof CorruptionError) {
        walk.passOver(Math.floor(error.offset / pageBytes), error.message);
        continue;
      }
      if (!(error instanceof PageMissing)) throw error;
      const { number } = error;
      try {
        await pager.bring(error);
      } catch (failure) {
        if (!(failure instanceof CorruptionError)) throw failure;
        walk.passOver(number, failure.message);
      }
    }
    if (steps % STEP_PAGES === 0) {
      options.signal?.throwIfAborted();
      const total = Math.max(walk.pages * 2, 1);
      options.onProgress?.({ phase: 'walking the tree', done: walk.done, total, unit: 'pages' });
    }
  }
  const { faults, entries } = walk.census();
  for (const { number, message } of faults) {
    damage.push({ path: file.path, offset: number * pageBytes, message });
  }
  const bytes = await compareChecksums(parts, damage, options);
  return {
    sound: damage.length === 0,
    files: 1,
    bytes,
    entries: damage.length === 0 ? entries : undefined,
    damage,
  };
}

/** Reads every page of the file that has all of its page. Returns the bytes read. */
async function compareChecksums(
  parts: BtreeParts,
  damage: Damage[],
  options: ProgressOptions,
): Promise<number> {
  const { pager } = parts;
  const { pageBytes, file, cache } = pager;
  const known = new Set(damage.map(({ offset }) => offset));
  const page = new Uint8Array(pageBytes);
  let bytes = 0;
  let pages = pageCount(pager.view(META_PAGE));
  for (let number = 0; number < pages; number++) {
    pages = pageCount(pager.view(META_PAGE));
    const inFile = (): boolean => {
      const list = cache.peek(freeListPageOf(number, pageBytes));
      const used = list !== undefined && isUsed(list.visible ?? list.data, number);
      return used && cache.peek(number)?.dirty !== true;
    };
    if (inFile() && !known.has(number * pageBytes)) {
      try {
        await file.read(number, page);
        bytes += pageBytes;
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        // A page may be changed and written while it is read: then it is not damaged.
        if (inFile() && !(await readsWell(parts, number, page))) {
          damage.push({ path: file.path, offset: number * pageBytes, message: error.message });
        }
      }
    }
    if (number % STEP_PAGES === 0 || number === pages - 1) {
      options.signal?.throwIfAborted();
      const done = pages + number + 1;
      const total = pages * 2;
      options.onProgress?.({ phase: 'comparing checksums', done, total, unit: 'pages' });
    }
  }
  return bytes;
}

async function readsWell(parts: BtreeParts, number: number, page: Uint8Array): Promise<boolean> {
  try {
    await parts.pager.file.read(number, page);
    return true;
  } catch (error) {
    if (error instanceof CorruptionError) return false;
    throw error;
  }
}
