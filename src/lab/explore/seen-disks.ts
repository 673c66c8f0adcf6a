/**
 * The distinct disks of one exploration: under how many marks each was checked, and whether it failed. A disk that
 * comes again under more marks than before owes more, and is checked again; that happens only where crash points
 * were not walked whole, the last one first.
 */

/** A disk, its marks, and 1 where it failed: plain data. */
export type SeenDisk = readonly [key: string, markCount: number, failed: 0 | 1];

export class SeenDisks {
  /** Twice the number of marks, and 1 for a disk that failed. */
  readonly #known = new Map<string, number>();
  #failing = 0;

  constructor(known: Iterable<SeenDisk> = []) {
    for (const [key, markCount, failed] of known) {
      this.#known.set(key, markCount * 2 + failed);
      this.#failing += failed;
    }
  }

  get size(): number {
    return this.#known.size;
  }

  /** Disks that failed under some marks. */
  get failing(): number {
    return this.#failing;
  }

  /** Whether it was checked under these marks or stronger ones. */
  has(key: string, markCount: number): boolean {
    const known = this.#known.get(key);
    return known !== undefined && known >> 1 >= markCount;
  }

  /** Whether it was seen at all. */
  isKnown(key: string): boolean {
    return this.#known.has(key);
  }

  add(key: string, markCount: number): void {
    const failed = (this.#known.get(key) ?? 0) & 1;
    this.#known.set(key, markCount * 2 + failed);
  }

  /** REQUIRES: it was added. @returns false when it had failed before */
  fail(key: string): boolean {
    const known = this.#known.get(key) ?? 0;
    if ((known & 1) === 1) return false;
    this.#known.set(key, known | 1);
    this.#failing++;
    return true;
  }

  *[Symbol.iterator](): Generator<SeenDisk> {
    for (const [key, value] of this.#known) yield [key, value >> 1, (value & 1) === 1 ? 1 : 0];
  }
}
