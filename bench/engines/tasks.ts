/** What a contestant's process is asked for, and what it answers. One task at a time. */

/** Where and with what a process works; given once, when it starts. */
export interface Setting {
  readonly contestant: string;
  readonly directory: string;
  readonly valueBytes: number;
}

export type Task =
  /** Opens the store; the answer's `ms` is what opening took. */
  | { readonly do: 'open'; readonly use: 'load' | 'serve' }
  /** Loads entries in batches; also the slowest batch and the peak of memory. */
  | { readonly do: 'load'; readonly from: number; readonly entries: number; readonly batch: number }
  /** Waits until the store has been quiet for a while. */
  | { readonly do: 'settle' }
  /** Puts, each durable: blocking, or by so many callers that await. */
  | { readonly do: 'put-sync'; readonly from: number; readonly count: number }
  | {
      readonly do: 'put';
      readonly from: number;
      readonly count: number;
      readonly callers: number;
    }
  /** Random reads among the first `entries`. */
  | {
      readonly do: 'get-sync';
      readonly entries: number;
      readonly count: number;
      readonly seed: number;
    }
  | {
      readonly do: 'get';
      readonly entries: number;
      readonly count: number;
      readonly callers: number;
      readonly seed: number;
    }
  /** Reads everything. */
  | { readonly do: 'scan' }
  | { readonly do: 'close' }
  /** Bare system calls, for the limits (the contestant `raw`). */
  | { readonly do: 'raw'; readonly call: RawCall; readonly count: number };

/** The bare loops. */
export type RawCall = 'append' | 'overwrite' | 'group' | 'pread' | 'bandwidth';

/** How a task went. */
export interface Answer {
  /** Milliseconds that the measured part took. */
  readonly ms: number;
  /** How many operations that were; bytes for bandwidth. */
  readonly count: number;
  /** The slowest call, where calls were timed one by one. */
  readonly worstMs?: number | undefined;
  /** The most memory that the process has had, in bytes. */
  readonly peakBytes?: number | undefined;
  /** True where the store has no such call. */
  readonly absent?: boolean | undefined;
  /** What went wrong: then the figures mean nothing. */
  readonly error?: string | undefined;
}
