/**
 * The contents that one page passed through while its writes came in: one after the other where the calls did,
 * in every order that is possible where they overlapped. Which of them the disk may hold is for `block-domain.ts`.
 */

import { type BlockEvent, cameBefore } from '../model/change.ts';

/** Bytes that a block may hold, and what they need: see `BlockOutcome.needs`. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly needs: number;
}

/** The writes of one block. */
export interface PageView {
  /** In order of issue. */
  readonly events: readonly BlockEvent[];
  /** Must be in. */
  readonly required: (event: BlockEvent) => boolean;
  /** Put out of danger by a sync that returned. */
  readonly floored: (event: BlockEvent) => boolean;
}

/** One content of the page, with at least one event in. */
export interface PageMoment extends Content {
  /** Indexes of moments that can have come before this one, in the same course of events. */
  readonly before: readonly number[];
  /** Whether everything that must be in is in. */
  readonly allowed: boolean;
}

export interface PagePast {
  /** The last one has every event in, in the order of issue. */
  readonly moments: readonly PageMoment[];
  /** False when calls overlapped in more ways than are followed. */
  readonly whole: boolean;
}

/** Moments followed for overlapping calls; one course of events is always among them. */
const MOMENTS_MAX = 512;

export function pagePast(base: Uint8Array, view: PageView): PagePast {
  const overlapping = view.events.some((event, index) => {
    const before = view.events[index - 1];
    return before !== undefined && !cameBefore(before, event);
  });
  return overlapping ? new OverlappingPast(base, view).follow() : straightPast(base, view);
}

function straightPast(base: Uint8Array, view: PageView): PagePast {
  const lastRequired = view.events.findLastIndex(view.required);
  const moments: PageMoment[] = [];
  const indexes: number[] = [];
  let content: Content = { bytes: base, needs: -1 };
  view.events.forEach((event, index) => {
    content = withEvent(content, event, view);
    moments.push({ ...content, before: [...indexes], allowed: index >= lastRequired });
    indexes.push(index);
  });
  return { moments, whole: true };
}

function withEvent({ bytes, needs }: Content, event: BlockEvent, view: PageView): Content {
  const next = bytes.slice();
  next.set(event.bytes, event.offset);
  return { bytes: next, needs: view.floored(event) ? needs : Math.max(needs, event.start) };
}

interface Moment extends PageMoment {
  readonly applied: ReadonlySet<BlockEvent>;
  readonly before: number[];
}

class OverlappingPast {
  readonly #view: PageView;
  readonly #events: readonly BlockEvent[];
  readonly #base: Content;
  readonly #moments: Moment[] = [];
  #whole = true;

  constructor(base: Uint8Array, view: PageView) {
    this.#base = { bytes: base, needs: -1 };
    this.#view = view;
    this.#events = view.events;
  }

  /** Level by level: after one event, after two, … */
  follow(): PagePast {
    const widthMax = Math.max(2, Math.floor(MOMENTS_MAX / this.#events.length));
    let level: number[] = [-1];
    for (let count = 1; count <= this.#events.length; count++) {
      const next = new Map<string, number>();
      for (const from of level) this.#continue(from, next, widthMax);
      level = [...next.values()];
    }
    // The first way that is followed is the order of issue: its end is the first of the last level.
    const newest = this.#moments[level[0] ?? -1];
    if (newest !== undefined) this.#moments.push(newest);
    return { moments: this.#moments, whole: this.#whole };
  }

  #continue(from: number, next: Map<string, number>, widthMax: number): void {
    const moment = this.#moments[from];
    const applied = moment?.applied ?? new Set<BlockEvent>();
    const waiting = this.#events.filter((event) => !applied.has(event));
    for (const event of waiting) {
      if (waiting.some((other) => cameBefore(other, event))) continue;
      const content = withEvent(moment ?? this.#base, event, this.#view);
      const within = new Set([...applied, event]);
      const past = moment === undefined ? [] : [...moment.before, from];
      const key = this.#keyOf(within, content.bytes);
      const known = next.get(key);
      if (known !== undefined) {
        const before = this.#moments[known]?.before;
        for (const index of past) if (before?.includes(index) === false) before.push(index);
      } else if (next.size >= widthMax) {
        this.#whole = false;
      } else {
        const allowed = waiting.every((other) => other === event || !this.#view.required(other));
        next.set(key, this.#moments.length);
        this.#moments.push({ ...content, before: past, allowed, applied: within });
      }
    }
  }

  #keyOf(applied: ReadonlySet<BlockEvent>, bytes: Uint8Array): string {
    const within = this.#events.map((event) => (applied.has(event) ? '1' : '0')).join('');
    return `${within} ${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`;
  }
}
