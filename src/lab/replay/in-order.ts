/**
 * The operations of a trace in an order in which they can have happened. Recorded order is the order of their
 * starts, but for writes of which an append tells another one; where calls overlap, the kernel may have served the later one first, and then a name operation does
 * not fit (an unlink of what is not there yet). Such an operation is moved behind the overlapping ones that make
 * it fit.
 */

import { appendOrder } from '../record/append-order.ts';
import {
  ROOT_INODE,
  type InodeNumber,
  type Operation,
  type RenameOperation,
  type Trace,
} from '../record/operation.ts';

/** Which inode each name stands for, while names change. Inodes, not paths: a moved directory keeps its names. */
export class NameTable {
  readonly #directories = new Map<InodeNumber, Map<string, InodeNumber>>();

  constructor(trace: Trace) {
    this.#directories.set(ROOT_INODE, new Map());
    for (const node of trace.initial) {
      if (node.node === 'directory') this.#directories.set(node.inode, new Map(node.entries));
    }
  }

  /** The names in a directory; undefined for an inode that is no directory. */
  entries(directory: InodeNumber): ReadonlyMap<string, InodeNumber> | undefined {
    return this.#directories.get(directory);
  }

  get(directory: InodeNumber, name: string): InodeNumber | undefined {
    return this.#directories.get(directory)?.get(name);
  }

  /** Whether the operation finds the names as it recorded them. True for operations without names. */
  fits(operation: Operation): boolean {
    switch (operation.kind) {
      case 'create':
        return operation.name === null || this.#isFree(operation.directory, operation.name);
      case 'link':
        return this.#isFree(operation.directory, operation.name);
      case 'unlink':
        return this.get(operation.directory, operation.name) === operation.inode;
      case 'rename':
        return (
          this.get(operation.fromDirectory, operation.fromName) === operation.inode &&
          (this.get(operation.toDirectory, operation.toName) ?? null) === operation.replaced
        );
      default:
        return true;
    }
  }

  /** Applies what the operation did to names, even where it does not fit: what it wrote is the truth. */
  apply(operation: Operation): void {
    if (operation.kind === 'create') {
      if (operation.node === 'directory') this.#directories.set(operation.inode, new Map());
      if (operation.name !== null) this.#set(operation.directory, operation.name, operation.inode);
    } else if (operation.kind === 'link') {
      this.#set(operation.directory, operation.name, operation.inode);
    } else if (operation.kind === 'unlink') {
      this.#directories.get(operation.directory)?.delete(operation.name);
    } else if (operation.kind === 'rename') {
      this.#rename(operation);
    }
  }

  #rename(operation: RenameOperation): void {
    // Two names of one file: the call succeeds and does nothing (POSIX rename).
    if (operation.replaced === operation.inode) return;
    this.#directories.get(operation.fromDirectory)?.delete(operation.fromName);
    if (operation.exchange === true && operation.replaced !== null) {
      this.#set(operation.fromDirectory, operation.fromName, operation.replaced);
    }
    this.#set(operation.toDirectory, operation.toName, operation.inode);
  }

  #isFree(directory: InodeNumber, name: string): boolean {
    const entries = this.#directories.get(directory);
    return entries !== undefined && !entries.has(name);
  }

  #set(directory: InodeNumber, name: string, inode: InodeNumber): void {
    let entries = this.#directories.get(directory);
    if (entries === undefined) {
      entries = new Map();
      this.#directories.set(directory, entries);
    }
    entries.set(name, inode);
  }
}

/**
 * The successful operations of the trace that can be told to have happened, each once, in a possible order.
 * Left out: calls that failed, and calls that had not returned and do not fit.
 */
export function inOrder(trace: Trace): readonly Operation[] {
  const names = new NameTable(trace);
  const result: Operation[] = [];
  const waiting: Operation[] = [];
  const take = (operation: Operation): void => {
    names.apply(operation);
    result.push(operation);
  };
  const retry = (): void => {
    for (let index = 0; index < waiting.length; index++) {
      const operation = waiting[index];
      if (operation === undefined || !names.fits(operation)) continue;
      waiting.splice(index, 1);
      take(operation);
      index = -1;
    }
  };
  for (const place of appendOrder(trace).sequence) {
    const operation = trace.operations[place];
    if (operation === undefined || operation.error !== undefined) continue;
    // A call that ended before this one started cannot wait any longer.
    for (let index = 0; index < waiting.length; index++) {
      const late = waiting[index];
      if (late === undefined || late.end === null || late.end > operation.start) continue;
      waiting.splice(index, 1);
      take(late);
      index = -1;
    }
    if (names.fits(operation)) {
      take(operation);
      retry();
    } else {
      waiting.push(operation);
    }
  }
  for (const late of waiting) if (late.end !== null) take(late);
  return result;
}
