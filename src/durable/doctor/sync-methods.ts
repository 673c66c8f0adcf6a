/**
 * The ways to make something durable that `--measure` compares, each as one step on its own files, and two reads
 * that show what an awaited call costs beside a synchronous one. Synchronous calls straight to the operating system:
 * what is timed is the disk, not the thread pool.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../vfs/errno.ts';

export type SyncMethodId =
  | 'overwrite'
  | 'overwrite-fdatasync'
  | 'overwrite-dsync'
  | 'append-fdatasync'
  | 'append-fsync'
  | 'append-dsync'
  | 'create-directory-sync'
  | 'replace'
  | 'read'
  | 'read-awaited';

/** A method with its files open. */
export interface SyncMethod {
  readonly id: SyncMethodId;
  readonly label: string;
  readonly writeBytes: number;
  /** Why it does not work here: an error code; null while it does. */
  refused: string | null;
  /** Does it once. `round` counts from 0. */
  run(round: number): void | Promise<void>;
  /** Closes its files. */
  close(): void;
}

const WRITE_BYTES = 4096;
const FILE_BYTES = 1024 * 1024;
const BLOCK = new Uint8Array(WRITE_BYTES).fill(0x5a);

const NOT_HERE = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
/** What Windows answers to a directory that is opened for syncing. */
const NOT_ON_WINDOWS = new Set(['EISDIR', 'EPERM', 'EACCES']);

/** The error's code where it means "this file system has no such call", else null. */
export function refusalCode(error: unknown): string | null {
  const code = errorCode(error) ?? '';
  const refused = NOT_HERE.has(code) || (process.platform === 'win32' && NOT_ON_WINDOWS.has(code));
  return refused ? code : null;
}

/** Makes the files in `scratch`, an empty directory, and the methods on them. The caller closes each. */
export function openSyncMethods(scratch: string): SyncMethod[] {
  const made: SyncMethod[] = [];
  const dsync = fs.constants.O_DSYNC;
  const inPlace = join(scratch, 'overwrite');
  writeDurably(inPlace, FILE_BYTES);
  try {
    const add = (method: SyncMethod): void => void made.push(method);
    add(overwrite('overwrite', 'overwrite 4 KiB, no sync', inPlace, 0, () => undefined));
    add(
      overwrite('overwrite-fdatasync', 'overwrite + fdatasync', inPlace, 0, (fd) => {
        fs.fdatasyncSync(fd);
      }),
    );
    add(overwrite('overwrite-dsync', 'overwrite, O_DSYNC', inPlace, dsync, () => undefined));
    add(append('append-fdatasync', 'append + fdatasync', scratch, 0, fs.fdatasyncSync));
    add(append('append-fsync', 'append + fsync', scratch, 0, fs.fsyncSync));
    add(append('append-dsync', 'append, O_DSYNC', scratch, dsync, () => undefined));
    add(createFiles(scratch));
    add(replaceFile(scratch));
    add(read(inPlace));
    add(readAwaited(inPlace));
    return made;
  } catch (error) {
    // The files that are open would keep the directory from being removed on Windows.
    for (const method of made) method.close();
    throw error;
  }
}

type SyncCall = (fd: number) => void;

/** `flag` undefined: the platform has no such open flag. */
function overwrite(
  id: SyncMethodId,
  label: string,
  path: string,
  flag: number | undefined,
  sync: SyncCall,
): SyncMethod {
  if (flag === undefined) return missing(id, label);
  const fd = fs.openSync(path, fs.constants.O_WRONLY | flag);
  return onFile(id, label, fd, (round) => {
    writeFully(fd, (round * WRITE_BYTES) % FILE_BYTES);
    sync(fd);
  });
}

function append(
  id: SyncMethodId,
  label: string,
  scratch: string,
  flag: number | undefined,
  sync: SyncCall,
): SyncMethod {
  if (flag === undefined) return missing(id, label);
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  const fd = fs.openSync(join(scratch, id), O_WRONLY | O_CREAT | O_EXCL | flag);
  return onFile(id, label, fd, (round) => {
    writeFully(fd, round * WRITE_BYTES);
    sync(fd);
  });
}

function createFiles(scratch: string): SyncMethod {
  const directory = join(scratch, 'names');
  fs.mkdirSync(directory);
  return {
    ...shape('create-directory-sync', 'new file + directory sync'),
    run(round) {
      fs.closeSync(fs.openSync(join(directory, `n${round}`), 'wx'));
      syncDirectory(directory);
    },
    close: () => undefined,
  };
}

function replaceFile(scratch: string): SyncMethod {
  const directory = join(scratch, 'replace');
  fs.mkdirSync(directory);
  return {
    ...shape('replace', 'replace a file: write, sync, rename, sync'),
    run() {
      const temporary = join(directory, 'new');
      writeDurably(temporary, WRITE_BYTES);
      fs.renameSync(temporary, join(directory, 'target'));
      syncDirectory(directory);
    },
    close: () => undefined,
  };
}

function read(path: string): SyncMethod {
  const fd = fs.openSync(path, 'r');
  const buffer = new Uint8Array(64);
  return onFile('read', 'read 64 bytes, synchronous', fd, () => {
    fs.readSync(fd, buffer, 0, buffer.length, 0);
  });
}

function readAwaited(path: string): SyncMethod {
  const fd = fs.openSync(path, 'r');
  const buffer = new Uint8Array(64);
  return onFile('read-awaited', 'read 64 bytes, awaited', fd, async () => {
    await new Promise<void>((resolve, reject) => {
      fs.read(fd, buffer, 0, buffer.length, 0, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  });
}

function shape(
  id: SyncMethodId,
  label: string,
): Pick<SyncMethod, 'id' | 'label' | 'writeBytes' | 'refused'> {
  return { id, label, writeBytes: WRITE_BYTES, refused: null };
}

function onFile(id: SyncMethodId, label: string, fd: number, run: SyncMethod['run']): SyncMethod {
  return { ...shape(id, label), run, close: () => fs.closeSync(fd) };
}

function missing(id: SyncMethodId, label: string): SyncMethod {
  return {
    ...shape(id, label),
    refused: 'no such open flag on this platform',
    run: () => undefined,
    close: () => undefined,
  };
}

function writeDurably(path: string, bytes: number): void {
  const fd = fs.openSync(path, 'w');
  try {
    for (let offset = 0; offset < bytes; offset += WRITE_BYTES) writeFully(fd, offset);
    fs.fdatasyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** A write may be short: on a full disk the next one then says so. */
function writeFully(fd: number, position: number): void {
  let done = 0;
  while (done < WRITE_BYTES) {
    done += fs.writeSync(fd, BLOCK, done, WRITE_BYTES - done, position + done);
  }
}

function syncDirectory(directory: string): void {
  const fd = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
