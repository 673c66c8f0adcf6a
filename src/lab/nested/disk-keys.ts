/**
 * Names for disks that are equal exactly for equal disks, whichever trace they come from: the explorer's own keys
 * follow the order in which a trace made the names, and a recovery's trace begins with all names made.
 */

import { hash } from 'node:crypto';

import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';

/** Files met so far, and the place of the first name of each inode. */
interface LinkedFiles {
  files: number;
  readonly places: Map<number, number>;
}

/** One numbering of contents; keys of one `DiskKeys` can be compared with each other. */
export class DiskKeys {
  readonly #byArray = new WeakMap<Uint8Array, number>();
  readonly #byDigest = new Map<string, number>();

  keyOf(root: FileTreeDirectory): string {
    const parts: string[] = [];
    this.#add(root, parts, { files: 0, places: new Map() });
    const text = parts.join('');
    return text.length <= 60 ? text : hash('sha256', text, 'base64');
  }

  #add(node: FileTreeNode, parts: string[], linked: LinkedFiles): void {
    if (node.kind === 'symlink') {
      parts.push('l', JSON.stringify(node.target));
    } else if (node.kind === 'file') {
      // Names of one file are told from names of two equal ones by the place of the first.
      const place = linked.files++;
      const first = node.inode === undefined ? undefined : linked.places.get(node.inode);
      if (node.inode !== undefined) linked.places.set(node.inode, first ?? place);
      parts.push(`f${node.mode}:${this.#contentId(node.content)}`);
      parts.push(first === undefined ? ';' : `=${first};`);
    } else {
      parts.push(`d${node.mode}{`);
      for (const name of [...node.entries.keys()].toSorted()) {
        const child = node.entries.get(name);
        if (child === undefined) continue;
        parts.push(JSON.stringify(name));
        this.#add(child, parts, linked);
      }
      parts.push('}');
    }
  }

  #contentId(content: Uint8Array): number {
    let id = this.#byArray.get(content);
    if (id !== undefined) return id;
    const digest = hash('sha256', content, 'base64');
    id = this.#byDigest.get(digest) ?? this.#byDigest.size;
    this.#byDigest.set(digest, id);
    this.#byArray.set(content, id);
    return id;
  }
}
