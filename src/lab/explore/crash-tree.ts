/**
 * The tree that a crash state shows, with everything in it decided; the walk over its choices is the walk over all
 * distinct visible states. The next state of a walk differs from the one before only from some choice on, so the
 * building goes on from there. `lazy-tree.ts` has the tree that is decided only where it is read.
 */

import { assert } from '../../base/assert.ts';
import type { FileTreeDirectory, FileTreeFile, FileTreeNode } from '../../vfs/file-tree.ts';
import { ROOT_INODE } from '../record/operation.ts';
import type { InodeNumber } from '../record/operation.ts';
import type { FileContent } from './content-store.ts';
import type { CrashSpace, SpaceMark } from './crash-space.ts';
import type { StateWalker } from './crash-state.ts';
import { UndoMap } from './undo-map.ts';

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
  /** Equal keys are equal disks, among all spaces whose content stores number alike. */
  readonly key: string;
}

/** Decides everything that can be seen. REQUIRES: the space has begun a state. */
export function buildCrashTree(space: CrashSpace): BuiltTree {
  return new TreeBuilder(space, null).build();
}

/** The trees of all states of a space, one after the other. */
export class CrashTreeWalk {
  readonly #walker: StateWalker;
  readonly #builder: TreeBuilder;

  /** `walker` may stand anywhere on its way. */
  constructor(space: CrashSpace, walker: StateWalker) {
    this.#walker = walker;
    this.#builder = new TreeBuilder(space, walker);
  }

  /** The tree of the state where the walker stands; call its `next` between two builds. */
  build(): BuiltTree {
    return this.#builder.rebuild(this.#walker.changed);
  }
}

/** A directory on the way down, and what was found in it so far. */
interface Frame {
  readonly inode: InodeNumber;
  readonly mode: number;
  readonly names: readonly string[];
  readonly parent: Frame | null;
  /** Where the parent was, with this directory under way. */
  readonly parentNext: number;
  readonly parentFound: number;
  next: number;
  readonly found: [string, FileTreeNode][];
}

/** Where the building stood before it looked at an entry. */
interface Visit {
  readonly depth: number;
  readonly frame: Frame;
  readonly next: number;
  readonly found: number;
  readonly key: string;
  readonly linked: number;
  readonly space: SpaceMark;
}

class TreeBuilder {
  readonly #space: CrashSpace;
  /** Null where no other state follows. */
  readonly #walker: StateWalker | null;
  readonly #linked = new UndoMap<InodeNumber, number>();
  /** Ascending by depth, the last entry of each depth. */
  readonly #visits: Visit[] = [];
  #key = '';

  constructor(space: CrashSpace, walker: StateWalker | null) {
    this.#space = space;
    this.#walker = walker;
  }

  /** From the start. */
  build(): BuiltTree {
    this.#key = '';
    this.#linked.clear();
    this.#visits.length = 0;
    return this.#goOn(this.#enter(ROOT_INODE, null));
  }

  /** From the last entry before which all choices are as they were. */
  rebuild(changed: number): BuiltTree {
    const walker = this.#walker;
    assert(walker !== null, 'only a walk is rebuilt');
    const visits = this.#visits;
    while ((visits.at(-1)?.depth ?? -1) > changed) visits.pop();
    const visit = visits.pop();
    if (visit === undefined) {
      walker.begin();
      this.#space.begin(walker);
      return this.build();
    }
    walker.begin(visit.depth);
    this.#space.rewind(visit.space);
    this.#linked.rewind(visit.linked);
    this.#key = visit.key;
    const { frame } = visit;
    frame.next = visit.next;
    frame.found.length = visit.found;
    for (let below = frame; below.parent !== null; below = below.parent) {
      below.parent.next = below.parentNext;
      below.parent.found.length = below.parentFound;
    }
    return this.#goOn(frame);
  }

  #enter(inode: InodeNumber, parent: Frame | null): Frame {
    const mode = this.#space.mode(inode);
    this.#key += `d${mode}{`;
    const names = this.#space.candidateNames(inode);
    const [parentNext, parentFound] = [parent?.next ?? 0, parent?.found.length ?? 0];
    return { inode, mode, names, parent, parentNext, parentFound, next: 0, found: [] };
  }

  #goOn(from: Frame): BuiltTree {
    let frame = from;
    for (;;) {
      while (frame.next < frame.names.length) frame = this.#visit(frame);
      this.#key += '}';
      const { parent, inode, mode, parentNext } = frame;
      const done = { kind: 'directory', mode, entries: new Map(frame.found), inode } as const;
      if (parent === null) return { root: done, key: this.#key };
      parent.found.push([parent.names[parentNext - 1] ?? '', done]);
      frame = parent;
    }
  }

  /** The next entry. @returns the frame to go on with: the entry's own where it is a directory. */
  #visit(frame: Frame): Frame {
    if (this.#walker !== null) this.#note(frame, this.#walker.depth);
    const name = frame.names[frame.next++] ?? '';
    const child = this.#space.entry(frame.inode, name);
    if (child === null || isAbove(child, frame)) return frame;
    this.#key += `/${name}/`;
    const facts = this.#space.history.nodes.get(child);
    if (facts?.kind === 'directory') return this.#enter(child, frame);
    if (facts?.kind === 'symlink') {
      this.#key += `l${JSON.stringify(facts.target)}`;
      frame.found.push([name, { kind: 'symlink', target: facts.target, inode: child }]);
    } else frame.found.push([name, this.#file(child)]);
    return frame;
  }

  #file(inode: InodeNumber): FileTreeNode {
    const content = this.#space.content(inode);
    const mode = this.#space.mode(inode);
    // Names of one file are told from names of two equal ones by the place of the first.
    let first = this.#linked.get(inode);
    if (first === undefined) this.#linked.add(inode, (first = this.#linked.size));
    this.#key += `f${mode}:${content.id}@${first};`;
    return new CrashFile(inode, mode, content);
  }

  #note(frame: Frame, depth: number): void {
    if (this.#visits.at(-1)?.depth === depth) this.#visits.pop();
    this.#visits.push({
      depth,
      frame,
      next: frame.next,
      found: frame.found.length,
      key: this.#key,
      linked: this.#linked.size,
      space: this.#space.mark(),
    });
  }
}

/** A loop that lost renames can make is not followed. */
function isAbove(inode: InodeNumber, frame: Frame): boolean {
  for (let at: Frame | null = frame; at !== null; at = at.parent)
    if (at.inode === inode) return true;
  return false;
}
