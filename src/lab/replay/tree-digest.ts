/**
 * A stable digest of a file tree: names, kinds, permission bits, contents and link targets. Two trees with equal
 * digests look the same to a program that only reads them. Inode numbers, and therefore which names are hard
 * links of one file, do not enter it.
 */

import { createHash } from 'node:crypto';
import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';

/**
 * SHA-256 of the tree in lower-case hex. The order in which a directory's entries were added does not matter.
 * Contents are taken as immutable: the digest of an array that was seen before is remembered with it.
 */
export function treeDigest(tree: FileTreeDirectory): string {
  return nodeDigest(tree).toString('hex');
}

const contentDigests = new WeakMap<Uint8Array, Buffer>();

function nodeDigest(node: FileTreeNode): Buffer {
  // Every part is either of fixed length or preceded by its length, so no two trees share an encoding.
  const hash = createHash('sha256');
  if (node.kind === 'file') {
    hash.update(`f${node.mode.toString(8)}:${node.content.length}:`);
    hash.update(contentDigest(node.content));
  } else if (node.kind === 'symlink') {
    hash.update(`l${Buffer.byteLength(node.target)}:`);
    hash.update(node.target);
  } else {
    hash.update(`d${node.mode.toString(8)}:${node.entries.size}:`);
    const names = [...node.entries.keys()].toSorted();
    for (const name of names) {
      const child = node.entries.get(name);
      if (child === undefined) continue;
      hash.update(`${Buffer.byteLength(name)}:${name}`);
      hash.update(nodeDigest(child));
    }
  }
  return hash.digest();
}

/** SHA-256 of a content, computed once per array. The result is shared: do not modify it. */
export function contentDigest(content: Uint8Array): Buffer {
  let digest = contentDigests.get(content);
  if (digest === undefined) {
    digest = createHash('sha256').update(content).digest();
    contentDigests.set(content, digest);
  }
  return digest;
}
