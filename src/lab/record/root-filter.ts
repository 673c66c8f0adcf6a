/**
 * Which paths and descriptors of a recorded Node process can concern the root. Keeps everything else out of the
 * log, and gives paths that come from elsewhere without links, so that a link outside that leads in is seen.
 */

import fs from 'node:fs';
import { dirname, posix } from 'node:path';

const { realpathSync, readlinkSync } = fs;

export class RootFilter {
  readonly root: string;
  readonly #inside = new Set<number>();
  readonly #outside = new Set<number>();

  /** @param root absolute, without links */
  constructor(root: string) {
    this.root = root;
  }

  /** A path as a call was given it, absolute. Not normalised: `link/..` is not what it looks like. */
  absolute(path: unknown): string | null {
    let text: string;
    if (typeof path === 'string') text = path;
    else if (ArrayBuffer.isView(path)) {
      text = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('utf8');
    } else return null;
    if (!text.startsWith('/')) text = `${process.cwd()}/${text}`;
    if (text.startsWith(`${this.root}/`) || text === this.root) return text;
    return withoutLinks(text);
  }

  /** As `absolute`; a link at the end of a path outside is followed, for calls that follow it. */
  followed(path: unknown): string | null {
    const text = this.absolute(path);
    if (text === null || this.isInside(text)) return text;
    try {
      const real = realpathSync.native(text);
      return this.isInside(real) ? real : text;
    } catch {
      // What is not there is no link.
      return text;
    }
  }

  /** Whether an absolute path begins in the root. Links in the root may still lead out. */
  isInside(path: string): boolean {
    return path === this.root || path.startsWith(`${this.root}/`);
  }

  opened(fd: number, inside: boolean): void {
    this.#inside.delete(fd);
    this.#outside.delete(fd);
    (inside ? this.#inside : this.#outside).add(fd);
  }

  closed(fd: number): void {
    this.#inside.delete(fd);
    this.#outside.delete(fd);
  }

  /** What a descriptor has open: a thing of the root, a file elsewhere, or something that is no file of ours. */
  descriptor(fd: number): 'inside' | 'outside' | 'other' {
    if (this.#inside.has(fd)) return 'inside';
    if (this.#outside.has(fd)) return 'outside';
    // Opened by another thread of this process, or inherited.
    if (process.platform !== 'linux') return 'inside';
    try {
      return this.isInside(readlinkSync(`/proc/self/fd/${fd}`)) ? 'inside' : 'other';
    } catch {
      // Not open: the call will fail with EBADF, and tells nothing.
      return 'other';
    }
  }
}

/** The path with the links of its directory followed as far as the directory is there. */
function withoutLinks(path: string): string {
  const name = posix.basename(path);
  const directory = dirname(path);
  if (directory === path) return path;
  try {
    const real = realpathSync.native(directory);
    return name === '..' || name === '.' ? posix.join(real, name) : posix.join(real, `/${name}`);
  } catch {
    // A directory that is missing has no links; its parents may.
    return posix.join(withoutLinks(directory), name);
  }
}
