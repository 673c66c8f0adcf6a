/**
 * From the facts of a trace, what each path owes: which of the things that it stood for a crash may show, given
 * the last mark. The rules, numbered for the comments below and for `docs/lab.md`:
 *
 * 1. A path may show anything that it stood for and that was not ruled out, also what it was to become later.
 *    What it stood for is ruled out by something later at the same path that a mark vouched for.
 * 2. A file put in place by a rename or link from a temporary name shows what it held when that call started,
 *    complete, or more. A name is temporary when it exists neither at the start nor at the end of the trace.
 * 3. Any other file shows what marks vouch for; changes since may show in any part, or not at all.
 * 4. A file that was safe and held something is replaced when it is cut to nothing and written again, or removed
 *    and made again in the same directory, with no mark in between. Then the state in between may not show: it is
 *    the old version, as by 3, or the new one as it stood at the next close, sync or mark. Safe means: whatever
 *    a crash could have shown under the last mark held at least a byte there.
 * 5. Temporary names owe nothing, whatever was said while they existed: lock files, journals, working copies.
 * 6. A mark vouches for calls that had returned when it started (see `acknowledged-times.ts`), and a new file in
 *    place only once it was written, synced or closed. The program's end vouches when its exit code is 0.
 */

import { TraceError } from '../../base/errors.ts';
import type { InodeNumber, MarkOperation, Operation, Trace } from '../record/operation.ts';
import { AcknowledgedTimes } from './acknowledged-times.ts';
import { ContentGeneration, type ContentChange, type ContentRule } from './content-rule.ts';
import {
  readPathHistory,
  type EmptyingCut,
  type PathEvent,
  type PathHistory,
} from './path-history.ts';

/** One thing that a path stood for, and what that owes. */
export interface PathState {
  readonly event: PathEvent;
  /** For a file: what had ended before this time must be there whenever it shows. */
  readonly completeFrom: number;
  /** False for the gap in a replacement (rule 4): it is never a version. */
  readonly mayShow: boolean;
  /** A mark after this time vouches for it. */
  readonly acknowledged: number;
  /** For a file: the stretches of its history, shared by all paths it has. */
  readonly generations: readonly ContentGeneration[];
}

export interface ObligationPlan {
  /** Paths that owe something, with all they stood for, in order. */
  readonly paths: ReadonlyMap<string, readonly PathState[]>;
  /** Time of the last mark that vouches for something among the first n marks; -Infinity for none. */
  readonly markedAt: readonly number[];
}

export function planObligations(trace: Trace): ObligationPlan {
  return new Planner(trace).plan();
}

/** States that are not ruled out (rule 1) when marks up to `marked` were given. */
export function statesLeft(states: readonly PathState[], marked: number): PathState[] {
  let vouchedFrom = -Infinity;
  for (const { event, mayShow, acknowledged } of states) {
    if (mayShow && acknowledged < marked) vouchedFrom = Math.max(vouchedFrom, event.start);
  }
  return states.filter(({ event, mayShow }) => mayShow && event.end >= vouchedFrom);
}

/** Generations of a file that may show when marks up to `marked` were given. */
export function generationsLeft(state: PathState, marked: number): readonly ContentGeneration[] {
  const { generations, completeFrom } = state;
  const first = generations.findLastIndex(
    ({ acknowledged, completedAt }) => acknowledged < marked || completedAt < completeFrom,
  );
  return first <= 0 ? generations : generations.slice(first);
}

/** The contents that a file may show while the path stands for it, when marks up to `marked` were given. */
export function contentsLeft(state: PathState, marked: number): ContentRule[] {
  return generationsLeft(state, marked).map((generation) =>
    generation.rule(state.completeFrom, marked),
  );
}

type DraftState = { -readonly [K in keyof PathState]: PathState[K] };

class Planner {
  readonly #trace: Trace;
  readonly #history: PathHistory;
  /** Starts of the marks that vouch for something. */
  readonly #marks: readonly number[];
  /** Closes and syncs by inode, and syncs of everything under 0. */
  readonly #rests = new Map<InodeNumber, Operation[]>();
  readonly #drafts = new Map<string, DraftState[]>();
  readonly #generations = new Map<InodeNumber, ContentGeneration[]>();
  readonly #initialContents = new Map<InodeNumber, Uint8Array>();

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#history = readPathHistory(trace, new AcknowledgedTimes(trace));
    this.#marks = marksOf(trace)
      .filter(isVouching)
      .map(({ start }) => start);
    for (const operation of trace.operations) {
      if (operation.error !== undefined) continue;
      const { kind } = operation;
      if (kind !== 'close' && kind !== 'sync' && kind !== 'sync-all') continue;
      const inode = kind === 'sync-all' ? 0 : operation.inode;
      const known = this.#rests.get(inode);
      if (known === undefined) this.#rests.set(inode, [operation]);
      else known.push(operation);
    }
    for (const node of trace.initial) {
      if (node.node !== 'file') continue;
      const content = trace.contents.get(node.content);
      if (content === undefined) throw new TraceError(`the trace has no content ${node.content}`);
      this.#initialContents.set(node.inode, content);
    }
  }

  plan(): ObligationPlan {
    for (const [path, events] of this.#history.events) {
      if (!isTemporary(events)) this.#drafts.set(path, this.#draft(events));
    }
    for (const states of this.#drafts.values()) this.#findGaps(states);
    // Whether a cut begins a replacement depends on what was replaced before it: in order.
    const cuts = new Map<InodeNumber, EmptyingCut[]>();
    for (const cut of this.#history.cuts) {
      const { inode, start } = cut.operation;
      if (!this.#isSafeAt(cut.paths, start)) continue;
      const own = [...(cuts.get(inode) ?? []), cut];
      cuts.set(inode, own);
      this.#setGenerations(inode, own);
    }
    const paths = new Map<string, readonly PathState[]>();
    for (const [path, states] of this.#drafts) if (this.#isTouched(states)) paths.set(path, states);
    return { paths, markedAt: markedTimes(this.#trace) };
  }

  #draft(events: readonly PathEvent[]): DraftState[] {
    const states = events.map((event) => this.#draftState(event));
    if (states[0]?.event.cause === 'initial') return states;
    const directory = states[0]?.event.directory ?? 0;
    // Before its first name the path stood for nothing.
    return [absentFromStart(directory), ...states];
  }

  #draftState(event: PathEvent): DraftState {
    const isFile = event.shape === 'file';
    let { acknowledged } = event;
    if (isFile && event.cause === 'create') acknowledged = this.#firstUse(event);
    return {
      event,
      completeFrom: isFile && this.#isPutInPlace(event) ? event.start : -Infinity,
      mayShow: true,
      acknowledged,
      generations: isFile ? this.#generationsOf(event.inode) : [],
    };
  }

  /** Rule 2. A file without any name before (O_TMPFILE) was as temporary as can be. */
  #isPutInPlace({ cause, sources }: PathEvent): boolean {
    if (cause !== 'rename' && cause !== 'link') return false;
    return sources.every((source) => isTemporary(this.#history.events.get(source) ?? []));
  }

  /** Rule 6: an empty file that is still open says nothing yet. */
  #firstUse(event: PathEvent): number {
    const change = this.#history.changes.get(event.inode)?.[0];
    const rest = this.#firstRest(event.inode, event.end);
    const used = Math.min(change?.end ?? Infinity, rest?.end ?? Infinity);
    return Math.max(event.acknowledged, used);
  }

  #generationsOf(inode: InodeNumber): ContentGeneration[] {
    const known = this.#generations.get(inode);
    if (known !== undefined) return known;
    const made: ContentGeneration[] = [];
    this.#generations.set(inode, made);
    this.#setGenerations(inode, []);
    return made;
  }

  /** Splits the history of a file where a replacement begins. The list is changed in place: paths share it. */
  #setGenerations(inode: InodeNumber, cuts: readonly EmptyingCut[]): void {
    const { contents } = this.#trace;
    const list = this.#generations.get(inode);
    if (list === undefined) return;
    const changes = this.#history.changes.get(inode) ?? [];
    const limits = cuts.map(({ operation }) =>
      changes.findIndex((it) => it.operation === operation),
    );
    const initial = this.#initialContents.get(inode) ?? EMPTY;
    const eternal = { completeFrom: -Infinity, acknowledged: -Infinity, completedAt: -Infinity };
    list.length = 0;
    list.push(new ContentGeneration(initial, changes.slice(0, limits[0]), contents, eternal));
    cuts.forEach((cut, index) => {
      const own = changes.slice(limits[index], limits[index + 1]);
      const next = cuts[index + 1]?.operation.start ?? Infinity;
      const times = this.#completion(inode, cut.operation, own, next);
      list.push(new ContentGeneration(EMPTY, own, contents, times));
    });
  }

  /** When the new version stands (rule 4), and from when on a mark rules out the old one. */
  #completion(
    inode: InodeNumber,
    begin: Operation,
    changes: readonly ContentChange[],
    next: number,
  ): { completeFrom: number; acknowledged: number; completedAt: number } {
    const after = begin.end ?? begin.start;
    const rest = this.#firstRest(inode, after);
    const closed = rest === null || rest.start >= next ? Infinity : rest.start;
    const marked = this.#marks.find((start) => start > begin.start) ?? Infinity;
    const completeFrom = Math.min(closed, marked);
    if (completeFrom === Infinity) {
      return { completeFrom, acknowledged: Infinity, completedAt: Infinity };
    }
    let acknowledged = -Infinity;
    for (const change of changes) {
      if (change.operation.start < completeFrom) {
        acknowledged = Math.max(acknowledged, change.acknowledged);
      }
    }
    // A mark in the middle of it may be about something else: the old version stays possible until the close.
    const end = rest?.end ?? Infinity;
    if (closed !== Infinity) acknowledged = Math.max(acknowledged, end);
    const completedAt = closed < marked ? end : completeFrom;
    return { completeFrom, acknowledged, completedAt };
  }

  /** The first close or sync of the file, or sync of everything, that starts after `time`. */
  #firstRest(inode: InodeNumber, time: number): Operation | null {
    const own = this.#rests.get(inode)?.find(({ start }) => start > time) ?? null;
    const all = this.#rests.get(0)?.find(({ start }) => start > time) ?? null;
    if (own === null || all === null) return own ?? all;
    return own.start < all.start ? own : all;
  }

  /** Rule 4 for a path that was removed and made again. */
  #findGaps(states: DraftState[]): void {
    states.forEach((gap, index) => {
      const made = states[index + 1];
      if (made === undefined || gap.event.cause !== 'unlink') return;
      if (made.event.shape !== 'file' && made.event.shape !== 'symlink') return;
      if (made.event.directory !== gap.event.directory) return;
      const between = this.#marks.some(
        (start) => start > gap.event.start && start < made.event.end,
      );
      if (between || !this.#isStateSafe(states.slice(0, index), gap.event.start)) return;
      gap.mayShow = false;
      if (made.event.cause !== 'create' || made.event.shape !== 'file') return;
      const changes = this.#history.changes.get(made.event.inode) ?? [];
      const operation = { ...PROBE, start: made.event.start, end: made.event.end };
      const { completeFrom, acknowledged } = this.#completion(
        made.event.inode,
        operation,
        changes,
        Infinity,
      );
      made.completeFrom = completeFrom;
      made.acknowledged = Math.max(made.acknowledged, acknowledged);
    });
  }

  #isSafeAt(paths: readonly string[], time: number): boolean {
    return paths.some((path) => {
      const states = this.#drafts.get(path) ?? [];
      return this.#isStateSafe(
        states.filter(({ event }) => event.start < time),
        time,
      );
    });
  }

  /** Whether all that a crash at `time` could show held something. */
  #isStateSafe(states: readonly PathState[], time: number): boolean {
    const marked = this.#marks.findLast((start) => start < time) ?? -Infinity;
    const left = statesLeft(states, marked);
    return (
      left.length > 0 &&
      left.every((state) => {
        const { shape } = state.event;
        if (shape !== 'file') return shape === 'symlink';
        return generationsLeft(state, marked).every(
          (generation) => generation.lengthMinAt(time, state.completeFrom, marked) > 0,
        );
      })
    );
  }

  #isTouched(states: readonly PathState[]): boolean {
    if (states.length > 1) return true;
    return states.some(({ event }) => this.#history.changes.has(event.inode));
  }
}

const EMPTY = new Uint8Array(0);

/** Stands for a create where only its times matter. */
const PROBE = { kind: 'sync-all', thread: 0, stack: -1, path: '' } as const;

/** Rule 5. */
function isTemporary(events: readonly PathEvent[]): boolean {
  return events[0]?.cause !== 'initial' && events.at(-1)?.shape === 'absent';
}

function absentFromStart(directory: InodeNumber): DraftState {
  const event: PathEvent = {
    shape: 'absent',
    cause: 'initial',
    start: -1,
    end: -1,
    acknowledged: -Infinity,
    directory,
    inode: 0,
    target: '',
    sources: [],
  };
  const open = { completeFrom: -Infinity, mayShow: true, acknowledged: -Infinity };
  return { event, ...open, generations: [] };
}

function marksOf(trace: Trace): MarkOperation[] {
  return trace.operations.filter((operation) => operation.kind === 'mark');
}

/** A program that failed promised nothing by ending. */
function isVouching({ source, text }: MarkOperation): boolean {
  return source !== 'exit' || text.trim() === '0';
}

function markedTimes(trace: Trace): number[] {
  const times = [-Infinity];
  for (const mark of marksOf(trace)) {
    const last = times.at(-1) ?? -Infinity;
    times.push(isVouching(mark) ? mark.start : last);
  }
  return times;
}
