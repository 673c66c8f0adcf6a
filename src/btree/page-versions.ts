/**
 * Pages as they were, for snapshots that still read them. A version is good for the states from its
 * own log position to before the change that replaced it; it is kept while a snapshot is in
 * between. Only so many stay in memory: the rest is in a file that nobody reads after a crash
 * (`spill-file`). Not here: the pages of now (`btree-page-cache`).
 */

import { assert } from '../base/assert.ts';
import type { PageCache } from './btree-page-cache.ts';
import type { SpillFile } from './spill-file.ts';

/** A page as it was. */
export interface PageVersion {
  /** Sequence number of the last change that is in it. */
  readonly from: number;
  /** Sequence number of the change that replaced it. */
  readonly until: number;
  /** Null when it is in the spill file. */
  data: Buffer | null;
  /** Where in the spill file; -1 when it is in memory only. */
  slot: number;
}

/** States that somebody reads. */
export class SnapshotSet {
  /** Sequence numbers in order, with how many hold each. */
  readonly #sequences: number[] = [];
  readonly #holders = new Map<number, number>();

  /** Snapshots that are open. */
  get count(): number {
    let count = 0;
    for (const holders of this.#holders.values()) count += holders;
    return count;
  }

  /** The newest state that is held; -1 when none is. */
  get newest(): number {
    return this.#sequences.at(-1) ?? -1;
  }

  /** The oldest state that is held; undefined when none is. */
  get oldest(): number | undefined {
    return this.#sequences[0];
  }

  add(sequence: number): void {
    const holders = this.#holders.get(sequence) ?? 0;
    this.#holders.set(sequence, holders + 1);
    if (holders > 0) return;
    assert(sequence > this.newest, 'states are held in their order');
    this.#sequences.push(sequence);
  }

  /** Lets a state go. True when nobody holds it any more. */
  remove(sequence: number): boolean {
    const holders = this.#holders.get(sequence) ?? 0;
    assert(holders > 0, 'a state that is let go was held');
    if (holders > 1) {
      this.#holders.set(sequence, holders - 1);
      return false;
    }
    this.#holders.delete(sequence);
    this.#sequences.splice(this.#sequences.indexOf(sequence), 1);
    return true;
  }

  /** Whether a state from `from` to before `until` is held. */
  anyIn(from: number, until: number): boolean {
    let low = 0;
    let high = this.#sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sequences[middle]! < from) low = middle + 1;
      else high = middle;
    }
    return low < this.#sequences.length && this.#sequences[low]! < until;
  }
}

export class PageVersions {
  readonly snapshots: SnapshotSet = new SnapshotSet();
  readonly #cache: PageCache;
  readonly #spill: SpillFile;
  readonly #bytesMax: number;
  /** Versions of each page, the oldest first. */
  readonly #pages = new Map<number, PageVersion[]>();
  /** Versions that are in memory, the oldest first; those that have gone since are passed over. */
  #inMemory: PageVersion[] = [];
  #memoryCount = 0;

  constructor(cache: PageCache, spill: SpillFile, bytesMax: number) {
    this.#cache = cache;
    this.#spill = spill;
    this.#bytesMax = bytesMax;
  }

  /** Bytes of the versions in memory. */
  get bytes(): number {
    return this.#memoryCount * this.#cache.pageBytes;
  }

  /** Versions in memory and in the spill file. */
  get count(): number {
    let count = 0;
    for (const versions of this.#pages.values()) count += versions.length;
    return count;
  }

  /** Whether versions should go to the spill file before more are kept. */
  get full(): boolean {
    return this.bytes > this.#bytesMax;
  }

  /** Takes a page that a change replaces; the buffer is ours from now on. */
  keep(number: number, from: number, until: number, data: Buffer): void {
    if (!this.snapshots.anyIn(from, until)) {
      this.#cache.returnBuffer(data);
      return;
    }
    const version: PageVersion = { from, until, data, slot: -1 };
    const versions = this.#pages.get(number);
    if (versions === undefined) this.#pages.set(number, [version]);
    else versions.push(version);
    this.#inMemory.push(version);
    this.#memoryCount++;
  }

  /** The version of a page that a state reads; undefined: the page of now. */
  find(number: number, sequence: number): PageVersion | undefined {
    const versions = this.#pages.get(number);
    if (versions === undefined) return undefined;
    for (const version of versions) {
      if (sequence < version.until) return sequence >= version.from ? version : undefined;
    }
    return undefined;
  }

  /** Lets a state go, and every version that nobody else reads. */
  release(sequence: number): void {
    if (!this.snapshots.remove(sequence)) return;
    for (const [number, versions] of this.#pages) {
      const kept = versions.filter((version) => {
        const needed = this.snapshots.anyIn(version.from, version.until);
        if (!needed) this.#forget(version);
        return needed;
      });
      if (kept.length === 0) this.#pages.delete(number);
      else if (kept.length < versions.length) this.#pages.set(number, kept);
    }
  }

  /** Moves versions to the spill file until enough memory is free. */
  async spill(): Promise<void> {
    while (this.full) {
      const version = this.#oldestInMemory();
      if (version === undefined) return;
      const { data } = version;
      assert(data !== null, 'a version in memory has its bytes');
      let slot: number;
      try {
        slot = await this.#spill.write(data);
      } catch (error) {
        this.#inMemory.unshift(version);
        throw error;
      }
      // It may have been let go while it was written.
      if (version.data === null) this.#spill.free(slot);
      else this.#moved(version, slot);
    }
  }

  /** As `spill`, on the calling thread. */
  spillSync(): void {
    while (this.full) {
      const version = this.#oldestInMemory();
      if (version?.data == null) return;
      try {
        this.#moved(version, this.#spill.writeSync(version.data));
      } catch (error) {
        this.#inMemory.unshift(version);
        throw error;
      }
    }
  }

  #moved(version: PageVersion, slot: number): void {
    const { data } = version;
    assert(data !== null, 'a version in memory has its bytes');
    version.slot = slot;
    version.data = null;
    this.#memoryCount--;
    this.#cache.returnBuffer(data);
  }

  #oldestInMemory(): PageVersion | undefined {
    let passed = 0;
    while (passed < this.#inMemory.length && this.#inMemory[passed]!.data === null) passed++;
    this.#inMemory = this.#inMemory.slice(passed);
    return this.#inMemory.shift();
  }

  #forget(version: PageVersion): void {
    if (version.data !== null) {
      this.#cache.returnBuffer(version.data);
      version.data = null;
      this.#memoryCount--;
    }
    if (version.slot === -1) return;
    this.#spill.free(version.slot);
    version.slot = -1;
  }
}
