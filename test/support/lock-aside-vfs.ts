/**
 * Keeps the lock files of directories in a file system of their own, so that explorations of what else is in a
 * directory do not multiply by what may be left of a lock that never syncs. The lock itself is explored in
 * `test/lab/durable-patterns.ts`, and beside a log in `test/lab/wal-stories.ts`. Processes that share a directory have
 * to share the wrapper.
 */

import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { DirectoryEntry, OpenOptions, VfsFile } from '../../src/vfs/vfs.ts';

const LOCK = /\/holdfast-lock-(\d+)$/;

export class LockAsideVfs extends ForwardingVfs {
  readonly #aside = new MemoryVfs();

  override async open(path: string, options: OpenOptions): Promise<VfsFile> {
    return LOCK.test(path) ? this.#aside.open(flat(path), options) : super.open(path, options);
  }

  override openSync(path: string, options: OpenOptions): VfsFile {
    return LOCK.test(path)
      ? this.#aside.openSync(flat(path), options)
      : super.openSync(path, options);
  }

  override async readDirectory(path: string): Promise<DirectoryEntry[]> {
    return [...(await super.readDirectory(path)), ...this.#locksOf(path)];
  }

  override readDirectorySync(path: string): DirectoryEntry[] {
    return [...super.readDirectorySync(path), ...this.#locksOf(path)];
  }

  override async unlink(path: string): Promise<void> {
    return LOCK.test(path) ? this.#aside.unlink(flat(path)) : super.unlink(path);
  }

  override unlinkSync(path: string): void {
    if (LOCK.test(path)) this.#aside.unlinkSync(flat(path));
    else super.unlinkSync(path);
  }

  #locksOf(path: string): DirectoryEntry[] {
    return this.#aside
      .readDirectorySync('/')
      .map((entry) => ({ ...entry, name: decodeURIComponent(entry.name) }))
      .filter(({ name }) => name.replace(LOCK, '') === path.replace(/\/$/, ''))
      .map((entry) => ({ ...entry, name: entry.name.slice(entry.name.lastIndexOf('/') + 1) }));
  }
}

/** One directory holds the locks of all. */
function flat(path: string): string {
  return `/${encodeURIComponent(path)}`;
}
