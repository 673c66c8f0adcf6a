/**
 * Processes as the recorder sees them: a working directory and a table of descriptors each, sharing open file
 * descriptions as fork and dup do. Knows nothing of names beyond what a descriptor holds.
 */

import type { Location, ShadowNode } from './shadow-tree.ts';

/** One open file description: shared by every descriptor that was duplicated or inherited from the first. */
export interface OpenFile {
  /** What is open; null for a thing outside the root. */
  readonly node: ShadowNode | null;
  /** Where an outside directory is, so that paths relative to it can be followed. */
  readonly outsidePath: string;
  /** How the program named it, for people. */
  readonly path: string;
  readonly write: boolean;
  append: boolean;
  readonly durable: 'none' | 'data' | 'all';
  offset: number;
  references: number;
}

interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** A table of descriptors, shared by the threads of a process. */
interface DescriptorTable {
  readonly descriptors: Map<number, Descriptor>;
  users: number;
}

export class ProcessState {
  directory: { location: Location };
  readonly #table: DescriptorTable;

  constructor(
    directory: { location: Location },
    table: DescriptorTable = { descriptors: new Map(), users: 1 },
  ) {
    this.directory = directory;
    this.#table = table;
  }

  get #descriptors(): Map<number, Descriptor> {
    return this.#table.descriptors;
  }

  get(fd: number): OpenFile | undefined {
    return this.#descriptors.get(fd)?.file;
  }

  /** Puts a description behind a descriptor; gives back what was there before, now with one reference less. */
  set(fd: number, file: OpenFile, closeOnExec: boolean): OpenFile | undefined {
    const before = this.remove(fd);
    file.references += 1;
    this.#descriptors.set(fd, { file, closeOnExec });
    return before;
  }

  remove(fd: number): OpenFile | undefined {
    const descriptor = this.#descriptors.get(fd);
    if (descriptor === undefined) return undefined;
    this.#descriptors.delete(fd);
    descriptor.file.references -= 1;
    return descriptor.file;
  }

  /** F_SETFD. */
  setCloseOnExec(fd: number, closeOnExec: boolean): void {
    const descriptor = this.#descriptors.get(fd);
    if (descriptor !== undefined) descriptor.closeOnExec = closeOnExec;
  }

  /** The descriptors from `first` to `last`, in order. */
  between(first: number, last: number): number[] {
    return [...this.#descriptors.keys()]
      .filter((fd) => fd >= first && fd <= last)
      .toSorted((a, b) => a - b);
  }

  /** The descriptors that an execve closes. */
  closedByExec(): number[] {
    return [...this.#descriptors].filter(([, entry]) => entry.closeOnExec).map(([fd]) => fd);
  }

  /** The end of a process or thread: its descriptors are gone unless other threads have them too. */
  exit(): void {
    this.#table.users -= 1;
    if (this.#table.users > 0) return;
    for (const fd of this.#descriptors.keys()) this.remove(fd);
  }

  /** A child: sharing the table and the directory itself as threads do (CLONE_FILES, CLONE_FS), or copies. */
  fork(shareFiles: boolean, shareDirectory: boolean): ProcessState {
    const directory = shareDirectory ? this.directory : { ...this.directory };
    if (shareFiles) {
      this.#table.users += 1;
      return new ProcessState(directory, this.#table);
    }
    const copy = new Map<number, Descriptor>();
    for (const [fd, { file, closeOnExec }] of this.#descriptors) {
      file.references += 1;
      copy.set(fd, { file, closeOnExec });
    }
    return new ProcessState(directory, { descriptors: copy, users: 1 });
  }
}
