/**
 * What became of the names and files of a trace: which are there in the end, which operation gave each its last name,
 * what was in a file at the start. No model, no time but the order of the calls.
 */

import type { InodeNumber, Operation, Trace } from '../record/operation.ts';

const NOTHING = new Uint8Array(0);

function key(directory: InodeNumber, name: string): string {
  return `${directory}/${name}`;
}

/** A name that an operation gives, or null. */
export function givenName(
  operation: Operation,
): { readonly directory: InodeNumber; readonly name: string; readonly inode: InodeNumber } | null {
  if (operation.error !== undefined) return null;
  if (operation.kind === 'rename') {
    const { toDirectory, toName, inode } = operation;
    return { directory: toDirectory, name: toName, inode };
  }
  if (operation.kind !== 'create' && operation.kind !== 'link') return null;
  const { directory, name, inode } = operation;
  return name === null ? null : { directory, name, inode };
}

export class FileLife {
  readonly #trace: Trace;
  /** The operation that gave a name what it stands for, -1 for the start. */
  readonly #givers = new Map<string, { readonly inode: InodeNumber; readonly by: number }>();
  readonly #linkCounts = new Map<InodeNumber, number>();
  readonly #initialContents = new Map<InodeNumber, Uint8Array>();
  readonly #namesGiven = new Map<
    InodeNumber,
    { readonly name: string; readonly start: number }[]
  >();
  readonly #initialNames = new Set<string>();
  readonly #createdBy = new Map<InodeNumber, number>();
  readonly #directories = new Set<InodeNumber>();
  readonly #changes = new Map<InodeNumber, number[]>();
  readonly #namings = new Map<string, number[]>();
  readonly #synced = new Set<InodeNumber>();

  constructor(trace: Trace) {
    this.#trace = trace;
    for (const node of trace.initial) {
      if (node.node === 'file') {
        this.#initialContents.set(node.inode, trace.contents.get(node.content) ?? NOTHING);
      } else if (node.node === 'directory') {
        this.#directories.add(node.inode);
        for (const [name, inode] of node.entries) {
          this.#initialNames.add(key(node.inode, name));
          this.#give(node.inode, name, inode, -1);
        }
      }
    }
    trace.operations.forEach((operation, index) => this.#apply(operation, index));
  }

  isDirectory(inode: InodeNumber): boolean {
    return this.#directories.has(inode);
  }

  /** Whether a file or directory has a name in the end. */
  isAlive(inode: InodeNumber): boolean {
    return (this.#linkCounts.get(inode) ?? 0) > 0 || inode === 1;
  }

  /** Whether the name that an operation gave stands for the same in the end, by that operation. */
  isFinalName(index: number): boolean {
    const operation = this.#trace.operations[index];
    const given = operation === undefined ? null : givenName(operation);
    if (given === null) return false;
    const giver = this.#givers.get(key(given.directory, given.name));
    return giver?.by === index && this.isAlive(given.directory);
  }

  /** Bytes that a file had when recording began. */
  initialSize(inode: InodeNumber): number {
    return this.initialContent(inode).byteLength;
  }

  initialContent(inode: InodeNumber): Uint8Array {
    return this.#initialContents.get(inode) ?? NOTHING;
  }

  /**
   * Whether a file had been given a name by this time that was only for the time being: it is there neither at the
   * start nor in the end, and the file got another one later. A log that is moved aside has had a lasting one.
   */
  isTemporaryAt(inode: InodeNumber, time: number): boolean {
    const names = this.#namesGiven.get(inode) ?? [];
    const later = names.findIndex(({ start }) => start > time);
    if (later < 0) return false;
    const name = names[later - 1]?.name;
    // What was there at the start and has another name since had a lasting one; what has none yet is not in place.
    if (name === undefined) return this.#createdBy.has(inode);
    return !this.#initialNames.has(name) && !this.#givers.has(name);
  }

  /** The operation that made it; -1: it was there. */
  createdBy(inode: InodeNumber): number {
    return this.#createdBy.get(inode) ?? -1;
  }

  /** The writes to a file, and the changes of its size, that succeeded. */
  changesOf(inode: InodeNumber): readonly number[] {
    return this.#changes.get(inode) ?? [];
  }

  /** The operations that gave a name. */
  namingsOf(directory: InodeNumber, name: string): readonly number[] {
    return this.#namings.get(key(directory, name)) ?? [];
  }

  /** Whether a sync of it ever succeeded. */
  isSynced(inode: InodeNumber): boolean {
    return this.#synced.has(inode);
  }

  #give(directory: InodeNumber, name: string, inode: InodeNumber, by: number): void {
    this.#givers.set(key(directory, name), { inode, by });
    this.#count(inode, 1);
  }

  #count(inode: InodeNumber, by: number): void {
    this.#linkCounts.set(inode, (this.#linkCounts.get(inode) ?? 0) + by);
  }

  #apply(operation: Operation, index: number): void {
    if (operation.error !== undefined) return;
    const { kind } = operation;
    if (kind === 'sync') this.#synced.add(operation.inode);
    if (kind === 'write' || kind === 'truncate') append(this.#changes, operation.inode, index);
    if (kind === 'unlink') {
      this.#givers.delete(key(operation.directory, operation.name));
      this.#count(operation.inode, -1);
      return;
    }
    if (kind === 'create') {
      this.#createdBy.set(operation.inode, index);
      if (operation.node === 'directory') this.#directories.add(operation.inode);
    }
    if (kind === 'rename') {
      this.#givers.delete(key(operation.fromDirectory, operation.fromName));
      this.#count(operation.inode, -1);
      const { replaced, exchange, fromDirectory, fromName } = operation;
      if (replaced !== null) {
        this.#count(replaced, -1);
        if (exchange === true) this.#give(fromDirectory, fromName, replaced, index);
      }
    }
    const given = givenName(operation);
    if (given === null) return;
    const name = key(given.directory, given.name);
    append(this.#namesGiven, given.inode, { name, start: operation.start });
    append(this.#namings, name, index);
    this.#give(given.directory, given.name, given.inode, index);
  }
}

function append<Key, Value>(lists: Map<Key, Value[]>, at: Key, value: Value): void {
  const list = lists.get(at);
  if (list === undefined) lists.set(at, [value]);
  else list.push(value);
}
