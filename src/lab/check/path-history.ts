/**
 * What every path of a trace stood for, one thing after the other, and what happened to the contents of every
 * file. Facts only, taken from the operations in order; which of them a crash may show is decided elsewhere.
 */

import { TraceError } from '../../base/errors.ts';
import { NameTable, inOrder } from '../replay/in-order.ts';
import { isContentOperation } from '../replay/growing-content.ts';
import {
  ROOT_INODE,
  type InodeNumber,
  type Operation,
  type RenameOperation,
  type Trace,
} from '../record/operation.ts';
import type { AcknowledgedTimes } from './acknowledged-times.ts';
import type { ContentChange } from './content-rule.ts';

export type PathCause = 'initial' | 'create' | 'link' | 'rename' | 'unlink' | 'rename-away';

/** From some operation on, a path stands for something, or for nothing. */
export interface PathEvent {
  readonly shape: 'absent' | 'directory' | 'symlink' | 'file';
  readonly cause: PathCause;
  /** Of the operation; before all others for what was there at the start. */
  readonly start: number;
  /** Infinity for a call that never returned. */
  readonly end: number;
  /** A mark after this time vouches for it. */
  readonly acknowledged: number;
  /** The directory that holds the name. */
  readonly directory: InodeNumber;
  /** 0 for `'absent'`. */
  readonly inode: InodeNumber;
  /** Of a symbolic link. */
  readonly target: string;
  /** The paths that the inode had before a rename or a link. */
  readonly sources: readonly string[];
}

/** A cut to nothing of a file that held something, and the paths that the file had then. */
export interface EmptyingCut {
  readonly operation: Operation & { readonly kind: 'truncate' };
  readonly paths: readonly string[];
}

export interface PathHistory {
  readonly events: ReadonlyMap<string, readonly PathEvent[]>;
  /** Content changes by file, in order. */
  readonly changes: ReadonlyMap<InodeNumber, readonly ContentChange[]>;
  readonly cuts: readonly EmptyingCut[];
}

export function readPathHistory(trace: Trace, times: AcknowledgedTimes): PathHistory {
  const reader = new HistoryReader(trace, times);
  for (const operation of inOrder(trace)) reader.take(operation);
  return reader;
}

interface Place {
  readonly directory: InodeNumber;
  readonly name: string;
}

class HistoryReader implements PathHistory {
  readonly events = new Map<string, PathEvent[]>();
  readonly changes = new Map<InodeNumber, ContentChange[]>();
  readonly cuts: EmptyingCut[] = [];
  readonly #times: AcknowledgedTimes;
  readonly #names: NameTable;
  /** All names of every inode, in the order in which they were given. */
  readonly #places = new Map<InodeNumber, Place[]>();
  readonly #targets = new Map<InodeNumber, string>();
  readonly #sizes = new Map<InodeNumber, number>();

  constructor(trace: Trace, times: AcknowledgedTimes) {
    this.#times = times;
    this.#names = new NameTable(trace);
    for (const node of trace.initial) {
      if (node.node === 'symlink') this.#targets.set(node.inode, node.target);
      if (node.node === 'file') {
        this.#sizes.set(node.inode, trace.contents.get(node.content)?.length ?? 0);
      }
      if (node.node !== 'directory') continue;
      for (const [name, inode] of node.entries) this.#place(inode, node.inode, name);
    }
    for (const [name, inode] of this.#names.entries(ROOT_INODE) ?? []) {
      this.#addInitial(name, ROOT_INODE, inode);
    }
  }

  take(operation: Operation): void {
    if (isContentOperation(operation)) this.#takeContent(operation);
    else if (operation.kind === 'rename') this.#takeRename(operation);
    else if (operation.kind === 'create') {
      const { directory, name, inode, target } = operation;
      if (target !== undefined) this.#targets.set(inode, target);
      if (operation.node === 'file') this.#sizes.set(inode, 0);
      this.#names.apply(operation);
      if (name !== null) this.#bind(operation, 'create', directory, name, inode, []);
    } else if (operation.kind === 'link') {
      const { directory, name, inode } = operation;
      const sources = this.#pathsOf(inode);
      this.#names.apply(operation);
      this.#bind(operation, 'link', directory, name, inode, sources);
    } else if (operation.kind === 'unlink') {
      const { directory, name, inode } = operation;
      this.#unbind(operation, 'unlink', directory, name, inode);
      this.#names.apply(operation);
    }
  }

  #takeContent(operation: Operation & { kind: 'write' | 'truncate' | 'allocate' }): void {
    const { inode } = operation;
    const size = this.#sizes.get(inode) ?? 0;
    if (operation.kind === 'truncate') {
      if (operation.size === 0 && size > 0) {
        this.cuts.push({ operation, paths: this.#pathsOf(inode) });
      }
      this.#sizes.set(inode, operation.size);
    } else if (operation.kind === 'write' || operation.mode !== 'keep-size') {
      this.#sizes.set(inode, Math.max(size, operation.offset + operation.length));
    }
    const end = operation.end ?? Infinity;
    const change = { operation, end, acknowledged: this.#times.of(operation, inode) };
    listOf(this.changes, inode).push(change);
  }

  #takeRename(operation: RenameOperation): void {
    const { fromDirectory, fromName, toDirectory, toName, inode, replaced } = operation;
    if (replaced === inode) return;
    const exchange = operation.exchange === true && replaced !== null;
    const from = this.#pathAt(fromDirectory, fromName);
    const to = this.#pathAt(toDirectory, toName);
    if (exchange) this.#unplace(inode, fromDirectory, fromName);
    else this.#unbind(operation, 'rename-away', fromDirectory, fromName, inode);
    if (replaced !== null) this.#unplace(replaced, toDirectory, toName);
    this.#names.apply(operation);
    this.#bind(operation, 'rename', toDirectory, toName, inode, from === null ? [] : [from]);
    if (!exchange) return;
    this.#bind(operation, 'rename', fromDirectory, fromName, replaced, to === null ? [] : [to]);
  }

  #bind(
    operation: Operation,
    cause: PathCause,
    directory: InodeNumber,
    name: string,
    inode: InodeNumber,
    sources: readonly string[],
  ): void {
    this.#place(inode, directory, name);
    const path = this.#pathAt(directory, name);
    if (path === null) return;
    const acknowledged = this.#times.of(operation, directory);
    const visit = (at: string, holder: InodeNumber, node: InodeNumber, from: readonly string[]) => {
      requireFinite(at);
      const event = this.#eventOf(holder, node);
      const { start } = operation;
      const end = operation.end ?? Infinity;
      listOf(this.events, at).push({ ...event, cause, start, end, acknowledged, sources: from });
      for (const [child, childNode] of this.#names.entries(node) ?? []) {
        const childSources = from.map((source) => `${source}/${child}`);
        visit(`${at}/${child}`, node, childNode, childSources);
      }
    };
    visit(path, directory, inode, sources);
  }

  #unbind(
    operation: Operation,
    cause: PathCause,
    directory: InodeNumber,
    name: string,
    inode: InodeNumber,
  ): void {
    const path = this.#pathAt(directory, name);
    this.#unplace(inode, directory, name);
    if (path === null) return;
    const { start } = operation;
    const end = operation.end ?? Infinity;
    const acknowledged = this.#times.of(operation, directory);
    const visit = (at: string, holder: InodeNumber, node: InodeNumber): void => {
      requireFinite(at);
      listOf(this.events, at).push({
        shape: 'absent',
        cause,
        start,
        end,
        acknowledged,
        directory: holder,
        inode: 0,
        target: '',
        sources: [],
      });
      for (const [child, childNode] of this.#names.entries(node) ?? []) {
        visit(`${at}/${child}`, node, childNode);
      }
    };
    visit(path, directory, inode);
  }

  #addInitial(path: string, directory: InodeNumber, inode: InodeNumber): void {
    requireFinite(path);
    const event = this.#eventOf(directory, inode);
    const time = { start: -1, end: -1, acknowledged: -Infinity };
    listOf(this.events, path).push({ ...event, cause: 'initial', ...time, sources: [] });
    for (const [name, child] of this.#names.entries(inode) ?? []) {
      this.#addInitial(`${path}/${name}`, inode, child);
    }
  }

  #eventOf(
    directory: InodeNumber,
    inode: InodeNumber,
  ): Pick<PathEvent, 'shape' | 'directory' | 'inode' | 'target'> {
    const target = this.#targets.get(inode);
    if (target !== undefined) return { shape: 'symlink', directory, inode, target };
    const shape = this.#names.entries(inode) === undefined ? 'file' : 'directory';
    return { shape, directory, inode, target: '' };
  }

  #place(inode: InodeNumber, directory: InodeNumber, name: string): void {
    listOf(this.#places, inode).push({ directory, name });
  }

  #unplace(inode: InodeNumber, directory: InodeNumber, name: string): void {
    const places = listOf(this.#places, inode);
    const index = places.findIndex((place) => place.directory === directory && place.name === name);
    if (index !== -1) places.splice(index, 1);
  }

  #pathsOf(inode: InodeNumber): string[] {
    const paths = listOf(this.#places, inode).map(({ directory, name }) =>
      this.#pathAt(directory, name),
    );
    return paths.filter((path) => path !== null);
  }

  /** Null below a directory that was removed, and where moved directories form a loop. */
  #pathAt(directory: InodeNumber, name: string): string | null {
    let path = name;
    let at = directory;
    for (let depth = 0; at !== ROOT_INODE; depth++) {
      const place = this.#places.get(at)?.[0];
      if (place === undefined || depth > DEPTH_MAX) return null;
      path = `${place.name}/${path}`;
      at = place.directory;
    }
    return path;
  }
}

/** Directories deeper than this are taken for ones that hold themselves. */
const DEPTH_MAX = 4096;

/** In characters: no operating system takes a longer one, so it goes round in circles. */
const PATH_LENGTH_MAX = 4096;

function requireFinite(path: string): void {
  if (path.length <= PATH_LENGTH_MAX) return;
  throw new TraceError('the trace has a path too long to be real: a directory that holds itself?');
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}
