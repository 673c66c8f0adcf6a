/**
 * The tree of a crash state that is decided only where somebody looks: a directory entry when it is looked up, all
 * of a directory's when it is listed, a mode or a content when it is read. Every answer goes into a transcript;
 * runs with equal transcripts saw the same disk, whatever else there is on it.
 */

import type {
  FileTreeDirectory,
  FileTreeFile,
  FileTreeNode,
  FileTreeSymlink,
} from '../../vfs/file-tree.ts';
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
