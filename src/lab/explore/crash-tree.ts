/**
 * The tree that a crash state shows. `buildCrashTree` looks at everything, so the walk over its choices is the
 * walk over all distinct visible states; `lazyCrashTree` looks at what its reader looks at and no more.
 */

import type {
  FileTreeDirectory,
  FileTreeFile,
  FileTreeNode,
  FileTreeSymlink,
} from '../../vfs/file-tree.ts';
import { ROOT_INODE } from '../record/operation.ts';
import type { InodeNumber } from '../record/operation.ts';
import type { FileContent } from './content-store.ts';
import type { CrashSpace } from './crash-space.ts';

/** A file whose bytes are put together when they are read. */
class CrashFile implements FileTreeFile {
  readonly kind = 'file';
  readonly mode: number;
  readonly inode: number;
  readonly #content: FileContent;

  constructor(inode: number, mode: number, content: FileContent) {
    this.inode = inode;
    this.mode = mode;
    this.#content = content;
  }

  get content(): Uint8Array {
    return this.#content.bytes;
  }
}

export interface BuiltTree {
  readonly root: FileTreeDirectory;
  /** Equal keys are equal disks, among all spaces that share one content store. */
  readonly key: string;
}

/** Decides everything that can be seen. */
export function buildCrashTree(space: CrashSpace): BuiltTree {
  const builder = new TreeBuilder(space);
  const root = builder.directory(ROOT_INODE);
  return { root, key: builder.key };
}

class TreeBuilder {
  key = '';
  readonly #space: CrashSpace;
  /** Directories on the way down: a loop that lost renames can make is not followed. */
  readonly #above = new Set<InodeNumber>();
  readonly #linked = new Map<InodeNumber, number>();

  constructor(space: CrashSpace) {
    this.#space = space;
  }

  directory(inode: InodeNumber): FileTreeDirectory {
    const entries = new Map<string, FileTreeNode>();
    const mode = this.#space.mode(inode);
    this.key += `d${mode}{`;
    this.#above.add(inode);
    for (const name of this.#space.candidateNames(inode)) {
      const child = this.#space.entry(inode, name);
      if (child === null || this.#above.has(child)) continue;
      this.key += `/${name}/`;
      entries.set(name, this.#node(child));
    }
    this.#above.delete(inode);
    this.key += '}';
    return { kind: 'directory', mode, entries, inode };
  }

  #node(inode: InodeNumber): FileTreeNode {
    const facts = this.#space.history.nodes.get(inode);
    if (facts?.kind === 'directory') return this.directory(inode);
    if (facts?.kind === 'symlink') {
      this.key += `l${JSON.stringify(facts.target)}`;
      return { kind: 'symlink', target: facts.target, inode } satisfies FileTreeSymlink;
    }
    const content = this.#space.content(inode);
    const mode = this.#space.mode(inode);
    // Names of one file are told from names of two equal ones by the place of the first.
    const first = this.#linked.get(inode) ?? this.#linked.size;
    this.#linked.set(inode, first);
    this.key += `f${mode}:${content.id}@${first};`;
    return new CrashFile(inode, mode, content);
  }
}
