/**
 * Watches the calls on a `MemoryVfs` and keeps a `PageCache` for every file that was opened: what
 * the disk would hold. It changes nothing and makes no call that the watched program could notice.
 */

import { errorCode } from './errno.ts';
import type { SystemErrorCode } from './errno.ts';
import type { FileTreeDirectory, FileTreeNode } from './file-tree.ts';
import type { MemoryVfs } from './memory-vfs.ts';
import { PageCache } from './page-cache.ts';
import { readWholeFileSync } from './transfer.ts';
import type { VfsCall } from './vfs-call.ts';
import type { OpenOptions, VfsFile } from './vfs.ts';

/** Says how an observed call ended: its result, and its error code or null. */
export type Settle = (result: unknown, code: string | null) => void;

interface TrackedFile {
  readonly cache: PageCache;
  /** Reads the file, also one without a name; open as long as the program has a handle. */
  reader: VfsFile | null;
  handles: number;
  /** Failures of its write-back so far, and the code of the last. */
  failures: number;
  failure: SystemErrorCode;
}

interface TrackedHandle {
  readonly file: TrackedFile;
  readonly durable: boolean;
  readonly appends: boolean;
  /** Of the file's failures, those that this description has told or that were before it. */
  told: number;
}

/** The page caches of a file system. */
export class PageTracker {
  readonly #memory: MemoryVfs;
  readonly #files = new Map<bigint, TrackedFile>();
  readonly #handles = new Map<object, TrackedHandle>();

  /** What `memory` holds now is taken to be on the disk. */
  constructor(memory: MemoryVfs) {
    this.#memory = memory;
  }

  /**
   * The error of a write-back that failed through another description of the file, which a sync (or
   * durable write) through this one tells, once; null: none.
   * @see https://man7.org/linux/man-pages/man2/fsync.2.html (EIO, since Linux 4.13)
   */
  owed(call: VfsCall): SystemErrorCode | null {
    const handle = this.#syncing(call);
    if (handle === undefined || handle.told === handle.file.failures) return null;
    handle.told = handle.file.failures;
    return handle.file.failure;
  }

  /** A call is about to fail with `code`: where it syncs, all other descriptions owe the error. */
  failing(call: VfsCall, code: SystemErrorCode): void {
    const handle = this.#syncing(call);
    if (handle === undefined || code === 'EINTR') return;
    // A durable write without room may not have come as far as its sync.
    if (call.name === 'file.write' && code !== 'EIO') return;
    handle.file.failure = code;
    handle.told = ++handle.file.failures;
  }

  /** The description through which a call writes back. */
  #syncing(call: VfsCall): TrackedHandle | undefined {
    const handle = call.handle === undefined ? undefined : this.#handles.get(call.handle);
    const syncs = call.name === 'file.sync' || call.name === 'file.datasync';
    return syncs || (call.name === 'file.write' && handle?.durable === true) ? handle : undefined;
  }

  /**
   * A call is about to be made, and will fail where it is `doomed`. The function returned must be
   * called when it ended.
   */
  observe(call: VfsCall, doomed: boolean = false): Settle {
    if (call.name === 'open') return this.#observeOpen(call);
    const handle = call.handle === undefined ? undefined : this.#handles.get(call.handle);
    if (handle === undefined) return ignore;
    switch (call.name) {
      case 'file.write':
        return observeWrite(handle, call);
      case 'file.truncate':
        return (_, code) => {
          if (code === null) handle.file.cache.truncated(call.size ?? 0);
        };
      case 'file.sync':
      case 'file.datasync':
        return observeSync(handle.file, doomed);
      case 'file.close':
        return () => this.#closed(call, handle.file);
      default:
        return ignore;
    }
  }

  /** Whether the handle of `call` was opened with `sync`. */
  isDurable(call: VfsCall): boolean {
    return call.handle !== undefined && this.#handles.get(call.handle)?.durable === true;
  }

  /** All names with the bytes that the disk holds; with `written`, dirty pages too. */
  disk(written: boolean): FileTreeDirectory {
    return this.#diskOf(this.#memory.toTree(), '', written);
  }

  #diskOf(directory: FileTreeDirectory, path: string, written: boolean): FileTreeDirectory {
    const entries = new Map<string, FileTreeNode>();
    for (const [name, node] of directory.entries) {
      const at = `${path}/${name}`;
      if (node.kind === 'directory') entries.set(name, this.#diskOf(node, at, written));
      else if (node.kind === 'symlink') entries.set(name, node);
      else entries.set(name, { ...node, content: this.#contentOf(at, node.content, written) });
    }
    return { ...directory, entries };
  }

  #contentOf(path: string, content: Uint8Array, written: boolean): Uint8Array {
    const file = this.#files.get(this.#memory.lstatSync(path).inode);
    if (file === undefined) return content;
    if (!written) return file.cache.onDisk();
    const reader = this.#memory.openSync(path, { read: true });
    try {
      return file.cache.ifWritten(reader);
    } finally {
      reader.closeSync();
    }
  }

  #observeOpen(call: VfsCall): Settle {
    const options = call.options ?? {};
    // What a truncation takes is still on the disk: it must be seen before.
    if (options.truncate === true) this.#find(call.path)?.reader.closeSync();
    return (result, code) => {
      if (code === null) this.#opened(result as VfsFile, call.path, options);
    };
  }

  #opened(handle: VfsFile, path: string, options: OpenOptions): void {
    const found = this.#find(path);
    if (found === null) return;
    const { file, reader } = found;
    if (file.reader === null) file.reader = reader;
    else reader.closeSync();
    file.handles++;
    if (options.truncate === true) file.cache.truncated(0);
    this.#handles.set(handle, {
      file,
      durable: options.sync !== undefined,
      appends: options.append === true,
      told: file.failures,
    });
  }

  /**
   * The file that `path` leads to, with a reader that the caller owns; null where there is none.
   */
  #find(path: string): { file: TrackedFile; reader: VfsFile } | null {
    let reader: VfsFile;
    try {
      reader = this.#memory.openSync(path, { read: true });
    } catch (error) {
      // A path without a file: the program's own call says so, or creates it.
      if (errorCode(error) === undefined) throw error;
      return null;
    }
    const { kind, inode } = reader.statSync();
    if (kind !== 'file') {
      reader.closeSync();
      return null;
    }
    let file = this.#files.get(inode);
    if (file === undefined) {
      const content = readWholeFileSync(this.#memory, path);
      const cache = new PageCache(content);
      file = { cache, reader: null, handles: 0, failures: 0, failure: 'EIO' };
      this.#files.set(inode, file);
    }
    return { file, reader };
  }

  #closed(call: VfsCall, file: TrackedFile): void {
    if (call.handle !== undefined) this.#handles.delete(call.handle);
    file.handles--;
    if (file.handles > 0) return;
    file.reader?.closeSync();
    file.reader = null;
  }
}

function observeWrite({ file, durable, appends }: TrackedHandle, call: VfsCall): Settle {
  const { reader, cache } = file;
  const end = appends ? reader?.statSync().size : undefined;
  const position = end ?? call.transfer?.position ?? 0;
  return (result, code) => {
    if (typeof result !== 'number' || result === 0) return;
    cache.wrote(position, result);
    if (!durable || reader === null) return;
    const writeback = cache.start(reader, position, position + result);
    if (code === null) cache.finish(writeback);
    else cache.fail(writeback);
  };
}

function observeSync({ reader, cache }: TrackedFile, doomed: boolean): Settle {
  if (reader === null) return ignore;
  const writeback = cache.start(reader, 0, Infinity, doomed);
  return (_, code) => {
    if (code === null) cache.finish(writeback);
    else if (code === 'EINTR') cache.abandon(writeback);
    else cache.fail(writeback);
  };
}

function ignore(): void {
  // Calls that change neither bytes nor what is open.
}
