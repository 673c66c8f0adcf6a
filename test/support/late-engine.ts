/**
 * The memory engine with every `Eventual` answer a promise that takes a turn of the event loop, as
 * if each had to wait for a disk: for what an engine of answers at hand never shows.
 */

import type { EngineKind } from '../../src/engine/engine-kind.ts';
import { clearRange } from '../../src/engine/clear-range.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EntryIterator, EntrySink } from '../../src/engine/entry-iterator.ts';
import { MemoryKind } from '../../src/engine/memory-kind.ts';
import type { Eventual } from '../../src/engine/read-options.ts';
import { nextTurn } from '../../src/base/clock.ts';

/** A kind whose stores answer late. `waiting` counts what is under way. */
export interface LateKind extends EngineKind {
  readonly waiting: { count: number };
}

/** Makes a kind with stores of its own. */
export function lateKind(): LateKind {
  const memory = new MemoryKind();
  const waiting = { count: 0 };
  const late = async <T>(answer: () => Eventual<T>): Promise<T> => {
    // Asked now, so that the state of the call is read; told later.
    const told = answer();
    waiting.count++;
    await nextTurn();
    waiting.count--;
    return told;
  };
  return {
    waiting,
    name: 'late',
    open: async (directory, options) => lateEngine(await memory.open(directory, options), late),
    holds: (directory) => memory.holds(directory),
    destroy: (directory) => memory.destroy(directory),
    repair: (directory) => memory.repair(directory),
    verify: (directory) => memory.verify(directory),
    stats: (directory) => memory.stats(directory),
  };
}

type Late = <T>(answer: () => Eventual<T>) => Promise<T>;

function lateEngine(engine: Engine, late: Late): Engine {
  const answers: Engine = {
    name: engine.name,
    directory: engine.directory,
    recovery: engine.recovery,
    get: (key, options) => late(() => engine.get(key, options)),
    getSync: (key, options) => engine.getSync(key, options),
    getMany: (keys, options) => late(() => engine.getMany(keys, options)),
    has: (key, options) => late(() => engine.has(key, options)),
    hasSync: (key, options) => engine.hasSync(key, options),
    write: (batch, policy) => late(() => engine.write(batch, policy)),
    writeSync: (batch, policy) => engine.writeSync(batch, policy),
    iterator: (options) => lateIterator(engine.iterator(options), late),
    snapshot: () => engine.snapshot(),
    clear: (options = {}, policy) => clearRange(answers, options, policy),
    approximateSize: (range) => late(() => engine.approximateSize(range)),
    compact: () => engine.compact(),
    verify: () => engine.verify(),
    stats: () => engine.stats(),
    backup: (directory) => engine.backup(directory),
    close: () => engine.close(),
  };
  return answers;
}

/** Stops sooner than asked, as an engine at the end of a block does. */
const ENTRIES_AT_ONCE = 3;

function lateIterator(iterator: EntryIterator, late: Late): EntryIterator {
  const fewer = (sink: EntrySink, entries: number, bytes: number): Eventual<number> =>
    iterator.read(sink, Math.min(entries, ENTRIES_AT_ONCE), bytes);
  return {
    read: (sink, entries, bytes) => late(() => fewer(sink, entries, bytes)),
    readSync: (sink, entries, bytes) => iterator.readSync(sink, entries, bytes),
    seek: (target) => iterator.seek(target),
    close: () => iterator.close(),
  };
}
