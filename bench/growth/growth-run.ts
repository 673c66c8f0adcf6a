/**
 * How the cost of an engine grows: with the number of entries, and with the size of values. One store after the
 * other, each in a process of its own, of which the figures are those of a single pass: shapes, not ratios, are what
 * this run is for.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ContestantHandle } from '../engines/contestant-handle.ts';
import { directoryBytes } from '../engines/directory-bytes.ts';
import type { Answer } from '../engines/tasks.ts';

/** One store: how many entries, of which size. */
export interface GrowthPoint {
  readonly engine: string;
  readonly entries: number;
  readonly valueBytes: number;
}

/** What was measured of one store; rates are a second. */
export interface GrowthFigures extends GrowthPoint {
  readonly load: number;
  readonly stallMs: number;
  readonly peakBytes: number;
  readonly diskBytes: number;
  readonly openMs: number;
  /** The first reads after opening; from the disk itself where the page cache could be dropped. */
  readonly coldGetMs: number;
  readonly isCold: boolean;
  readonly getSync: number;
  readonly get: number;
  /** The first scan after opening, cold as the first reads are. */
  readonly coldScan: number;
  readonly scan: number;
  readonly putSync: number;
  /** Durable, by 64 callers that await. */
  readonly put: number;
}

/** Bytes of one batch of the load, at most a thousand entries. */
const BATCH_BYTES = 4 << 20;
const COLD_GETS = 200;
const READ_BYTES = 64 << 20;
const PUTS = 60;
const CALLERS = 64;
/** Durable puts by many callers, as many as make so many bytes. */
const PUT_BYTES = 16 << 20;
const PUTS_MAX = 19_200;
const KEY_BYTES = 16;

/** A point that was given up because it took too long. */
export class TooLong extends Error {}

/** @throws TooLong when it takes more than so many seconds */
export async function measureGrowth(
  point: GrowthPoint,
  directory: string,
  secondsMax: number,
): Promise<GrowthFigures> {
  const { engine, entries, valueBytes } = point;
  const setting = {
    contestant: `holdfast ${engine}`,
    directory: join(directory, engine),
    valueBytes,
  };
  rmSync(setting.directory, { recursive: true, force: true });
  const handles: ContestantHandle[] = [];
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    for (const handle of handles) void handle.kill();
  }, secondsMax * 1000);
  const start = async (): Promise<ContestantHandle> => {
    const handle = await ContestantHandle.start(setting);
    handles.push(handle);
    if (isLate) throw new TooLong('late before it began');
    return handle;
  };
  try {
    const loading = await start();
    await loading.do({ do: 'open', use: 'load' });
    const batch = Math.max(1, Math.min(1000, Math.floor(BATCH_BYTES / (valueBytes + KEY_BYTES))));
    const load = await loading.do({ do: 'load', from: 0, entries, batch });
    await loading.do({ do: 'settle' });
    await loading.end();
    const diskBytes = directoryBytes(setting.directory);
    const isCold = dropPageCache();
    const serving = await start();
    const open = await serving.do({ do: 'open', use: 'serve' });
    const entryBytes = valueBytes + KEY_BYTES;
    const reads = Math.max(100, Math.min(20_000, Math.floor(READ_BYTES / entryBytes)));
    const cold = await serving.do({ do: 'get-sync', entries, count: COLD_GETS, seed: 5 });
    // From here on everything is in the page cache, and as much in the store's own as it takes.
    const coldScan = await serving.do({ do: 'scan' });
    const scan = await serving.do({ do: 'scan' });
    await serving.do({ do: 'get-sync', entries, count: reads, seed: 1 });
    const getSync = await serving.do({ do: 'get-sync', entries, count: reads, seed: 2 });
    const gets = Math.max(50, Math.floor(reads / 5));
    const get = await serving.do({ do: 'get', entries, count: gets, callers: 1, seed: 3 });
    const putSync = await serving.do({ do: 'put-sync', from: entries, count: PUTS });
    const count = Math.max(CALLERS, Math.min(PUTS_MAX, Math.floor(PUT_BYTES / entryBytes)));
    const put = await serving.do({ do: 'put', from: entries + PUTS, count, callers: CALLERS });
    await serving.end();
    return {
      ...point,
      load: rate(load),
      stallMs: load.worstMs ?? 0,
      peakBytes: load.peakBytes ?? 0,
      diskBytes,
      openMs: open.ms,
      coldGetMs: cold.ms / cold.count,
      isCold,
      getSync: rate(getSync),
      get: rate(get),
      coldScan: rate(coldScan),
      scan: rate(scan),
      putSync: rate(putSync),
      put: rate(put),
    };
  } catch (error) {
    throw isLate ? new TooLong(`more than ${secondsMax} s`) : error;
  } finally {
    clearTimeout(timer);
    await Promise.all(handles.map((handle) => handle.kill()));
    rmSync(setting.directory, { recursive: true, force: true });
  }
}

function rate({ count, ms }: Answer): number {
  return (count / ms) * 1000;
}

/** Clean pages of the page cache are given up, which only root may ask for; false where it could not be. */
function dropPageCache(): boolean {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return true;
  } catch {
    // Not Linux or not root: then the first reads after opening come from the page cache.
    return false;
  }
}
