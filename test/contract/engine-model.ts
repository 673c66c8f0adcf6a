/**
 * A store as a map of text, with nothing clever in it, and an iterator over a copy of it: what the
 * random cases of the engine contract compare with.
 */

import type { TextChange, TextEntry, TextRange } from './engine-driver.ts';

/** Text of one character a byte sorts as its bytes do. */
function byKey([a]: TextEntry, [b]: TextEntry): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export class EngineModel {
  readonly #map: Map<string, string>;

  constructor(entries: Iterable<TextEntry> = []) {
    this.#map = new Map(entries);
  }

  copy(): EngineModel {
    return new EngineModel(this.#map);
  }

  get(key: string): string | undefined {
    return this.#map.get(key);
  }

  write(changes: readonly TextChange[]): void {
    for (const [key, value] of changes) {
      if (value === undefined) this.#map.delete(key);
      else this.#map.set(key, value);
    }
  }

  entries(range: TextRange = {}): TextEntry[] {
    const inside = [...this.#map].filter(([key]) => isInside(range, key)).toSorted(byKey);
    if (range.reverse === true) inside.reverse();
    const { limit } = range;
    return limit === undefined || limit < 0 ? inside : inside.slice(0, limit);
  }

  clear(range: TextRange): void {
    for (const [key] of this.entries(range)) this.#map.delete(key);
  }

  iterator(range: TextRange): ModelIterator {
    return new ModelIterator(this.entries({ ...range, limit: -1 }), range);
  }
}

/** Reads a list of entries that nobody changes. */
export class ModelIterator {
  readonly #entries: readonly TextEntry[];
  readonly #range: TextRange;
  #index = 0;
  #left: number;

  constructor(entries: readonly TextEntry[], range: TextRange) {
    this.#entries = entries;
    this.#range = range;
    this.#left = range.limit === undefined || range.limit < 0 ? Infinity : range.limit;
  }

  read(count: number): TextEntry[] {
    const some = this.#entries.slice(this.#index, this.#index + Math.min(count, this.#left));
    this.#index += some.length;
    this.#left -= some.length;
    return some;
  }

  seek(target: string): void {
    const reverse = this.#range.reverse === true;
    const found = this.#entries.findIndex(([key]) => (reverse ? key <= target : key >= target));
    this.#index = isInside(this.#range, target) && found !== -1 ? found : this.#entries.length;
  }
}

/** Whether a key is in a range. */
function isInside({ gt, gte, lt, lte }: TextRange, key: string): boolean {
  const above = gte === undefined ? gt === undefined || key > gt : key >= gte;
  const below = lte === undefined ? lt === undefined || key < lt : key <= lte;
  return above && below;
}
