/**
 * Splits a trace into changes and block histories under one model. Operations are taken in the order of their
 * start; what overlaps in time keeps its `start` and `end`, and the walker looks at both orders. Writes of which an
 * append tells the order (`append-order.ts`) are taken in that one.
 *
 * Failed operations changed nothing and are left out, except failed syncs, also those of durable writes
 * (`sync-floor.ts`).
 */

import { assert } from '../../base/assert.ts';
import { type AppendOrder, appendOrder, type SettledWrite } from '../record/append-order.ts';
import type { InodeNumber, NodeKind, Operation, Trace } from '../record/operation.ts';
import type { BlockHistory, Change, EntryEffect, FileHistory, FreedBlock } from './change.ts';
import { BLOCK_BYTES, type Coming } from './change.ts';
import type { CrashModel } from './crash-model.ts';
import { type InodeSlot, ReuseTracker } from './reuse.ts';

/** What is known of an inode apart from its content and entries. */
export interface NodeFacts {
  readonly kind: NodeKind;
  readonly mode: number;
  readonly target: string;
}

/** All that a model makes of a trace; floors are filled in by `applyFloors`. */
export interface ChangeHistory {
  readonly trace: Trace;
  readonly model: CrashModel;
  readonly changes: Change[];
  readonly nodes: Map<InodeNumber, NodeFacts>;
  readonly files: Map<InodeNumber, FileHistory>;
  readonly initialEntries: Map<InodeNumber, Map<string, InodeNumber>>;
  /** Changes of each directory entry, in order of issue. */
  readonly entryChanges: Map<InodeNumber, Map<string, Change[]>>;
  readonly attributeChanges: Map<InodeNumber, Change[]>;
  readonly freed: FreedBlock[];
  /** In which order the operations are taken. */
  readonly order: AppendOrder;
  /** Of inodes that share a place in the inode table with others, or may; empty where `reuse` waits. */
  readonly slots: ReadonlyMap<InodeNumber, InodeSlot>;
}

const NO_BYTES = new Uint8Array(0);

const NONE: readonly number[] = [];

/** A size that a write gave a file. */
type Growth = Pick<Coming, 'operation' | 'end'> & { readonly bytes: number };

interface ChangeEffects {
  readonly entries?: readonly EntryEffect[];
  readonly size?: Change['size'];
  readonly attribute?: Change['attribute'];
  readonly block?: Change['block'];
  readonly record?: InodeNumber;
  readonly order?: Change['order'];
  readonly follows?: number;
}

/** @returns the history without floors. */
export function splitTrace(trace: Trace, model: CrashModel): ChangeHistory {
  const order = appendOrder(trace);
  const splitter = new TraceSplitter(trace, model, order);
  for (const index of order.sequence) {
    const operation = trace.operations[index];
    assert(operation !== undefined, 'the sequence is of operations of the trace');
    if (operation.error === undefined || reachedCache(operation)) {
      splitter.take(operation, index, order.settled.get(index));
    }
  }
  return splitter.history;
}

/** Whether it is a durable write whose sync failed: its bytes are in the cache, and clean. */
export function reachedCache(operation: Operation): boolean {
  return (
    operation.kind === 'write' && operation.error !== undefined && operation.durable !== 'none'
  );
}

class TraceSplitter {
  readonly history: ChangeHistory;
  readonly #sizes = new Map<InodeNumber, number>();
  readonly #linkCounts = new Map<InodeNumber, number>();
  /** Sizes that writes gave a file since its last explicit size change, the first as it was before them. */
  readonly #growths = new Map<InodeNumber, Growth[]>();
  /** Operations that came before the one that is taken, although they overlap with it. */
  #after = NONE;
  /** The last change of kind 'late' of a file since its last explicit size change. */
  readonly #lastLate = new Map<InodeNumber, number>();
  /** Null where the model says that nothing is reused before a crash can no longer undo its removal. */
  readonly #reuse: ReuseTracker | null;

  constructor(trace: Trace, model: CrashModel, order: AppendOrder) {
    this.#reuse = model.reuse === 'waits' ? null : new ReuseTracker();
    this.history = {
      trace,
      model,
      changes: [],
      nodes: new Map(),
      files: new Map(),
      initialEntries: new Map(),
      entryChanges: new Map(),
      attributeChanges: new Map(),
      freed: [],
      order,
      slots: this.#reuse?.slots ?? new Map(),
    };
    for (const node of trace.initial) {
      if (node.node === 'directory') {
        this.#addNode(node.inode, 'directory', node.mode, '');
        this.history.initialEntries.set(node.inode, new Map(node.entries));
        for (const [, child] of node.entries) this.#countLink(child, 1);
      } else if (node.node === 'symlink') {
        this.#addNode(node.inode, 'symlink', 0o777, node.target);
      } else {
        const content = trace.contents.get(node.content);
        assert(content !== undefined, `content ${node.content} of inode ${node.inode} is missing`);
        this.#addNode(node.inode, 'file', node.mode, '', content);
      }
    }
  }

  /** @param settled when it came, where an append tells more than its times do */
  take(operation: Operation, index: number, settled: SettledWrite | undefined): void {
    this.#after = settled?.after ?? NONE;
    this.#add(settled === undefined ? operation : { ...operation, start: settled.start }, index);
  }

  #add(operation: Operation, index: number): void {
    switch (operation.kind) {
      case 'create':
        this.#addNode(operation.inode, operation.node, operation.mode, operation.target ?? '');
        if (operation.node === 'directory') {
          this.history.initialEntries.set(operation.inode, new Map());
        }
        if (this.#reuse !== null && this.history.model.reuse === 'at-once') {
          const { inode } = operation;
          this.#reuse.inodeMade(inode, this.#change(operation, index, { record: inode }));
        }
        if (operation.name !== null) {
          this.#entry(operation, index, operation.directory, operation.name, operation.inode);
          this.#countLink(operation.inode, 1);
        }
        return;
      case 'link':
        this.#entry(operation, index, operation.directory, operation.name, operation.inode);
        this.#countLink(operation.inode, 1);
        return;
      case 'unlink':
        this.#unlinked(
          operation.inode,
          this.#entry(operation, index, operation.directory, operation.name, null),
        );
        return;
      case 'rename':
        return this.#rename(operation, index);
      case 'write':
        return this.#write(operation, index);
      case 'truncate':
        return this.#truncate(operation, index);
      case 'allocate':
        return this.#allocate(operation, index);
      case 'attribute': {
        const { inode, field, value } = operation;
        this.#change(operation, index, { attribute: { inode, field, value } });
        return;
      }
      case 'sync':
      case 'writeback':
      case 'sync-all':
      case 'close':
      case 'mark':
      case 'unmodelled':
        return;
    }
  }

  #addNode(
    inode: InodeNumber,
    kind: NodeKind,
    mode: number,
    target: string,
    content: Uint8Array = NO_BYTES,
  ): void {
    this.history.nodes.set(inode, { kind, mode, target });
    if (kind !== 'file') return;
    this.history.files.set(inode, {
      inode,
      initialContent: content,
      blocks: new Map(),
      changes: [],
      reserved: [],
    });
    this.#sizes.set(inode, content.length);
  }

  #countLink(inode: InodeNumber, by: number): void {
    this.#linkCounts.set(inode, (this.#linkCounts.get(inode) ?? 0) + by);
  }

  /** The last name of a file went: its blocks may be given to others. */
  #unlinked(inode: InodeNumber, by: Change): void {
    this.#countLink(inode, -1);
    if ((this.#linkCounts.get(inode) ?? 0) > 0) return;
    this.#reuse?.inodeFreed(inode, by);
    const size = this.#sizes.get(inode);
    if (size !== undefined) this.#freeBlocks(inode, 0, size, by.start);
  }

  #freeBlocks(inode: InodeNumber, fromByte: number, toByte: number, start: number): void {
    for (let block = Math.ceil(fromByte / BLOCK_BYTES); block * BLOCK_BYTES < toByte; block++) {
      this.history.freed.push({ start, inode, block });
      this.#reuse?.blockFreed(this.#block(inode, block), start);
    }
  }

  #change(operation: Operation, index: number, effects: ChangeEffects): Change {
    const change: Change = {
      id: this.history.changes.length,
      operation: index,
      start: operation.start,
      end: operation.end ?? Infinity,
      after: this.#after,
      order: effects.order ?? this.history.model.metadata,
      follows: effects.follows ?? -1,
      entries: effects.entries ?? [],
      size: effects.size ?? null,
      attribute: effects.attribute ?? null,
      block: effects.block ?? null,
      record: effects.record ?? null,
      aloneFrom: Infinity,
      floorEnd: Infinity,
    };
    this.history.changes.push(change);
    for (const { directory, name } of change.entries) {
      let names = this.history.entryChanges.get(directory);
      if (names === undefined) this.history.entryChanges.set(directory, (names = new Map()));
      const changes = names.get(name);
      if (changes === undefined) names.set(name, [change]);
      else changes.push(change);
    }
    const ofFile = change.size?.inode ?? change.block?.inode;
    if (ofFile !== undefined) this.#file(ofFile).changes.push(change);
    if (change.attribute !== null) {
      const known = this.history.attributeChanges.get(change.attribute.inode);
      if (known === undefined) this.history.attributeChanges.set(change.attribute.inode, [change]);
      else known.push(change);
    }
    return change;
  }

  #entry(
    operation: Operation,
    index: number,
    directory: InodeNumber,
    name: string,
    inode: InodeNumber | null,
    follows = -1,
  ): Change {
    return this.#change(operation, index, { entries: [{ directory, name, inode }], follows });
  }

  #rename(operation: Extract<Operation, { kind: 'rename' }>, index: number): void {
    const { fromDirectory, fromName, toDirectory, toName, inode, replaced } = operation;
    // Two names of one file: rename(2) does nothing then.
    if (replaced === inode) return;
    const target: EntryEffect = { directory: toDirectory, name: toName, inode };
    if (operation.exchange === true) {
      const back = { directory: fromDirectory, name: fromName, inode: replaced };
      this.#change(operation, index, { entries: [target, back] });
      return;
    }
    const source: EntryEffect = { directory: fromDirectory, name: fromName, inode: null };
    let switched: Change;
    if (this.history.model.rename === 'atomic') {
      switched = this.#change(operation, index, { entries: [target, source] });
    } else if (this.history.model.rename === 'split') {
      if (replaced !== null) this.#entry(operation, index, toDirectory, toName, null);
      switched = this.#change(operation, index, { entries: [target] });
      this.#change(operation, index, { entries: [source] });
    } else {
      switched = this.#change(operation, index, { entries: [target] });
      this.#change(operation, index, { entries: [source], follows: switched.id });
    }
    if (replaced !== null) this.#unlinked(replaced, switched);
  }

  #file(inode: InodeNumber): FileHistory {
    const file = this.history.files.get(inode);
    assert(file !== undefined, `inode ${inode} is not a file of this trace`);
    return file;
  }

  #block(inode: InodeNumber, block: number): BlockHistory {
    const file = this.#file(inode);
    let history = file.blocks.get(block);
    if (history === undefined) {
      const from = block * BLOCK_BYTES;
      const initial =
        from < file.initialContent.length
          ? file.initialContent.subarray(from, from + BLOCK_BYTES)
          : null;
      history = { inode, block, initial, events: [], taken: [] };
      file.blocks.set(block, history);
    }
    return history;
  }

  /** Bytes for a file, in whichever way the model keeps data; the size follows block by block. */
  #bytes(
    operation: Operation,
    index: number,
    inode: InodeNumber,
    offset: number,
    bytes: Uint8Array,
  ): void {
    const { model } = this.history;
    let done = 0;
    // One call writes its blocks one after the other; in a journal they keep that order, behind what came before.
    const last = model.appendSize === 'stream' ? this.#lastBefore(inode) : -1;
    let before = last;
    while (done < bytes.length) {
      const position = offset + done;
      const block = Math.floor(position / BLOCK_BYTES);
      const inBlock = position % BLOCK_BYTES;
      const part = bytes.subarray(
        done,
        done + Math.min(bytes.length - done, BLOCK_BYTES - inBlock),
      );
      done += part.length;
      const end = position + part.length;
      const size =
        end > this.#sizeAt(inode, operation.start, this.#after) ? { inode, bytes: end } : null;
      const longest = end > (this.#sizes.get(inode) ?? 0);
      if (size !== null) this.#grow(inode, end, operation, index);
      if (model.data === 'stream') {
        const effect = { inode, block, offset: inBlock, bytes: part };
        const follows = before;
        before = this.#change(operation, index, {
          block: effect,
          size,
          order: 'stream',
          follows,
        }).id;
        continue;
      }
      this.#event(operation, index, inode, block, inBlock, part);
      if (size === null) continue;
      const late = model.appendSize === 'late';
      const follows = !late ? last : longest ? (this.#lastLate.get(inode) ?? -1) : before;
      const change = this.#change(operation, index, { size, order: model.appendSize, follows });
      if (late && longest) this.#lastLate.set(inode, change.id);
      if (late) before = change.id;
    }
  }

  /** The last change of the calls that came before this one although they overlap with it; -1 for none. */
  #lastBefore(inode: InodeNumber): number {
    if (this.#after.length === 0) return -1;
    const { changes } = this.#file(inode);
    return changes.findLast(({ operation }) => this.#after.includes(operation))?.id ?? -1;
  }

  /** The size that a call can count on: what other writes that overlap with it bring may come after it. */
  #sizeAt(inode: InodeNumber, start: number, after: readonly number[]): number {
    const growths = this.#growths.get(inode);
    if (growths === undefined) return this.#sizes.get(inode) ?? 0;
    let size = 0;
    for (const { operation, end, bytes } of growths) {
      if (end < start || after.includes(operation)) size = Math.max(size, bytes);
    }
    return size;
  }

  #grow(inode: InodeNumber, bytes: number, { start, end }: Operation, operation: number): void {
    const size = this.#sizes.get(inode) ?? 0;
    const open = this.#growths.get(inode)?.filter((growth) => growth.end >= start) ?? [];
    const certain = { operation: -1, end: -1, bytes: this.#sizeAt(inode, start, NONE) };
    this.#growths.set(inode, [certain, ...open, { operation, end: end ?? Infinity, bytes }]);
    this.#sizes.set(inode, Math.max(size, bytes));
  }

  #resize(inode: InodeNumber, bytes: number): void {
    this.#sizes.set(inode, bytes);
    this.#growths.delete(inode);
    this.#lastLate.delete(inode);
  }

  #event(
    operation: Operation,
    index: number,
    inode: InodeNumber,
    block: number,
    offset: number,
    bytes: Uint8Array,
    byChange = -1,
  ): void {
    this.#block(inode, block).events.push({
      operation: index,
      start: operation.start,
      end: operation.end ?? Infinity,
      after: this.#after,
      kind: byChange === -1 ? 'write' : 'free',
      offset,
      bytes,
      byChange,
      floorEnd: Infinity,
    });
    if (byChange === -1) this.#reuse?.blockWritten(this.#block(inode, block));
  }

  #write(operation: Extract<Operation, { kind: 'write' }>, index: number): void {
    const content = this.history.trace.contents.get(operation.content);
    assert(content !== undefined, `content ${operation.content} is missing from the trace`);
    assert(content.length === operation.length, 'a write has as many bytes as its content');
    this.#bytes(operation, index, operation.inode, operation.offset, content);
  }

  /** Takes the blocks of [from, to) from the file by `change`, and zeroes the parts of blocks at the ends. */
  #release(
    operation: Operation,
    index: number,
    inode: InodeNumber,
    from: number,
    to: number,
    change: Change,
  ): void {
    const firstWhole = Math.ceil(from / BLOCK_BYTES);
    const lastWhole = Math.ceil(to / BLOCK_BYTES);
    for (let block = Math.floor(from / BLOCK_BYTES); block < lastWhole; block++) {
      if (block >= firstWhole) {
        this.#event(operation, index, inode, block, 0, NO_BYTES, change.id);
        continue;
      }
      const inBlock = from % BLOCK_BYTES;
      const length = Math.min(to - block * BLOCK_BYTES, BLOCK_BYTES) - inBlock;
      this.#event(operation, index, inode, block, inBlock, new Uint8Array(length));
    }
    this.#freeBlocks(inode, from, to, operation.start);
  }

  #truncate(operation: Extract<Operation, { kind: 'truncate' }>, index: number): void {
    const { inode, size } = operation;
    const before = this.#sizes.get(inode) ?? 0;
    const change = this.#change(operation, index, { size: { inode, bytes: size } });
    this.#resize(inode, size);
    if (size < before && this.history.model.data === 'own') {
      this.#release(operation, index, inode, size, before, change);
    }
  }

  #allocate(operation: Extract<Operation, { kind: 'allocate' }>, index: number): void {
    const { inode, offset, length, mode } = operation;
    const before = this.#sizes.get(inode) ?? 0;
    const end = offset + length;
    if (mode === 'extend' || mode === 'zero-range') {
      if (end > before) {
        const { id } = this.#change(operation, index, { size: { inode, bytes: end } });
        this.#resize(inode, end);
        this.#file(inode).reserved.push({ from: offset, to: end, byChange: id });
      }
    }
    if (mode !== 'punch-hole' && mode !== 'zero-range') return;
    // Zeros in a range of the file, as bytes: whether the blocks are given back does not show.
    const zeroed = Math.min(end, before) - offset;
    if (zeroed > 0) this.#bytes(operation, index, inode, offset, new Uint8Array(zeroed));
  }
}
