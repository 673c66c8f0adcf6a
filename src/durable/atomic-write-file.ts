/**
 * `writeFile` and `writeFileSync` of `holdfast/durable`: the calls of `write-file-atomic` (and, for
 * the common options, of `node:fs`), over `AtomicFile` on the machine's file system. Only arguments
 * are handled here.
 */

import { nodeVfs } from '../vfs/node-vfs.ts';
import type { FileOwnership } from './atomic-attributes.ts';
import { AtomicFile, replaceSystem } from './atomic-file.ts';
import type { ReplaceOptions } from './atomic-file.ts';
import { checkMode, checkPath, kind } from './call-checks.ts';
import { TemporaryFilesAtExit } from './temporary-file-exit.ts';

/** Text, bytes, or nothing at all for an empty file. */
export type WriteFileData = string | NodeJS.ArrayBufferView | null | undefined;

/** The options of `write-file-atomic`. */
export interface WriteFileOptions {
  /**
   * Permission bits of the file, exactly these whatever the umask; text is read as octal. Default:
   * those of the file that is replaced, or 0o666 less the umask. `false`: 0o666 less the umask in
   * any case.
   */
  readonly mode?: number | string | false | undefined;
  /**
   * Owner and group, both. Default: those of the file that is replaced, as far as the system lets
   * this user keep them. `false`: those of this process.
   */
  readonly chown?: FileOwnership | false | undefined;
  /** How text becomes bytes. Default utf8. */
  readonly encoding?: BufferEncoding | null | undefined;
  /**
   * `false`: no sync at all. Running programs still see the old file or the new one; a power cut
   * may leave the old one, the new one, or an empty or partly written one. Default true.
   */
  readonly fsync?: boolean | undefined;
  /**
   * Called with the path of the temporary file when it has been made; awaited by the asynchronous
   * form.
   */
  readonly tmpfileCreated?: ((path: string) => unknown) | undefined;
}

/** Called once, with null or the error. */
export type WriteFileCallback = (error: Error | null) => void;

/**
 * Replaces a file as a whole, or makes it: data goes to a temporary file beside it, is synced,
 * takes the file's name, and the directory is synced. Links are followed; permission bits and owner
 * are kept. Calls for one file take effect one after the other, in their order; `data` must not
 * change until then.
 *
 * When it resolves, the new file is there for every reader, and after a power cut. When it rejects,
 * `error.code` is the operating system's and `error.outcome` says which file is there: `'old'`, or
 * `'unknown'` when the new one is in place and a power cut may still bring the old one back. In no
 * case a mixture.
 *
 * @throws TypeError for arguments that cannot be meant; FileChangeError for a failed system call
 */
export function writeFile(
  path: string | URL,
  data: WriteFileData,
  options?: WriteFileOptions | BufferEncoding | null,
): Promise<void>;
export function writeFile(
  path: string | URL,
  data: WriteFileData,
  callback: WriteFileCallback,
): void;
export function writeFile(
  path: string | URL,
  data: WriteFileData,
  options: WriteFileOptions | BufferEncoding | null | undefined,
  callback: WriteFileCallback,
): void;
export function writeFile(
  path: string | URL,
  data: WriteFileData,
  optionsOrCallback?: WriteFileOptions | BufferEncoding | null | WriteFileCallback,
  lastCallback?: WriteFileCallback,
): Promise<void> | void {
  if (lastCallback !== undefined && typeof lastCallback !== 'function') {
    throw new TypeError(`the callback must be a function, not ${kind(lastCallback)}`);
  }
  const callback = typeof optionsOrCallback === 'function' ? optionsOrCallback : lastCallback;
  const options = typeof optionsOrCallback === 'function' ? undefined : optionsOrCallback;
  const written = write(path, data, options);
  if (callback === undefined) return written;
  // Outside of the promise, so that what the callback throws is an uncaught exception and not a
  // rejection.
  written.then(
    () => process.nextTick(callback, null),
    (error: unknown) => process.nextTick(callback, error),
  );
}

/** As `writeFile`, on the calling thread. Overtakes asynchronous calls that are under way. */
export function writeFileSync(
  path: string | URL,
  data: WriteFileData,
  options?: WriteFileOptions | BufferEncoding | null,
): void {
  const checked = checkOptions(options);
  atomicFile().replaceSync(checkPath(path), toBytes(data, checked.encoding), checked);
}

/** Async, so that a wrong argument rejects like everything else. */
async function write(
  path: string | URL,
  data: WriteFileData,
  options: WriteFileOptions | BufferEncoding | null | undefined,
): Promise<void> {
  const checked = checkOptions(options);
  await atomicFile().replace(checkPath(path), toBytes(data, checked.encoding), checked);
}

function toBytes(data: WriteFileData, encoding: BufferEncoding): Uint8Array {
  if (data === undefined || data === null) return new Uint8Array(0);
  if (typeof data === 'string') return Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  throw new TypeError(`data must be text or a view of bytes, not ${kind(data)}`);
}

function checkOptions(
  given: WriteFileOptions | BufferEncoding | null | undefined,
): ReplaceOptions & { readonly encoding: BufferEncoding } {
  const options = typeof given === 'string' ? { encoding: given } : (given ?? {});
  if (typeof options !== 'object') {
    throw new TypeError(`options must be an object or an encoding, not ${kind(given)}`);
  }
  refuseOthers({ ...options });
  const { chown, encoding, tmpfileCreated } = options;
  if (tmpfileCreated !== undefined && typeof tmpfileCreated !== 'function') {
    throw new TypeError(`tmpfileCreated must be a function, not ${kind(tmpfileCreated)}`);
  }
  if (typeof chown === 'object' && !(isId(chown.uid) && isId(chown.gid))) {
    throw new TypeError('chown must have a uid and a gid, both whole numbers');
  }
  return {
    mode: options.mode === false ? false : checkMode(options.mode),
    chown: chown ?? undefined,
    encoding: encoding ?? 'utf8',
    sync: options.fsync !== false,
    onTemporaryFile: tmpfileCreated,
  };
}

/** Options of `node:fs` that ask for something else than a replacement: ignoring them would lose data. */
function refuseOthers(options: Readonly<Record<string, unknown>>): void {
  const { flag, signal } = options;
  if (flag !== undefined && flag !== null && flag !== 'w') {
    throw new TypeError('flag can only be w: writeFile replaces the whole file');
  }
  if (signal !== undefined && signal !== null) {
    throw new TypeError('signal is not possible: a replacement cannot be abandoned half way');
  }
}

function isId(id: unknown): boolean {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 2 ** 32;
}

let file: AtomicFile | undefined;

/** Made at first use: importing this module touches nothing. */
function atomicFile(): AtomicFile {
  file ??= new AtomicFile(replaceSystem(nodeVfs, { atExit: new TemporaryFilesAtExit() }));
  return file;
}
