/**
 * File trees for tests, written as nested objects: a string or bytes is a file, an object a
 * directory.
 */

import type { FileTreeDirectory, FileTreeFile, FileTreeNode } from '../../src/vfs/file-tree.ts';

/** What a name stands for: a ready node is taken as it is. */
export type TreeSketch = {
  readonly [name: string]: string | Uint8Array | FileTreeNode | TreeSketch;
};

/** `{ a: 'text', d: { b: bytes } }` as a tree: files with mode 0o644, directories with 0o755. */
export function fileTree(sketch: TreeSketch): FileTreeDirectory {
  const entries = new Map<string, FileTreeNode>();
  for (const [name, value] of Object.entries(sketch)) entries.set(name, toNode(value));
  return { kind: 'directory', mode: 0o755, entries };
}

/** A file as a tree node. */
export function treeFile(content: string | Uint8Array, inode?: number): FileTreeFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const node: FileTreeFile = { kind: 'file', mode: 0o644, content: bytes };
  return inode === undefined ? node : { ...node, inode };
}

/**
 * The tree as nested objects with text for content, for comparing and printing; links as `->
 * target`.
 */
export function sketchOf(tree: FileTreeDirectory): Record<string, unknown> {
  const sketch: Record<string, unknown> = {};
  for (const name of [...tree.entries.keys()].toSorted()) {
    const node = tree.entries.get(name);
    if (node?.kind === 'directory') sketch[name] = sketchOf(node);
    if (node?.kind === 'symlink') sketch[name] = `-> ${node.target}`;
    if (node?.kind === 'file') sketch[name] = new TextDecoder().decode(node.content);
  }
  return sketch;
}

function toNode(value: TreeSketch[string]): FileTreeNode {
  if (typeof value === 'string' || value instanceof Uint8Array) return treeFile(value);
  return isNode(value) ? value : fileTree(value);
}

function isNode(value: FileTreeNode | TreeSketch): value is FileTreeNode {
  return (
    value['kind' as never] === 'file' ||
    value['kind' as never] === 'directory' ||
    value['kind' as never] === 'symlink'
  );
}
