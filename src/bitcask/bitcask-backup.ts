/**
 * Copies a store that is in use: files that no longer change, and what is durable of the log. The
 * copy's manifest comes first, under another name by which the directory is refused as a store, and
 * gets its own when all is there.
 */

import { join } from 'node:path';

import { CorruptionError } from '../base/errors.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import { makeEmptyDirectory } from '../durable/empty-directory.ts';
import { replacePointer } from '../durable/pointer-file.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import type { BackupReport, ProgressOptions } from '../engine/engine-reports.ts';
import { UNFINISHED } from '../engine/unfinished-name.ts';
import { readFully, writeFully } from '../vfs/transfer.ts';
import type { StoreParts } from './store-parts.ts';
import type { DataFile } from './data-file.ts';
import { dataFileName } from './entry-format.ts';
import { MANIFEST_NAME, encodeManifest } from './manifest.ts';
import type { ManifestFile } from './manifest.ts';

const COPY_BYTES = 1 << 20;

/**
 * Copies the state of the call: what readers see then, and nothing that is written after. REQUIRES:
 * a hold keeps the files.
 */
export async function backupStore(
  parts: StoreParts,
  directory: string,
  options: ProgressOptions,
): Promise<BackupReport> {
  const { dispatch } = parts.settings;
  const { current } = parts.keeper;
  const byNumber = new Map([...parts.files].map((file) => [file.number, file]));
  const { sequence } = parts.writer;
  const wanted = current.files.flatMap(({ number }) => {
    const file = byNumber.get(number);
    // Lengths and fingerprints of now: the log goes on growing.
    return file === undefined || file.entries === 0 ? [] : [manifestFile(file)];
  });
  // A crash must not take from the store what its copy shows.
  await parts.writer.sync();
  await makeEmptyDirectory(dispatch, directory);
  const manifest = { ...current, files: wanted, sequence, clock: parts.expiry.stored };
  const manifestPath = join(directory, MANIFEST_NAME);
  const unfinished = manifestPath + UNFINISHED;
  await replacePointer(dispatch.vfs, unfinished, encodeManifest(manifest));
  const total = wanted.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  const paths: string[] = [];
  for (const entry of wanted) {
    const source = byNumber.get(entry.number)!;
    const path = join(directory, dataFileName(entry.number));
    paths.push(path);
    await copyFile(dispatch, source, entry.length, path, options, (bytes) => {
      done += bytes;
      options.onProgress?.({ phase: 'copying', done, total, unit: 'bytes' });
    });
  }
  await dispatch.names(directory, paths);
  await new DurableDirectory(dispatch).rename(unfinished, manifestPath);
  return { directory, files: wanted.length + 1, bytes: total };
}

function manifestFile(file: DataFile): ManifestFile {
  const { number, length, merged, fingerprint } = file;
  return { number, length, open: false, merged, fingerprint };
}

async function copyFile(
  dispatch: SyncDispatch,
  source: DataFile,
  length: number,
  path: string,
  options: ProgressOptions,
  onCopied: (bytes: number) => void,
): Promise<void> {
  const copy = await dispatch.vfs.open(path, { write: true, create: true, exclusive: true });
  try {
    const buffer = new Uint8Array(Math.min(COPY_BYTES, length));
    for (let offset = 0; offset < length;) {
      options.signal?.throwIfAborted();
      const wanted = Math.min(buffer.length, length - offset);
      const count = await readFully(source.file, buffer, offset, 0, wanted);
      if (count < wanted) {
        throw new CorruptionError({
          path: source.path,
          offset: offset + count,
          expected: `${length} bytes`,
          found: 'the end of the file',
        });
      }
      await writeFully(copy, buffer, offset, 0, count);
      offset += count;
      onCopied(count);
    }
    await dispatch.bytes(copy);
  } finally {
    await copy.close();
  }
}
