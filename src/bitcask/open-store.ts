/**
 * Opens a store: lock, manifest, recovery (`recover-logs.ts` has the order), and a log to write to.
 * When it fails, nothing has changed and nothing is held.
 */

import { join } from 'node:path';

import { ReadSpeed } from '../base/read-speed.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import { readPointer } from '../durable/pointer-file.ts';
import { Poison } from '../durable/poison.ts';
import { existsError, missingError } from '../engine/engine-errors.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { errorCode } from '../vfs/errno.ts';
import { BitcaskEngine } from './bitcask-engine.ts';
import type { BitcaskSettings } from './bitcask-options.ts';
import { BlockCache } from './data-block-cache.ts';
import { FileTable } from './data-file.ts';
import { parseFileName } from './entry-format.ts';
import type { StoreFileName } from './entry-format.ts';
import { ExpiryClock } from './expiry-clock.ts';
import { writeHint } from './hint-writing.ts';
import { loadIndexFile } from './index-loading.ts';
import type { LoadedIndex } from './index-loading.ts';
import { KeyIndex } from './key-index.ts';
import { loadSealedFiles, openDataFile } from './load-files.ts';
import type { OpenedFile } from './load-files.ts';
import { createLog, withLog } from './log-file.ts';
import type { LogSurroundings } from './log-file.ts';
import { LogWriter } from './log-writer.ts';
import { ManifestKeeper } from './manifest-keeper.ts';
import { MANIFEST_NAME, decodeManifest } from './manifest.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import { readOpenLogs, recoveredFiles, rewriteDoubtful } from './recover-logs.ts';
import type { ReadLogs } from './recover-logs.ts';
import { StateHolds } from './state-holds.ts';
import type { KnownIndexFile } from './store-parts.ts';
import { refuseForeign, refuseLostManifest } from './store-presence.ts';

const NEW_STORE: Manifest = { nextFile: 1, sequence: 0, clock: 0, files: [] };

/** See `EngineKind.open`. */
export async function openStore(
  directory: string,
  settings: BitcaskSettings,
): Promise<BitcaskEngine> {
  const { dispatch, clock } = settings;
  const { vfs } = dispatch;
  if (!settings.createIfMissing) {
    await refuseMissing(vfs, directory);
  } else {
    await new DurableDirectory(dispatch, clock).mkdirAll(directory);
  }
  const lock = await DirectoryLock.acquire(directory, { vfs });
  const files = new FileTable();
  try {
    return await openLocked(directory, settings, lock, files);
  } catch (error) {
    // The first error is told; what was only read needs no care.
    for (const { file } of files) await file.close().catch(() => 'it was only read');
    await lock.release().catch(() => 'the first error is told');
    throw error;
  }
}

async function refuseMissing(vfs: Vfs, directory: string): Promise<void> {
  try {
    await vfs.stat(join(directory, MANIFEST_NAME));
  } catch (error) {
    // Whatever else is in the directory: without a manifest there is no store.
    if (errorCode(error) !== 'ENOENT') throw error;
    await refuseLostManifest(vfs, directory);
    throw missingError(directory);
  }
}

/** The manifest; null when there is no store. */
async function readManifest(
  directory: string,
  settings: BitcaskSettings,
): Promise<Manifest | null> {
  const { vfs } = settings.dispatch;
  const path = join(directory, MANIFEST_NAME);
  const payload = await readPointer(vfs, path);
  if (payload === null) {
    await refuseForeign(vfs, directory);
    await refuseLostManifest(vfs, directory);
    return null;
  }
  const manifest = decodeManifest(payload, path);
  if (settings.errorIfExists) {
    throw existsError(directory);
  }
  return manifest;
}

async function openLocked(
  directory: string,
  settings: BitcaskSettings,
  lock: DirectoryLock,
  files: FileTable,
): Promise<BitcaskEngine> {
  const { vfs } = settings.dispatch;
  const found = await readManifest(directory, settings);
  const names = await numbersOf(vfs, directory);
  const manifest = found ?? NEW_STORE;
  const nextFile = Math.max(manifest.nextFile, ...names.map(({ number }) => number + 1));
  const poison = new Poison(directory);
  const keeper = new ManifestKeeper(vfs, directory, poison, { ...manifest, nextFile });

  const sealed: OpenedFile[] = [];
  const open: OpenedFile[] = [];
  for (const entry of manifest.files) {
    const opened = await openDataFile(vfs, directory, files, entry);
    (entry.open ? open : sealed).push(opened);
  }
  const indexFile = await loadIndexFile(vfs, directory, names, sealed);
  const index = new KeyIndex(files, indexFile?.keydir, indexFile?.live.total);
  const others = sealed.slice(indexFile?.files.length ?? 0);
  const sealedClock = await loadSealedFiles(vfs, directory, others, index);
  const read = await readOpenLogs(open, index, manifest.sequence);
  const highest = Math.max(manifest.clock, indexFile?.clock ?? 0, sealedClock, read.clock);

  const around = logSurroundings(directory, settings, poison, files);
  const expiry = new ExpiryClock(settings.timeOfDay, highest);
  const kept = sealed.map(({ entry }) => entry);
  const writer = await recover({ around, keeper, index, expiry }, read, kept, settings.fileBytes);
  try {
    await forgetUnnamed(vfs, directory, files, keeper.current, indexFile?.number ?? 0);
    // Of files that had to be read: the next time they need not be.
    for (const data of files) if (data.sealed) await writeHint(vfs, data, expiry.stored);
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  return new BitcaskEngine({
    directory,
    settings,
    lock,
    poison,
    keeper,
    files,
    index,
    cache: new BlockCache(settings.cacheBytes),
    // Only the machine's own files can be known to be in memory.
    speed: new ReadSpeed(vfs === nodeVfs ? settings.clock : null),
    holds: new StateHolds(vfs, files, index),
    expiry,
    writer,
    indexFile: indexFile && knownIndex(indexFile),
    recovery: {
      created: found === null,
      clean: open.length === 0,
      replayedBatches: read.batches,
      replayedBytes: read.bytes,
      dropped: read.dropped,
    },
  });
}

function knownIndex({ number, files }: LoadedIndex): KnownIndexFile {
  return { number, numbers: files.map((file) => file.number) };
}

function logSurroundings(
  directory: string,
  { dispatch, clock, policy, bounds, preallocateBytes }: BitcaskSettings,
  poison: Poison,
  files: FileTable,
): LogSurroundings {
  return { directory, dispatch, clock, poison, policy, bounds, preallocateBytes, files };
}

/** What recovery works with. */
interface Recovering {
  readonly around: LogSurroundings;
  readonly keeper: ManifestKeeper;
  readonly index: KeyIndex;
  readonly expiry: ExpiryClock;
}

/** Steps 2 and 3 of recovery; gives the writer of the new log. `kept`: the sealed files. */
async function recover(
  { around, keeper, index, expiry }: Recovering,
  read: ReadLogs,
  kept: readonly ManifestFile[],
  fileBytes: number,
): Promise<LogWriter> {
  const { sequence } = read;
  const clock = expiry.stored;
  let writer: LogWriter | null = null;
  const log = await createLog(around, keeper.takeNumber(), (number, length) =>
    writer?.refused(number, length),
  );
  try {
    await rewriteDoubtful(read, log, index, fileBytes);
    const files = [...kept, ...recoveredFiles(read)];
    await keeper.change((old) => withLog({ ...old, files, sequence, clock }, log.data));
  } catch (error) {
    await log.append.close().catch(() => 'the first error is told');
    // After an unknown outcome the manifest may name it: then it must stay.
    if (!around.poison.poisoned) {
      await around.dispatch.vfs.unlink(log.data.path).catch(() => 'swept at the next open');
    }
    throw error;
  }
  writer = new LogWriter(around, keeper, index, expiry, fileBytes, log, sequence);
  return writer;
}

/**
 * Step 4. Files that come back after a crash are removed again at the next open. `indexNumber`: of the
 * index file that counts, 0 for none.
 */
async function forgetUnnamed(
  vfs: Vfs,
  directory: string,
  files: FileTable,
  manifest: Manifest,
  indexNumber: number,
): Promise<void> {
  const named = new Set(manifest.files.map(({ number }) => number));
  for (const data of files) {
    if (named.has(data.number)) continue;
    files.remove(data);
    await data.file.close();
  }
  for (const { name, number, kind } of await numbersOf(vfs, directory)) {
    if (kind === 'index' ? number === indexNumber : named.has(number)) continue;
    await vfs.unlink(join(directory, name)).catch(() => 'swept at the next open');
  }
}

async function numbersOf(
  vfs: Vfs,
  directory: string,
): Promise<(StoreFileName & { readonly name: string })[]> {
  const entries = await vfs.readDirectory(directory);
  return entries.flatMap(({ name }) => {
    const parsed = parseFileName(name);
    return parsed === null ? [] : [{ name, ...parsed }];
  });
}
