/**
 * The books of a `MemoryDisk`: how many names, numbers and bytes there are. What the original tree
 * had is counted once, and only when somebody asks.
 */

import type { FileTreeDirectory, FileTreeNode } from './file-tree.ts';

/** What only a walk over the whole tree can tell. */
interface TreeCensus {
  /** Names of each numbered inode. */
  readonly links: ReadonlyMap<number, number>;
  readonly inodeMax: number;
  /** Bytes in all files, each file counted once. */
  readonly bytes: number;
}

/** Counts of a disk that began as a tree. */
export class DiskAccount {
  /** Bytes that all files together may have. */
  capacityBytes: number;
  readonly #original: FileTreeDirectory | null;
  #census: TreeCensus | null = null;
  #inodesGiven = 0;
  #bytesGrown = 0;

  constructor(original: FileTreeDirectory | null, capacityBytes: number) {
    this.#original = original;
    this.capacityBytes = capacityBytes;
  }

  /** Names that an inode of the original tree had there. */
  originalLinks(inode: number): number {
    return this.#takeCensus().links.get(inode) ?? 0;
  }

  /** A number that no inode has. */
  newInode(): number {
    this.#inodesGiven++;
    return this.#takeCensus().inodeMax + this.#inodesGiven;
  }

  /** Bytes that files may still grow by. */
  roomBytes(): number {
    if (this.capacityBytes === Infinity) return Infinity;
    return Math.max(0, this.capacityBytes - this.#takeCensus().bytes - this.#bytesGrown);
  }

  /** A file grew by so many bytes, or shrank. */
  grow(bytes: number): void {
    this.#bytesGrown += bytes;
  }

  #takeCensus(): TreeCensus {
    return (this.#census ??= censusOf(this.#original));
  }
}

/** Walks the tree once. Without a tree: nothing anywhere. */
function censusOf(tree: FileTreeDirectory | null): TreeCensus {
  const links = new Map<number, number>();
  let inodeMax = 1;
  let bytes = 0;
  const visit = (node: FileTreeNode): void => {
    let names = 1;
    if (node.inode !== undefined) {
      names = (links.get(node.inode) ?? 0) + 1;
      links.set(node.inode, names);
      inodeMax = Math.max(inodeMax, node.inode);
    }
    if (node.kind === 'file' && names === 1) bytes += node.parts?.size ?? node.content.length;
    if (node.kind === 'directory') for (const child of node.entries.values()) visit(child);
  };
  if (tree !== null) visit(tree);
  return { links, inodeMax, bytes };
}
