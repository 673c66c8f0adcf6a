/**
 * What the disk would hold if every operation had reached it, in order, up to a point: the tree that the program
 * itself saw. No model and no crash is involved; `lab/model` builds what a power cut leaves.
 */

import { assert } from '../../base/assert.ts';
import { TraceError } from '../../base/errors.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import { ROOT_INODE, type InodeNumber, type Operation, type Trace } from '../record/operation.ts';
import { GrowingContent } from './growing-content.ts';
import { inOrder, NameTable } from './in-order.ts';

/** The tree after the first `position` operations of the trace (failed ones count, and change nothing). */
export function inOrderTree(
  trace: Trace,
  position: number = trace.operations.length,
): FileTreeDirectory {
  const replay = new InOrderReplay(trace);
  const last = trace.operations[position - 1];
  replay.advance((operation) => last !== undefined && operation.start <= last.start);
  return replay.tree();
}

/** Every tree that the program passed through, the first and the last included, in order. */
export function* inOrderTrees(trace: Trace): Generator<FileTreeDirectory> {
  const replay = new InOrderReplay(trace);
  yield replay.tree();
  while (!replay.done) {
    const changed = replay.step();
    if (changed) yield replay.tree();
  }
}

type Inode =
  | {
      readonly kind: 'file';
      mode: number;
      readonly content: GrowingContent;
      node: FileTreeNode | null;
    }
  | { readonly kind: 'directory'; mode: number }
  | { readonly kind: 'symlink'; readonly node: FileTreeNode };

/** Applies a trace's operations one after the other; trees taken between share the contents that stayed equal. */
export class InOrderReplay {
  readonly #operations: readonly Operation[];
  readonly #contents: Trace['contents'];
  readonly #names: NameTable;
  readonly #inodes = new Map<InodeNumber, Inode>();
  #next = 0;

  constructor(trace: Trace) {
    this.#operations = inOrder(trace);
    this.#contents = trace.contents;
    this.#names = new NameTable(trace);
    this.#inodes.set(ROOT_INODE, { kind: 'directory', mode: 0o755 });
    for (const node of trace.initial) {
      if (node.node === 'file') {
        const content = new GrowingContent(this.#content(node.content));
        this.#inodes.set(node.inode, { kind: 'file', mode: node.mode, content, node: null });
      } else if (node.node === 'directory') {
        this.#inodes.set(node.inode, { kind: 'directory', mode: node.mode });
      } else {
        const link = { kind: 'symlink', target: node.target, inode: node.inode } as const;
        this.#inodes.set(node.inode, { kind: 'symlink', node: link });
      }
    }
  }

  /** Whether every operation has been applied. */
  get done(): boolean {
    return this.#next >= this.#operations.length;
  }

  /** Applies operations as long as `wanted` holds for the next one. */
  advance(wanted: (operation: Operation) => boolean): void {
    for (;;) {
      const operation = this.#operations[this.#next];
      if (operation === undefined || !wanted(operation)) return;
      this.step();
    }
  }

  /** Applies the next operation; true when it changed the tree. REQUIRES: not `done`. */
  step(): boolean {
    const operation = this.#operations[this.#next];
    assert(operation !== undefined, 'no operation is left to apply');
    this.#next += 1;
    this.#names.apply(operation);
    return this.#applyToInode(operation);
  }

  /** The tree as it is now. */
  tree(): FileTreeDirectory {
    return this.#directory(ROOT_INODE);
  }

  #applyToInode(operation: Operation): boolean {
    switch (operation.kind) {
      case 'create':
        this.#create(operation.inode, operation);
        return operation.name !== null;
      case 'link':
      case 'unlink':
      case 'rename':
        return true;
      case 'attribute': {
        const inode = this.#inodes.get(operation.inode);
        if (operation.field !== 'mode' || inode === undefined || inode.kind === 'symlink')
          return false;
        inode.mode = Number.parseInt(operation.value, 8);
        if (inode.kind === 'file') inode.node = null;
        return true;
      }
      case 'write':
      case 'truncate':
      case 'allocate': {
        const inode = this.#inodes.get(operation.inode);
        if (inode?.kind !== 'file') return false;
        inode.content.apply(operation, this.#contents);
        inode.node = null;
        return true;
      }
      default:
        return false;
    }
  }

  #create(number: InodeNumber, operation: Operation & { kind: 'create' }): void {
    const { node, mode } = operation;
    if (node === 'directory') {
      this.#inodes.set(number, { kind: 'directory', mode });
    } else if (node === 'symlink') {
      const link = { kind: 'symlink', target: operation.target ?? '', inode: number } as const;
      this.#inodes.set(number, { kind: 'symlink', node: link });
    } else {
      const content = new GrowingContent(new Uint8Array(0));
      this.#inodes.set(number, { kind: 'file', mode, content, node: null });
    }
  }

  #directory(number: InodeNumber): FileTreeDirectory {
    const inode = this.#inodes.get(number);
    const entries = new Map<string, FileTreeNode>();
    for (const [name, child] of this.#names.entries(number) ?? []) {
      const node = this.#node(child);
      if (node !== null) entries.set(name, node);
    }
    const mode = inode?.kind === 'directory' ? inode.mode : 0o755;
    return { kind: 'directory', mode, entries, inode: number };
  }

  #node(number: InodeNumber): FileTreeNode | null {
    const inode = this.#inodes.get(number);
    if (inode === undefined) return null;
    if (inode.kind === 'directory') return this.#directory(number);
    if (inode.kind === 'symlink') return inode.node;
    inode.node ??= {
      kind: 'file',
      mode: inode.mode,
      content: inode.content.snapshot(),
      inode: number,
    };
    return inode.node;
  }

  #content(id: string): Uint8Array {
    const content = this.#contents.get(id);
    if (content === undefined) throw new TraceError(`the trace has no content ${id}`);
    return content;
  }
}
