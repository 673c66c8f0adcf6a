/** What only a walk over a whole `FileTreeDirectory` can tell. Not here: anything that changes. */

import type { FileTreeDirectory, FileTreeNode } from './file-tree.ts';

export interface TreeCensus {
  /** Names of each numbered inode. */
  readonly links: ReadonlyMap<number, number>;
  readonly inodeMax: number;
  /** Bytes in all files, each file counted once. */
  readonly bytes: number;
}

/** Walks the tree once. Without a tree: nothing anywhere. */
export function censusOf(tree: FileTreeDirectory | null): TreeCensus {
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
    if (node.kind === 'file' && names === 1) bytes += node.content.length;
    if (node.kind === 'directory') for (const child of node.entries.values()) visit(child);
  };
  if (tree !== null) visit(tree);
  return { links, inodeMax, bytes };
}
