/**
 * The tree of a crash state that is decided only where somebody looks: a directory entry when it is looked up, all
 * of a directory's when it is listed, a mode, a size or a block when it is read. Every answer goes into a
 * transcript; runs with equal transcripts saw the same disk, whatever else there is on it.
 */

import { assert } from '../../base/assert.ts';
import type {
  FileTreeDirectory,
  FileTreeFile,
  FileTreeNode,
  FileTreeParts,
  FileTreeSymlink,
} from '../../vfs/file-tree.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import { ROOT_INODE } from '../record/operation.ts';
import type { InodeNumber } from '../record/operation.ts';
import type { CrashSpace } from './crash-space.ts';

/** What a reader was told, in order. */
export class ReadTranscript {
  text = '';

  note(what: string): void {
    this.text += `${what};`;
  }
}

/** REQUIRES: the tree is read only until the space begins another state. */
export function lazyCrashTree(space: CrashSpace, transcript: ReadTranscript): FileTreeDirectory {
  return new LazyDirectory(space, transcript, ROOT_INODE, []);
}

class LazyDirectory implements FileTreeDirectory {
  readonly kind = 'directory';
  readonly inode: number;
  readonly entries: ReadonlyMap<string, FileTreeNode>;
  readonly #space: CrashSpace;
  readonly #transcript: ReadTranscript;

  constructor(
    space: CrashSpace,
    transcript: ReadTranscript,
    inode: InodeNumber,
    above: readonly InodeNumber[],
  ) {
    this.inode = inode;
    this.#space = space;
    this.#transcript = transcript;
    this.entries = new LazyEntries(space, transcript, [...above, inode]);
  }

  get mode(): number {
    const mode = this.#space.mode(this.inode);
    this.#transcript.note(`${this.inode}m${mode}`);
    return mode;
  }
}

class LazyFile implements FileTreeFile {
  readonly kind = 'file';
  readonly inode: number;
  readonly #space: CrashSpace;
  readonly #transcript: ReadTranscript;

  #parts: LazyParts | null = null;

  constructor(space: CrashSpace, transcript: ReadTranscript, inode: InodeNumber) {
    this.inode = inode;
    this.#space = space;
    this.#transcript = transcript;
  }

  get mode(): number {
    const mode = this.#space.mode(this.inode);
    this.#transcript.note(`${this.inode}m${mode}`);
    return mode;
  }

  get content(): Uint8Array {
    const content = this.#space.content(this.inode);
    this.#transcript.note(`${this.inode}c${content.id}`);
    return content.bytes;
  }

  /** Undefined where data is journalled: there a file is decided as a whole. */
  get parts(): FileTreeParts | undefined {
    if (this.#space.history.model.data === 'stream') return undefined;
    return (this.#parts ??= new LazyParts(this.#space, this.#transcript, this.inode));
  }
}

/** A file of which the size is decided when it is asked for, and a block when it is read. */
class LazyParts implements FileTreeParts {
  readonly #space: CrashSpace;
  readonly #transcript: ReadTranscript;
  readonly #inode: InodeNumber;
  #size: number | null = null;
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(space: CrashSpace, transcript: ReadTranscript, inode: InodeNumber) {
    this.#space = space;
    this.#transcript = transcript;
    this.#inode = inode;
  }

  get size(): number {
    if (this.#size !== null) return this.#size;
    const size = this.#space.size(this.#inode);
    assert(size !== null, 'a file with parts has a size of its own');
    this.#transcript.note(`${this.#inode}s${size}`);
    return (this.#size = size);
  }

  read(target: Uint8Array, offset: number, length: number, position: number): void {
    assert(position + length <= this.size, 'a read of parts ends within the file');
    for (let at = position; at < position + length;) {
      const block = Math.floor(at / BLOCK_BYTES);
      const from = at - block * BLOCK_BYTES;
      const count = Math.min(BLOCK_BYTES - from, position + length - at);
      target.set(this.#block(block).subarray(from, from + count), offset + at - position);
      at += count;
    }
  }

  #block(block: number): Uint8Array {
    let bytes = this.#blocks.get(block);
    if (bytes === undefined) {
      const content = this.#space.block(this.#inode, block);
      this.#transcript.note(`${this.#inode}b${block}=${content.id}`);
      this.#blocks.set(block, (bytes = content.bytes));
    }
    return bytes;
  }
}

/** Looks names up one by one; anything that takes all of them decides all of them. */
class LazyEntries implements ReadonlyMap<string, FileTreeNode> {
  readonly #space: CrashSpace;
  readonly #transcript: ReadTranscript;
  /** The directory, last, and those above it: a loop that lost renames can make is not followed. */
  readonly #above: readonly InodeNumber[];
  readonly #known = new Map<string, FileTreeNode | undefined>();

  constructor(space: CrashSpace, transcript: ReadTranscript, above: readonly InodeNumber[]) {
    this.#space = space;
    this.#transcript = transcript;
    this.#above = above;
  }

  get(name: string): FileTreeNode | undefined {
    if (this.#known.has(name)) return this.#known.get(name);
    const directory = this.#above.at(-1) ?? ROOT_INODE;
    const inode = this.#space.entry(directory, name);
    const shown = inode === null || this.#above.includes(inode) ? null : inode;
    this.#transcript.note(`${directory}/${JSON.stringify(name)}=${shown ?? ''}`);
    const node = shown === null ? undefined : this.#node(shown);
    this.#known.set(name, node);
    return node;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  get size(): number {
    return [...this.entries()].length;
  }

  *entries(): MapIterator<[string, FileTreeNode]> {
    for (const name of this.#space.candidateNames(this.#above.at(-1) ?? ROOT_INODE)) {
      const node = this.get(name);
      if (node !== undefined) yield [name, node];
    }
  }

  *keys(): MapIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): MapIterator<FileTreeNode> {
    for (const [, node] of this.entries()) yield node;
  }

  [Symbol.iterator](): MapIterator<[string, FileTreeNode]> {
    return this.entries();
  }

  forEach(
    use: (node: FileTreeNode, name: string, map: ReadonlyMap<string, FileTreeNode>) => void,
  ): void {
    for (const [name, node] of this.entries()) use(node, name, this);
  }

  #node(inode: InodeNumber): FileTreeNode {
    const facts = this.#space.history.nodes.get(inode);
    if (facts?.kind === 'directory') {
      return new LazyDirectory(this.#space, this.#transcript, inode, this.#above);
    }
    if (facts?.kind === 'symlink') {
      return { kind: 'symlink', target: facts.target, inode } satisfies FileTreeSymlink;
    }
    return new LazyFile(this.#space, this.#transcript, inode);
  }
}
