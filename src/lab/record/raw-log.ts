/**
 * What one thread of a recorded Node program saw, written call by call while it runs, and put together into a
 * trace afterwards (`raw-assembly.ts`). Private between the two, of one Holdfast; not a format for others.
 *
 * A record is a line of JSON, followed by as many bytes as its `bytes` says. Times are nanoseconds of the
 * machine's monotonic clock since the session began, strictly increasing in one log, so that logs of threads and
 * processes can be merged.
 */

import fs from 'node:fs';

import type { StackFrame } from './operation.ts';
import type { SystemCall } from './system-call.ts';

/** A call whose data, if it has any, follows the line. */
export type RawCall = SystemCall;

export type RawRecord =
  | {
      readonly kind: 'hello';
      readonly time: number;
      readonly process: number;
      /** Node's own number of the thread: 0 is the process's main thread. */
      readonly thread: number;
      readonly directory: string;
    }
  /** `stack` is new: later records of this log name it by its number, which counts from 0. */
  | { readonly kind: 'stack'; readonly frames: readonly StackFrame[] }
  | {
      readonly kind: 'start';
      readonly time: number;
      readonly id: number;
      readonly stack: number;
      readonly call: RawCall;
      readonly bytes?: number;
    }
  /** `call` replaces what the start said, where only the end knows it. */
  | {
      readonly kind: 'end';
      readonly time: number;
      readonly id: number;
      readonly value?: number;
      readonly error?: string;
      readonly call?: RawCall;
    }
  /** A call that blocked its thread: start and end at once. */
  | {
      readonly kind: 'run';
      readonly time: number;
      readonly end: number;
      readonly stack: number;
      readonly call: RawCall;
      readonly value?: number;
      readonly error?: string;
      readonly bytes?: number;
    }
  /** The program made a process or a thread, which must have a log of its own. */
  | {
      readonly kind: 'child';
      readonly time: number;
      readonly child: 'process' | 'thread';
      readonly id: number;
      readonly name: string;
    }
  /** A change outside of the root. */
  | { readonly kind: 'outside'; readonly time: number }
  /** The last record of a log that would be too long. */
  | { readonly kind: 'cut'; readonly time: number };

export type RawOutcome = { readonly value: number } | { readonly error: string };

/** Where `data` of a call goes while it is written: an empty stand-in, for the bytes follow the line. */
const NO_DATA = new Uint8Array(0);

/** Bytes of one log at most. A trace holds less; what is behind it would not be kept, and would fill the disk. */
export const LOG_BYTES_MAX: number = 4 * 1024 * 1024 * 1024;

/** Keeps the functions of `node:fs` as they were before anything was patched, by us or by the program. */
const { writeSync, openSync } = fs;

export class RawLog {
  readonly #fd: number;
  readonly #clockBase: bigint;
  readonly #stacks = new Map<string, number>();
  readonly #onBroken: (cause: unknown) => never;
  #lastTime = 0;
  #bytes = 0;
  #full = false;
  #nextId = 0;

  /** @param onBroken called when the log cannot be written: what was recorded is then incomplete and useless */
  constructor(path: string, clockBase: bigint, onBroken: (cause: unknown) => never) {
    this.#fd = openSync(path, 'wx', 0o600);
    this.#clockBase = clockBase;
    this.#onBroken = onBroken;
  }

  now(): number {
    const time = Number(process.hrtime.bigint() - this.#clockBase);
    this.#lastTime = Math.max(time, this.#lastTime + 1);
    return this.#lastTime;
  }

  /** A call begins; the result names it for `end`. */
  start(call: RawCall, frames: readonly StackFrame[]): number {
    const stack = this.#stack(frames);
    const id = this.#nextId++;
    const time = this.now();
    const data = dataOf(call);
    this.#write({ kind: 'start', time, id, stack, ...withoutData(call) }, data);
    return id;
  }

  end(id: number, outcome: RawOutcome, call?: RawCall): void {
    const time = this.now();
    this.#write({ kind: 'end', time, id, ...outcome, ...(call === undefined ? {} : { call }) });
  }

  /** A call that began at `time` and has just ended. */
  run(time: number, call: RawCall, frames: readonly StackFrame[], outcome: RawOutcome): void {
    const stack = this.#stack(frames);
    const end = this.now();
    const data = dataOf(call);
    this.#write({ kind: 'run', time, end, stack, ...withoutData(call), ...outcome }, data);
  }

  /** Tells something that is no call. */
  tell(record: Extract<RawRecord, { kind: 'hello' | 'child' | 'outside' }>): void {
    this.#write(record);
  }

  #stack(frames: readonly StackFrame[]): number {
    if (frames.length === 0) return -1;
    const key = JSON.stringify(frames);
    const known = this.#stacks.get(key);
    if (known !== undefined) return known;
    const index = this.#stacks.size;
    this.#stacks.set(key, index);
    this.#write({ kind: 'stack', frames });
    return index;
  }

  #write(record: RawRecord, data?: Uint8Array): void {
    if (this.#full) return;
    const line = Buffer.from(`${JSON.stringify(record)}\n`, 'utf8');
    const bytes = data === undefined ? line : Buffer.concat([line, data]);
    try {
      let offset = 0;
      while (offset < bytes.byteLength) {
        offset += writeSync(this.#fd, bytes, offset, bytes.byteLength - offset);
      }
    } catch (cause) {
      // A call that is missing from the log would make a wrong trace: the program must not go on.
      this.#onBroken(cause);
    }
    this.#bytes += bytes.byteLength;
    if (this.#bytes < LOG_BYTES_MAX || record.kind === 'cut') return;
    this.#write({ kind: 'cut', time: this.now() });
    this.#full = true;
  }
}

function dataOf(call: RawCall): Uint8Array | undefined {
  return call.call === 'write' ? call.data : undefined;
}

function withoutData(call: RawCall): { readonly call: RawCall; readonly bytes?: number } {
  if (call.call !== 'write') return { call };
  return { call: { ...call, data: NO_DATA }, bytes: call.data.byteLength };
}
