/**
 * Every disk that a model allows, by brute force and straight from the definitions: all subsets of the changes,
 * filtered by the order; all orders of calls that overlapped; all outcomes of all blocks; all crash points. It
 * takes changes and floors as given and shares nothing else with the explorer, which it is compared with.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import { bytesOfNobody } from '../../src/lab/explore/block-domain.ts';
import type { BlockEvent, BlockHistory, Change, FileHistory } from '../../src/lab/model/change.ts';
import type { InodeSlot } from '../../src/lab/model/reuse.ts';
import type { ChangeHistory } from '../../src/lab/model/split-trace.ts';
import {
  type MarkOperation,
  type Operation,
  ROOT_INODE,
  type Trace,
} from '../../src/lab/record/operation.ts';

const BLOCK = 4096;

export interface PlainDisks {
  /** Each distinct disk with the highest number of marks under which it was seen. */
  readonly disks: ReadonlyMap<string, number>;
  /** Every state at every crash point, equal disks under equal marks once. */
  readonly each: readonly CrashedDisk[];
  /** States at the crash points after each operation. */
  readonly rawStates: bigint;
}

/** Gives up with null when there are more than `statesMax` states at some point. */
export function plainDisks(history: ChangeHistory, statesMax: number): PlainDisks | null {
  const disks = new Map<string, number>();
  const each = new Map<string, CrashedDisk>();
  const { trace } = history;
  for (const position of positionsOf(trace)) {
    const told = trace.operations.filter(
      (operation): operation is MarkOperation =>
        operation.kind === 'mark' && operation.start <= position,
    );
    const marks = told.length;
    let states = 0;
    for (const survivors of survivorSets(history, position)) {
      const choices = new Odometer();
      do {
        if (++states > statesMax) return null;
        choices.begin();
        const state = new PlainState(history, position, survivors, choices);
        const root = state.directory(ROOT_INODE, []);
        const key = treeKey(root);
        each.set(`${marks} ${key}`, { root, marks: told });
        disks.set(key, Math.max(disks.get(key) ?? 0, marks));
      } while (choices.next());
    }
  }
  return { disks, each: [...each.values()], rawStates: plainCount(history) };
}

/** A tree as text: names sorted, hard links told apart from copies. */
export function treeKey(root: FileTreeDirectory): string {
  const numbers = new Map<number, number>();
  const tell = (node: FileTreeNode): string => {
    if (node.kind === 'symlink') return `-> ${node.target}`;
    if (node.kind === 'file') {
      const inode = node.inode ?? -1;
      const number = numbers.get(inode) ?? numbers.size;
      numbers.set(inode, number);
      return `${node.mode.toString(8)} #${number} ${Buffer.from(node.content).toString('latin1')}`;
    }
    const names = [...node.entries.keys()].toSorted();
    const told = names.map((name) => {
      const child = node.entries.get(name);
      return `${name}: ${child === undefined ? '' : tell(child)}`;
    });
    return `${node.mode.toString(8)} {${told.join('\n')}}`;
  };
  return tell(root);
}

function positionsOf(trace: Trace): number[] {
  const times = trace.operations.flatMap(({ start, end }) =>
    end === null ? [start] : [start, end],
  );
  return [-1, ...times].toSorted((a, b) => a - b);
}

/** States after each operation that changes or syncs something. */
function plainCount(history: ChangeHistory): bigint {
  let total = 0n;
  for (const { kind, start, end } of history.trace.operations) {
    if (kind === 'mark' || kind === 'close' || kind === 'unmodelled') continue;
    const position = end ?? start;
    for (const survivors of survivorSets(history, position)) {
      const state = new PlainState(history, position, survivors, new Odometer());
      let product = 1n;
      for (const file of history.files.values()) {
        if (history.model.data === 'own') product *= state.contentCount(file);
      }
      total += product;
    }
  }
  return total;
}

function* survivorSets(history: ChangeHistory, position: number): Generator<Set<Change>> {
  const issued = history.changes.filter(({ start }) => start <= position);
  const open = issued.filter(({ floorEnd }) => floorEnd > position);
  const forced = issued.filter(({ floorEnd }) => floorEnd <= position);
  for (let bits = 0; bits < 2 ** open.length; bits++) {
    const kept = new Set(forced);
    open.forEach((change, index) => {
      if ((bits >> index) % 2 === 1) kept.add(change);
    });
    if (isOrdered(issued, kept, new Set(forced), history.changes, position)) yield kept;
  }
}

function isOrdered(
  issued: readonly Change[],
  kept: ReadonlySet<Change>,
  forced: ReadonlySet<Change>,
  all: readonly Change[],
  position: number,
): boolean {
  for (const later of kept) {
    const needed = later.aloneFrom <= position ? undefined : all[later.follows];
    if (needed !== undefined && !kept.has(needed)) return false;
    // A sync that brings one inode alone takes its changes out of the order.
    if (later.order === 'free' || forced.has(later)) continue;
    for (const earlier of issued) {
      const ordered = earlier.order === 'stream' && earlier.end < later.start;
      if (ordered && !kept.has(earlier)) return false;
    }
  }
  return true;
}

/** Counts through all combinations of digits whose bases are told as they come. */
class Odometer {
  readonly #digits: number[] = [];
  readonly #bases: number[] = [];
  #place = 0;

  begin(): void {
    this.#place = 0;
  }

  digit(base: number): number {
    const place = this.#place++;
    this.#bases[place] = base;
    this.#digits[place] ??= 0;
    return this.#digits[place];
  }

  next(): boolean {
    for (let place = this.#place - 1; place >= 0; place--) {
      const digit = (this.#digits[place] ?? 0) + 1;
      this.#digits.length = place;
      if (digit < (this.#bases[place] ?? 0)) {
        this.#digits.push(digit);
        return true;
      }
    }
    return false;
  }
}

class PlainState {
  readonly #history: ChangeHistory;
  readonly #position: number;
  readonly #kept: ReadonlySet<Change>;
  readonly #choices: Odometer;
  readonly #contents = new Map<number, Uint8Array>();
  readonly #slots = new Map<number, number | null>();
  readonly #remembered: Map<string, Uint8Array[]>;

  constructor(
    history: ChangeHistory,
    position: number,
    kept: ReadonlySet<Change>,
    choices: Odometer,
  ) {
    this.#remembered = rememberedOf(history);
    this.#history = history;
    this.#position = position;
    this.#kept = kept;
    this.#choices = choices;
  }

  directory(inode: number, above: readonly number[]): FileTreeDirectory {
    const entries = new Map<string, FileTreeNode>();
    const initial = this.#history.initialEntries.get(inode);
    const changed = this.#history.entryChanges.get(inode);
    for (const name of new Set([...(initial?.keys() ?? []), ...(changed?.keys() ?? [])])) {
      const named = this.#entry(changed?.get(name) ?? [], inode, name, initial?.get(name) ?? null);
      const child = named === null ? null : this.#shown(named);
      if (child === null || child === inode || above.includes(child)) continue;
      entries.set(name, this.#node(child, [...above, inode]));
    }
    return { kind: 'directory', mode: this.#mode(inode), entries, inode };
  }

  #node(inode: number, above: readonly number[]): FileTreeNode {
    const facts = this.#history.nodes.get(inode);
    if (facts?.kind === 'directory') return this.directory(inode, above);
    if (facts?.kind === 'symlink') return { kind: 'symlink', target: facts.target, inode };
    return { kind: 'file', mode: this.#mode(inode), content: this.#content(inode), inode };
  }

  #entry(
    changes: readonly Change[],
    directory: number,
    name: string,
    initial: number | null,
  ): number | null {
    const kept = changes.filter((change) => this.#kept.has(change));
    const newest = kept.at(-1);
    const last = kept.filter(
      (one) =>
        !kept.some(({ start }) => one.end < start) &&
        (one === newest || one.operation !== newest?.operation),
    );
    if (last.length === 0) return initial;
    const change = last[last.length === 1 ? 0 : this.#choices.digit(last.length)];
    const effect = change?.entries.find(
      (entry) => entry.directory === directory && entry.name === name,
    );
    return effect?.inode ?? null;
  }

  /** Who is found in the inode's place: all answers that agree with those given before. */
  #shown(inode: number): number | null {
    const slot = this.#history.slots.get(inode);
    if (slot === undefined) return inode;
    const given = this.#slots.get(inode);
    if (given !== undefined) return given;
    const made = (one: InodeSlot | undefined): boolean =>
      one === undefined || one.record === null || this.#kept.has(one.record);
    const itself = (one: number): boolean =>
      (this.#slots.get(one) ?? one) === one && made(this.#history.slots.get(one));
    const owners = slot.before.filter(
      ({ start, inode: one }) => start <= this.#position && itself(one),
    );
    const takers = slot.after.filter(({ record }) => this.#kept.has(record));
    const answers = [
      ...(made(slot) ? [inode] : [null, ...owners.map((one) => one.inode)]),
      ...takers.map((one) => one.inode),
    ];
    const answer = answers[answers.length === 1 ? 0 : this.#choices.digit(answers.length)] ?? null;
    this.#slots.set(inode, answer);
    if (owners.some((one) => one.inode === answer) && answer !== null)
      this.#slots.set(answer, answer);
    return answer;
  }

  #mode(inode: number): number {
    let { mode } = this.#history.nodes.get(inode) ?? { mode: 0 };
    for (const change of this.#history.attributeChanges.get(inode) ?? []) {
      const { field, value } = change.attribute ?? {};
      if (field === 'mode' && this.#kept.has(change)) mode = Number.parseInt(value ?? '', 8);
    }
    return mode;
  }

  #content(inode: number): Uint8Array {
    let content = this.#contents.get(inode);
    const file = this.#history.files.get(inode);
    if (content === undefined && file !== undefined) {
      content = this.#history.model.data === 'stream' ? this.#journalled(file) : this.#blocks(file);
      this.#contents.set(inode, content);
    }
    return content ?? new Uint8Array(0);
  }

  #journalled(file: FileHistory): Uint8Array {
    const kept = file.changes.filter((change) => this.#kept.has(change));
    const orders = linearOrders(kept, this.#history.trace);
    const order = orders[orders.length === 1 ? 0 : this.#choices.digit(orders.length)] ?? [];
    let bytes = file.initialContent;
    for (const { size, block } of order) {
      // Only a truncation makes a file shorter; bytes beyond the end are seen by nobody.
      const length = size?.bytes ?? bytes.length;
      const next = new Uint8Array(block === null ? length : Math.max(length, bytes.length));
      next.set(bytes.subarray(0, next.length));
      const at = (block?.block ?? 0) * BLOCK + (block?.offset ?? 0);
      block?.bytes.forEach((byte, index) => {
        if (at + index < next.length) next[at + index] = byte;
      });
      bytes = next;
    }
    return bytes;
  }

  #blocks(file: FileHistory): Uint8Array {
    const { size } = this.#sizeOf(file);
    const bytes = new Uint8Array(size);
    for (let block = 0; block * BLOCK < size; block++) {
      const outcomes = this.#outcomes(file, block);
      const outcome = outcomes[outcomes.length === 1 ? 0 : this.#choices.digit(outcomes.length)];
      if (outcome !== undefined) bytes.set(outcome, block * BLOCK);
    }
    return bytes;
  }

  contentCount(file: FileHistory): bigint {
    const { size } = this.#sizeOf(file);
    let product = 1n;
    for (let block = 0; block * BLOCK < size; block++) {
      product *= BigInt(this.#outcomes(file, block).length);
    }
    return product;
  }

  #sizeOf(file: FileHistory): { size: number; change: Change | undefined } {
    const kept = file.changes.filter((one) => this.#kept.has(one));
    const last = kept.at(-1);
    const writes = kept.filter((one) => {
      const both = [one, last].map((each) => this.#history.trace.operations[each?.operation ?? -1]);
      const written = both.every((operation) => operation?.kind === 'write');
      return written && last !== undefined && !isBefore(one, last, this.#history.trace);
    });
    // Whichever of the writes that overlapped came last: the file is as long as the longest made it.
    const lengths = writes.map(({ size }) => size?.bytes ?? 0);
    const change = writes.findLast(({ size }) => size?.bytes === Math.max(...lengths)) ?? last;
    return { size: change?.size?.bytes ?? file.initialContent.length, change };
  }

  /** What the block can hold, cut to what the file shows of it. */
  #outcomes(file: FileHistory, block: number): Uint8Array[] {
    const { size, change } = this.#sizeOf(file);
    const length = Math.min(BLOCK, size - block * BLOCK);
    const history = file.blocks.get(block);
    const initial = file.initialContent.subarray(block * BLOCK, (block + 1) * BLOCK);
    if (history === undefined) return [padded(initial).subarray(0, length)];
    const { events, fresh, first } = this.#epoch(history);
    const floored = (event: BlockEvent): boolean => event.floorEnd <= this.#position;
    const required = (event: BlockEvent): boolean =>
      floored(event) || this.#sizeNeeds(event, block, change);
    const grounds = this.#grounds(history, fresh, events);
    // The one thing that is remembered: what the definition says twice of the same.
    const told = events.map((event) => `${event.operation}${required(event) ? '!' : ''}`).join();
    const place = `${file.inode} ${block} ${first} ${grounds.length} ${length}`;
    const floors = events.filter(floored).length;
    const taken = history.taken.filter((one) => first <= one.events && one.start <= this.#position);
    const key = `${place} ${told} ${floors} ${this.#lost()} ${taken.length}`;
    let shown = this.#remembered.get(key);
    if (shown === undefined) {
      const found = new Map<string, Uint8Array>();
      const rules = { required, floored, lost: this.#lost(), history };
      for (const { bytes } of plainOutcomes(this.#history, events, rules, grounds)) {
        const part = bytes.subarray(0, length);
        found.set(Buffer.from(part).toString('latin1'), part);
      }
      for (const { bytes } of taken) {
        const part = bytes.subarray(0, length);
        found.set(Buffer.from(part).toString('latin1'), part);
      }
      this.#remembered.set(key, (shown = [...found.values()]));
    }
    return shown;
  }

  /** When the first call returned whose change in the stream is lost: copied blocks of later calls are too. */
  #lost(): number {
    const { changes, model } = this.#history;
    if (!model.dataNeedsStream) return Infinity;
    const lost = changes.filter(
      (change) =>
        change.order === 'stream' && change.start <= this.#position && !this.#kept.has(change),
    );
    return Math.min(Infinity, ...lost.map(({ end }) => end));
  }

  /** Events of the disk block that the file has at this place. */
  #epoch(history: BlockHistory): { events: BlockEvent[]; fresh: boolean; first: number } {
    const issued = history.events.filter(({ start }) => start <= this.#position);
    const survived = ({ byChange }: BlockEvent): boolean => {
      const change = this.#history.changes[byChange];
      return change !== undefined && this.#kept.has(change);
    };
    const first = issued.findLastIndex((event) => event.kind === 'free' && survived(event)) + 1;
    const after = issued.slice(first);
    const next = after.findIndex(({ kind }) => kind === 'free');
    const events = next < 0 ? after : after.slice(0, next);
    return { events, fresh: first > 0 || history.initial === null, first };
  }

  #sizeNeeds(event: BlockEvent, block: number, change: Change | undefined): boolean {
    const { dataBeforeSize } = this.#history.model;
    if (dataBeforeSize === 'none' || change?.size == null || change.order === 'free') return false;
    const { turns } = this.#history.order;
    if (dataBeforeSize === 'all') {
      return (turns[event.operation] ?? 0) <= (turns[change.operation] ?? 0);
    }
    const last = Math.floor((change.size.bytes - 1) / BLOCK);
    return block === last && event.operation === change.operation;
  }

  #grounds(history: BlockHistory, fresh: boolean, events: readonly BlockEvent[]): Uint8Array[] {
    const given = (this.#history.files.get(history.inode)?.reserved ?? []).some((range) => {
      const last = (this.#history.changes[range.byChange]?.floorEnd ?? Infinity) <= this.#position;
      return last && range.from <= history.block * BLOCK && range.to > history.block * BLOCK;
    });
    if (!fresh) return [padded(history.initial ?? new Uint8Array(0))];
    if (events.length === 0 || given) return [new Uint8Array(BLOCK)];
    const { unwritten } = this.#history.model;
    const grounds: Uint8Array[] = [];
    const garbage = this.#garbage(history).map((bytes) => this.#where(events, bytes));
    if (unwritten.includes('zeros')) grounds.push(new Uint8Array(BLOCK));
    return [...grounds, ...garbage];
  }

  /** Garbage covers the block, or only what was written of it. */
  #where(events: readonly BlockEvent[], garbage: Uint8Array): Uint8Array {
    if (this.#history.model.garbageCovers === 'block') return garbage;
    const shown = new Uint8Array(BLOCK);
    for (const { offset, bytes } of events) {
      shown.set(garbage.subarray(offset, offset + bytes.length), offset);
    }
    return shown;
  }

  #garbage(history: BlockHistory): Uint8Array[] {
    const { unwritten } = this.#history.model;
    const grounds: Uint8Array[] = [];
    if (unwritten.includes('random')) grounds.push(bytesOfNobody(history));
    if (!unwritten.includes('freed')) return grounds;
    for (const { start, inode, block } of this.#history.freed) {
      const file = this.#history.files.get(inode);
      if (start > this.#position || file === undefined) continue;
      const bytes = padded(file.initialContent.subarray(block * BLOCK, (block + 1) * BLOCK));
      for (const event of file.blocks.get(block)?.events ?? []) {
        if (event.start < start) bytes.set(event.bytes, event.offset);
      }
      grounds.push(bytes);
    }
    return grounds;
  }
}

const remembered = new WeakMap<ChangeHistory, Map<string, Uint8Array[]>>();

function rememberedOf(history: ChangeHistory): Map<string, Uint8Array[]> {
  let known = remembered.get(history);
  if (known === undefined) remembered.set(history, (known = new Map()));
  return known;
}

interface PlainRules {
  readonly history: BlockHistory;
  readonly required: (event: BlockEvent) => boolean;
  readonly floored: (event: BlockEvent) => boolean;
  /** Nothing that started later can show, unless a floor covers it. */
  readonly lost: number;
}

interface Page {
  readonly bytes: Uint8Array;
  /** Start of the latest event in it that no floor covers. */
  readonly newest: number;
}

/** Any page since the last that is required, two of them torn at a sector, or damage around a write. */
function plainOutcomes(
  { model, trace }: ChangeHistory,
  events: readonly BlockEvent[],
  rules: PlainRules,
  grounds: readonly Uint8Array[],
): Page[] {
  const { tearBytes } = model;
  const outcomes: Page[] = [];
  const tear = (before: Page, after: Page): void => {
    const newest = Math.max(before.newest, after.newest);
    for (let cut = tearBytes || BLOCK; cut < BLOCK; cut += tearBytes) {
      const [a, b] = [before.bytes, after.bytes];
      outcomes.push({ bytes: Buffer.concat([a.subarray(0, cut), b.subarray(cut)]), newest });
      outcomes.push({ bytes: Buffer.concat([b.subarray(0, cut), a.subarray(cut)]), newest });
    }
  };
  const nothing = grounds.map((bytes) => ({ bytes, newest: -1 }));
  for (const order of linearOrders(events, trace)) {
    const first = order.findLastIndex(rules.required);
    const pages: Page[] = first < 0 ? [...nothing] : [];
    const bytes = (grounds[0] ?? new Uint8Array(BLOCK)).slice();
    let newest = -1;
    order.forEach((event, index) => {
      bytes.set(event.bytes, event.offset);
      if (!rules.floored(event)) newest = Math.max(newest, event.start);
      if (index >= first) pages.push({ bytes: bytes.slice(), newest });
    });
    outcomes.push(...pages);
    pages.forEach((after, index) => {
      const before = nothing.includes(after) ? [] : pages.slice(0, index);
      for (const page of before) tear(page, after);
    });
    if (model.damagesAround && events.length > 0) {
      for (const page of pages) outcomes.push(...damaged(page, events, rules, tearBytes));
    }
  }
  return outcomes.filter((page) => page.newest <= rules.lost);
}

function damaged(
  page: Page,
  events: readonly BlockEvent[],
  rules: PlainRules,
  sector: number,
): Page[] {
  return events.flatMap((event) => {
    if (rules.floored(event) || event.bytes.length === 0) return [];
    const from = Math.floor(event.offset / sector) * sector;
    const to = Math.ceil((event.offset + event.bytes.length) / sector) * sector;
    const bytes = page.bytes.slice();
    bytes.set(bytesOfNobody(rules.history).subarray(from, to), from);
    return [{ bytes, newest: page.newest }];
  });
}

interface Timed {
  readonly operation: number;
  readonly start: number;
  readonly end: number;
}

/** All orders in which whatever is known to have come before something else comes before it. */
function linearOrders<T extends Timed>(items: readonly T[], trace: Trace): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first) => {
    const others = items.filter((item) => item !== first);
    // Parts of one call keep their order.
    const parts = items.slice(0, items.indexOf(first));
    if (parts.some((part) => part.operation === first.operation)) return [];
    if (others.some((other) => isBefore(other, first, trace))) return [];
    return linearOrders(others, trace).map((rest) => [first, ...rest]);
  });
}

/** Whether `a` is known to have come before `b`. */
export function isBefore(a: Timed, b: Timed, trace: Trace): boolean {
  return a.end < b.start || appendTells(trace, a.operation, b.operation);
}

/** Whether an append tells that of two calls that overlapped `first` came first: the three rules of the page. */
function appendTells(trace: Trace, first: number, second: number): boolean {
  const [a, b] = [trace.operations[first], trace.operations[second]];
  if (a?.kind !== 'write' || b?.kind !== 'write' || a.inode !== b.inode) return false;
  const ofFile = trace.operations.filter((one) => 'inode' in one && one.inode === a.inode);
  const overlap = (x: Operation, y: Operation): boolean =>
    x.start < (y.end ?? Infinity) && y.start < (x.end ?? Infinity);
  const resizes = ofFile.filter(({ kind }) => kind === 'truncate' || kind === 'allocate');
  const isResized = resizes.some((one) => overlap(one, a) || overlap(one, b));
  if (!overlap(a, b) || isResized || a.error !== undefined || b.error !== undefined) return false;
  const [endA, endB] = [a.offset + a.length, b.offset + b.length];
  if (a.append === true && b.append === true) return endA <= b.offset;
  if (a.append === true) return endB > a.offset;
  if (b.append !== true || endA !== b.offset) return false;
  const initial = trace.initial.find(({ inode }) => inode === a.inode);
  const made = initial?.node === 'file' ? trace.contents.get(initial.content)?.length : undefined;
  return (
    made !== b.offset &&
    ofFile.every((one) => {
      if (one === a || one.error !== undefined) return true;
      if (one.kind === 'truncate') return one.size !== b.offset;
      if (one.kind !== 'write' && one.kind !== 'allocate') return true;
      return one.offset + one.length !== b.offset;
    })
  );
}

function padded(bytes: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(bytes);
  return block;
}
