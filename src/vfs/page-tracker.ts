/**
 * Watches the calls on a `MemoryVfs` and keeps a `PageCache` for every file that was opened: what
 * the disk would hold. It changes nothing and makes no call that the watched program could notice.
 */

import { errorCode } from './errno.ts';
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
}

interface TrackedHandle {
  readonly file: TrackedFile;
  readonly durable: boolean;
  readonly appends: boolean;
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

  /** A call is about to be made. The function returned must be called when it ended. */
  observe(call: VfsCall): Settle {
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
        return observeSync(handle.file);
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
      file = { cache: new PageCache(content), reader: null, handles: 0 };
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

function observeSync({ reader, cache }: TrackedFile): Settle {
  if (reader === null) return ignore;
  const writeback = cache.start(reader);
  return (_, code) => {
    if (code === null) cache.finish(writeback);
    else if (code === 'EINTR') cache.abandon(writeback);
    else cache.fail(writeback);
  };
}

function ignore(): void {
  // Calls that change neither bytes nor what is open.
}
