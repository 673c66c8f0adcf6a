/** What all reading has in common: answers at once or later, the state that is read, the cache. */

/** An answer now, or a promise of it: `await` takes both, and costs no thread hop for the first. */
export type Eventual<T> = T | Promise<T>;

/**
 * The state between two writes, for as long as somebody holds it. Keeps old versions on the disk or
 * in memory: release it. One that is never released lasts until the engine closes.
 */
export interface EngineSnapshot {
  /** Gives it back. Reading with it afterwards is an `AssertionError`; releasing it again is not. */
  release(): void;
}

/** How to read. */
export interface ReadOptions {
  /** Read this state, which comes from the same engine. Default: the state of now. */
  readonly snapshot?: EngineSnapshot | undefined;
  /** `false`: what is read need not be kept in a cache, for a long scan. Default true. */
  readonly fillCache?: boolean | undefined;
}
