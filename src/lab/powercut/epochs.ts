/**
 * A block log cut into epochs: the stretches between two completed flushes. All that was written before the
 * flush that began an epoch is on the disk for good; of what was written since, any subset may be.
 *
 * For each epoch one crash point is enough, the last one: the moment before the flush that ends it completes.
 * Every disk that an earlier moment of the epoch allows is allowed there too, with at least as many
 * acknowledgements standing, so nothing weaker needs checking ("strongest obligation once").
 *
 * A FUA write is durable by itself once it completed. It ends an epoch like a flush does, but only for itself:
 * until it completes it may be missing; from then on it is always there, and the others stay in flight.
 *
 * @see https://docs.kernel.org/block/writeback_cache_control.html
 */

import type { BlockLogEntry, BlockLogReader } from './block-log.ts';

/** A write that an epoch's crash may leave out, or must keep. */
export interface EpochWrite {
  readonly entry: BlockLogEntry;
  readonly data: Uint8Array;
  /** Durable by itself: it survives every crash in this epoch. */
  readonly durable: boolean;
}

/** One crash point and what was in flight there. */
export interface Epoch {
  readonly index: number;
  /** In the order of completion; of two that overlap the later wins. */
  readonly writes: readonly EpochWrite[];
  /** How many entries the log had at the crash: the marks noted up to here stand. */
  readonly position: number;
  /** Whether all of `writes` is durable in the next epoch (a flush) or only part (a FUA write). */
  readonly endsWith: 'flush' | 'fua' | 'end';
}

/** Walks a log from its beginning. One epoch is in memory at a time. */
export function* epochsOf(reader: BlockLogReader): Generator<Epoch, void> {
  let writes: EpochWrite[] = [];
  let index = 0;
  const epoch = (position: number, endsWith: Epoch['endsWith']): Epoch => {
    index += 1;
    return { index: index - 1, writes: [...writes], position, endsWith };
  };
  for (let entry = reader.next(); entry !== null; entry = reader.next()) {
    if (entry.flush) {
      yield epoch(entry.index, 'flush');
      writes = [];
    }
    if (entry.length === 0) continue;
    const data = reader.readData(entry);
    if (entry.fua) {
      writes.push({ entry, data, durable: false });
      yield epoch(entry.index, 'fua');
      writes.pop();
    }
    writes.push({ entry, data, durable: entry.fua });
  }
  yield epoch(reader.position, 'end');
}
