/**
 * Which calls of a run the time line of a page shows, and where: a lane for each file, a column for each call. A trace
 * may have ten thousand calls; those that a finding speaks of are shown with their neighbours on the same files, and
 * how many were left out is said in their place. Data only; `lanes-html.ts` draws it.
 */

import type { InodeNumber, Operation, Trace } from '../../record/operation.ts';
import { ROOT_INODE } from '../../record/operation.ts';

/** Calls and lanes of one time line. */
const COLUMNS_MAX = 40;
const LANES_MAX = 14;
/** Calls after the power cut: what was not to be. */
const AFTER_MAX = 3;
/** Names of one file that are shown. */
const NAMES_MAX = 4;

/** Where the power failed. */
export interface LaneCrash {
  readonly time: number;
}

/** A sync that is not there. */
export interface LaneGhost {
  readonly after: number;
  readonly lane: LaneKey;
  readonly call: string;
}

export type LaneKey = InodeNumber | 'told' | 'all';

export interface Lane {
  readonly key: LaneKey;
  /** The names that it had, in order. */
  readonly names: readonly string[];
  readonly node: 'file' | 'directory' | 'told' | 'all';
  /** How many names were left out. */
  readonly moreNames: number;
}

export type LaneColumn =
  | { readonly kind: 'call'; readonly operation: number; readonly lane: LaneKey }
  | { readonly kind: 'gap'; readonly count: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'ghost'; readonly ghost: LaneGhost };

export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly columns: readonly LaneColumn[];
  /** Calls that are not shown. */
  readonly left: number;
}

export interface LaneRequest {
  /** Calls that must be seen, as far as there is room. */
  readonly focus: readonly number[];
  readonly crash: LaneCrash | null;
  readonly ghost: LaneGhost | null;
}

/** What the lanes of one trace are called; made once for all its time lines. */
export class LaneNames {
  readonly #names = new Map<InodeNumber, string[]>();
  readonly #directories = new Set<InodeNumber>([ROOT_INODE]);

  constructor(trace: Trace) {
    this.#names.set(ROOT_INODE, ['.']);
    const entries = new Map(
      trace.initial.flatMap((node) =>
        node.node === 'directory' ? [[node.inode, node.entries] as const] : [],
      ),
    );
    const below = [{ inode: ROOT_INODE, path: '' }];
    for (let one = below.pop(); one !== undefined; one = below.pop()) {
      for (const [name, inode] of entries.get(one.inode) ?? []) {
        const path = one.path === '' ? name : `${one.path}/${name}`;
        this.#add(inode, path);
        if (!entries.has(inode) || this.#directories.has(inode)) continue;
        this.#directories.add(inode);
        below.push({ inode, path });
      }
    }
    for (const operation of trace.operations) this.#learn(operation);
  }

  lane(key: LaneKey): Lane {
    if (key === 'told') return { key, names: ['told to the world'], node: 'told', moreNames: 0 };
    if (key === 'all') return { key, names: ['everything'], node: 'all', moreNames: 0 };
    const all = this.#names.get(key) ?? ['(a file without a name)'];
    const names = all.length <= NAMES_MAX ? all : [...all.slice(0, 1), ...all.slice(1 - NAMES_MAX)];
    const node = this.#directories.has(key) ? 'directory' : 'file';
    return { key, names, node, moreNames: all.length - names.length };
  }

  #learn(operation: Operation): void {
    if (operation.error !== undefined || !('inode' in operation)) return;
    if (operation.kind === 'create' && operation.node === 'directory') {
      this.#directories.add(operation.inode);
    }
    const names =
      operation.kind === 'create' || operation.kind === 'link' || operation.kind === 'rename';
    if (names || !this.#names.has(operation.inode)) this.#add(operation.inode, operation.path);
  }

  #add(inode: InodeNumber, path: string): void {
    if (path === '') return;
    const known = this.#names.get(inode);
    if (known === undefined) this.#names.set(inode, [path]);
    else if (known.at(-1) !== path) known.push(path);
  }
}

/** The lane of a call; null for one that is not shown: it changed nothing and told nothing. */
export function laneOf(operation: Operation): LaneKey | null {
  switch (operation.kind) {
    case 'mark':
      return operation.text.trim() === '' && operation.source !== 'exit' ? null : 'told';
    case 'sync-all':
    case 'unmodelled':
      return 'all';
    case 'close':
    case 'writeback':
      return null;
    default:
      return operation.inode;
  }
}

/** The time line that answers the request. */
export function chooseLanes(trace: Trace, names: LaneNames, request: LaneRequest): Lanes {
  const { crash, ghost } = request;
  const happened = trace.operations.findIndex(({ start }) => start > (crash?.time ?? Infinity));
  const last = happened < 0 ? trace.operations.length : happened;
  const focus = [...new Set(request.focus)].filter((at) => isShown(trace, at));
  const kept = evenly(
    focus.toSorted((a, b) => a - b),
    COLUMNS_MAX,
  );
  const wanted = lanesWanted(trace, kept, ghost);
  const keys = wanted.slice(0, LANES_MAX);
  const shown = withNeighbours(trace, kept, new Set(keys), last, focus.length === 0);
  const used = new Set(shown.map((at) => laneAt(trace, at)));
  if (ghost !== null) used.add(ghost.lane);
  const lanes = [...keys, ...used]
    .filter((key, index, all) => key !== null && used.has(key) && all.indexOf(key) === index)
    .filter((key) => key !== null)
    .slice(0, LANES_MAX);
  const fits = shown.filter((at) => lanes.includes(laneAt(trace, at) ?? 'all'));
  const columns = columnsOf(trace, fits, request, last);
  const total = trace.operations.filter((one) => laneOf(one) !== null).length;
  return { lanes: lanes.map((key) => names.lane(key)), columns, left: total - fits.length };
}

function laneAt(trace: Trace, index: number): LaneKey | null {
  const operation = trace.operations[index];
  return operation === undefined ? null : laneOf(operation);
}

function isShown(trace: Trace, index: number): boolean {
  return laneAt(trace, index) !== null;
}

/** At most `max` of them, from the whole of the list. */
function evenly(list: readonly number[], max: number): number[] {
  if (list.length <= max) return [...list];
  const step = (list.length - 1) / (max - 1);
  return Array.from({ length: max }, (_, index) => list[Math.round(index * step)] ?? 0);
}

function lanesWanted(trace: Trace, focus: readonly number[], ghost: LaneGhost | null): LaneKey[] {
  const keys = new Set<LaneKey>();
  for (const at of focus) {
    const key = laneAt(trace, at);
    if (key !== null && key !== 'told') keys.add(key);
  }
  if (ghost !== null) keys.add(ghost.lane);
  return [...keys];
}

/** The calls of the focus, and as many more as there is room for: those near to it on its lanes, then others. */
function withNeighbours(
  trace: Trace,
  focus: readonly number[],
  keys: ReadonlySet<LaneKey>,
  last: number,
  isWhole: boolean,
): number[] {
  const chosen = new Set(focus);
  const candidates: { readonly at: number; readonly rank: number }[] = [];
  for (let at = 0; at < last; at++) {
    const key = laneAt(trace, at);
    if (key === null || chosen.has(at)) continue;
    const isNear = keys.has(key) || key === 'told';
    // Where all of them fit, a call on another file is shown as well.
    const far = isNear ? 0 : trace.operations.length;
    candidates.push({ at, rank: (isWhole ? at : distance(focus, at)) + far });
  }
  candidates.sort((a, b) => a.rank - b.rank);
  const few = candidates.length + chosen.size <= COLUMNS_MAX;
  for (const { at, rank } of candidates) {
    if (chosen.size >= COLUMNS_MAX) break;
    if (few || isWhole || rank < trace.operations.length) chosen.add(at);
  }
  const after: number[] = [];
  for (let at = last; at < trace.operations.length && after.length < AFTER_MAX; at++) {
    const key = laneAt(trace, at);
    if (key !== null && (keys.has(key) || key === 'told') && !chosen.has(at)) after.push(at);
  }
  return [...chosen, ...after].toSorted((a, b) => a - b);
}

/** To the nearest call of the sorted list. */
function distance(focus: readonly number[], at: number): number {
  let low = 0;
  let high = focus.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((focus[middle] ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  const after = (focus[low] ?? Infinity) - at;
  const before = at - (focus[low - 1] ?? -Infinity);
  return Math.min(after, before);
}

function columnsOf(
  trace: Trace,
  shown: readonly number[],
  { crash, ghost }: LaneRequest,
  last: number,
): LaneColumn[] {
  const columns: LaneColumn[] = [];
  let before = -1;
  let isCut = crash === null;
  let isGhostDue = ghost !== null;
  const gap = (to: number): void => {
    let count = 0;
    for (let at = before + 1; at < to; at++) if (isShown(trace, at)) count += 1;
    if (count > 0) columns.push({ kind: 'gap', count });
    before = to;
  };
  const cut = (): void => {
    if (isGhostDue && ghost !== null) columns.push({ kind: 'ghost', ghost });
    isGhostDue = false;
    if (!isCut) columns.push({ kind: 'crash' });
    isCut = true;
  };
  for (const at of shown) {
    if (at >= last && !isCut) {
      gap(last);
      before = last - 1;
      cut();
    }
    gap(at);
    const lane = laneAt(trace, at);
    if (lane !== null) columns.push({ kind: 'call', operation: at, lane });
    if (isGhostDue && ghost !== null && at >= ghost.after) {
      columns.push({ kind: 'ghost', ghost });
      isGhostDue = false;
    }
  }
  if (!isCut) gap(last);
  cut();
  return columns;
}
