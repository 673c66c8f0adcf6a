/**
 * Commits of a test store, each known by a label that says what it changes, so that the right state after any row of
 * commits can be worked out from their labels: `7:a=10,b-,k*50=100` puts ten bytes at `a`, deletes `b`, and puts a
 * hundred bytes at each of `k0` to `k49`. Every value says which commit it is of.
 */

import type { Engine } from '../../src/engine/engine.ts';
import type { EntrySink } from '../../src/engine/entry-iterator.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';

const CHANGE = /^([a-z]*)(?:\*(\d+))?(?:=(\d+)|-)$/;

/** What a store holds: keys and values as text, one character a byte, in no order. */
export type TextState = Map<string, string>;

/** The batch that a label stands for. `lifetimeMs`: how long what is at a key lives, 0 for ever. */
export function batchOfLabel(
  label: string,
  lifetimeMs: (key: string) => number = () => 0,
): WriteBatch {
  const batch = new WriteBatch();
  forEachChange(label, (key, value) => {
    if (value === undefined) batch.delete(Buffer.from(key));
    else batch.put(Buffer.from(key), Buffer.from(value), lifetimeMs(key));
  });
  return batch;
}

/** What these commits, in this order, make of an empty store. */
export function stateOfLabels(labels: readonly string[]): TextState {
  const state: TextState = new Map();
  for (const label of labels) applyLabel(state, label);
  return state;
}

/** Applies one more commit. */
export function applyLabel(state: TextState, label: string): void {
  forEachChange(label, (key, value) => {
    if (value === undefined) state.delete(key);
    else state.set(key, value);
  });
}

/** Whether two states are the same. */
export function sameState(a: TextState, b: TextState): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}

/** All that a store holds, read in blocking calls. */
export function stateOfStore(engine: Engine): TextState {
  const state: TextState = new Map();
  const iterator = engine.iterator();
  while (iterator.readSync(entriesInto(state), 1000, Infinity) > 0);
  iterator.close();
  return state;
}

/** Takes what an iterator reads into a state. */
export function entriesInto(state: TextState): EntrySink {
  return {
    entry: (keys, keyStart, keyEnd, values, valueStart, valueEnd): void => {
      const key = keys.toString('latin1', keyStart, keyEnd);
      state.set(key, values.toString('latin1', valueStart, valueEnd));
    },
  };
}

/** Labels are read again and again, by every judge of a disk. */
const changesOf = new Map<string, readonly (readonly [string, string | undefined])[]>();
const LABELS_KEPT = 10_000;

function forEachChange(
  label: string,
  show: (key: string, value: string | undefined) => void,
): void {
  let changes = changesOf.get(label);
  if (changes === undefined) {
    changes = changesIn(label);
    if (changesOf.size === LABELS_KEPT) changesOf.clear();
    changesOf.set(label, changes);
  }
  for (const [key, value] of changes) show(key, value);
}

function changesIn(label: string): (readonly [string, string | undefined])[] {
  const [, changes = ''] = label.split(':');
  return changes.split(',').flatMap((change) => {
    const [, key = '', count, size] = CHANGE.exec(change) ?? [];
    if (!CHANGE.test(change)) throw new Error(`'${change}' is no change of a test commit`);
    const keys =
      count === undefined ? [key] : Array.from({ length: Number(count) }, (_, i) => key + i);
    return keys.map((each) => {
      return [each, size === undefined ? undefined : valueOf(label, each, +size)] as const;
    });
  });
}

/** So many characters that no other commit and no other key has. */
function valueOf(label: string, key: string, size: number): string {
  return `${label.slice(0, label.indexOf(':'))}/${key}/`.repeat(size).slice(0, size);
}
