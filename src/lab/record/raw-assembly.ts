/**
 * Puts the logs of all threads and processes of a recorded Node program together, in the order of their clock,
 * and tells the namespace tracker what happened. Whatever has no log (a child that is not Node) is named.
 */

import type { NamespaceTracker } from './namespace-tracker.ts';
import { RawLogReader } from './raw-log-reader.ts';
import { LOG_BYTES_MAX, type RawCall, type RawRecord } from './raw-log.ts';
import type { CallResult } from './system-call.ts';
import { TraceLimitError } from './trace-sink.ts';
import type { CallOrigin, PendingCall } from './tracker-context.ts';

type Timed = Exclude<RawRecord, { kind: 'stack' }>;

/** One log while it is merged. */
interface Source {
  readonly reader: RawLogReader;
  /** The next record in time, null at the end. */
  next: Timed | null;
  /** Index in the trace of each stack of this log. */
  readonly stacks: number[];
  readonly pending: Map<number, PendingCall>;
  process: number;
  /** The thread's number in the trace. */
  thread: number;
}

/** Merges logs into the tracker. A log is open only from its first record to its last. */
export function assembleLogs(tracker: NamespaceTracker, pathsByStart: readonly string[]): void {
  const assembly = new Assembly(tracker, pathsByStart);
  try {
    assembly.run();
  } finally {
    assembly.close();
  }
}

class Assembly {
  readonly #tracker: NamespaceTracker;
  /** Logs that are open. */
  readonly #sources = new Set<Source>();
  /** Logs that have not begun, the earliest first. */
  readonly #waiting: string[];
  readonly #greeted = new Set<string>();
  readonly #children: { readonly key: string; readonly what: string }[] = [];
  #threads = 0;
  #first: number | null = null;

  constructor(tracker: NamespaceTracker, pathsByStart: readonly string[]) {
    this.#tracker = tracker;
    this.#waiting = [...pathsByStart];
  }

  run(): void {
    this.#open();
    for (let source = this.#earliest(); source !== null; source = this.#earliest()) {
      const record = source.next;
      if (record === null) break;
      this.#advance(source);
      this.#apply(source, record);
      if (source.next === null) this.#finish(source);
    }
    this.#checkChildren();
  }

  close(): void {
    for (const { reader } of this.#sources) reader.close();
    this.#sources.clear();
  }

  /** Calls of a log that have not ended by its end never did. */
  #finish(source: Source): void {
    for (const pending of source.pending.values()) this.#tracker.end(pending, null);
    source.reader.close();
    this.#sources.delete(source);
  }

  /** Opens the next log that has something to say. */
  #open(): void {
    for (let path = this.#waiting.shift(); path !== undefined; path = this.#waiting.shift()) {
      const reader = new RawLogReader(path);
      const pending = new Map<number, PendingCall>();
      const source: Source = { reader, next: null, stacks: [], pending, process: 0, thread: 0 };
      this.#sources.add(source);
      this.#advance(source);
      if (source.next !== null) return;
      this.#finish(source);
    }
  }

  /** The log with the earliest record. Logs wait in the order of their first records. */
  #earliest(): Source | null {
    let best: Source | null = null;
    let latest: Source | null = null;
    for (const source of this.#sources) {
      if (source.next === null) continue;
      if (best?.next == null || source.next.time < best.next.time) best = source;
      latest = source;
    }
    // The one opened last has not begun yet: nothing that waits can be earlier.
    if (best === null || best === latest) {
      const open = this.#sources.size;
      this.#open();
      if (this.#sources.size > open) return this.#earliest();
    }
    return best;
  }

  #advance(source: Source): void {
    for (;;) {
      const record = source.reader.next();
      if (record?.kind !== 'stack') {
        source.next = record;
        return;
      }
      source.stacks.push(this.#tracker.sink.addStack(record.frames));
    }
  }

  #apply(source: Source, record: Timed): void {
    switch (record.kind) {
      case 'hello':
        this.#greet(source, record);
        return;
      case 'start':
        source.pending.set(record.id, this.#begin(source, record));
        return;
      case 'end': {
        const pending = source.pending.get(record.id);
        if (pending === undefined) return;
        source.pending.delete(record.id);
        const call = record.call ?? pending.call;
        this.#tracker.end({ ...pending, call }, resultOf(record));
        return;
      }
      case 'run':
        this.#tracker.end(this.#begin(source, record), resultOf(record));
        return;
      case 'child':
        this.#children.push({
          key:
            record.child === 'process'
              ? `process ${record.id}`
              : `thread ${source.process} ${record.id}`,
          what: `a ${record.child} that could not be recorded: ${record.name}`,
        });
        return;
      case 'outside':
        this.#tracker.ignoredOutside += 1;
        return;
      case 'cut':
        throw new TraceLimitError(`it holds ${LOG_BYTES_MAX} bytes of one process`);
    }
  }

  #greet(source: Source, hello: Extract<RawRecord, { kind: 'hello' }>): void {
    source.process = hello.process;
    this.#first ??= hello.process;
    source.thread = this.#threads++;
    if (hello.thread === 0) this.#tracker.addProcess(hello.process, hello.directory);
    this.#greeted.add(`process ${hello.process}`);
    this.#greeted.add(`thread ${hello.process} ${hello.thread}`);
  }

  #begin(source: Source, record: { readonly stack: number; readonly call: RawCall }): PendingCall {
    const stack = source.stacks[record.stack] ?? -1;
    const origin: CallOrigin = { process: source.process, thread: source.thread, stack };
    return this.#tracker.begin(origin, record.call);
  }

  /** A child without a log may have written anything. */
  #checkChildren(): void {
    if (this.#first === null) return;
    const origin: CallOrigin = { process: this.#first, thread: 0, stack: -1 };
    for (const { key, what } of this.#children) {
      if (this.#greeted.has(key)) continue;
      this.#tracker.run(origin, { call: 'unmodelled', what }, { value: 0 });
    }
  }
}

function resultOf(record: { readonly value?: number; readonly error?: string }): CallResult {
  if (record.error !== undefined) return { error: record.error };
  return { value: record.value ?? 0 };
}
