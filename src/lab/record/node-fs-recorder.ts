/**
 * Sees every file system call that JavaScript code of this thread makes, in any form, and writes it to the
 * thread's log with the stack of the code that asked for it.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';

import { captureStack } from './js-stack.ts';
import type { MarkLines } from './mark-lines.ts';
import {
  fsBinding,
  isNative,
  wrapNative,
  type CallObserver,
  type FsBinding,
} from './node-binding.ts';
import {
  closeHandle,
  DESCRIBERS,
  numberOf,
  type DescribeContext,
  type Describer,
  type Done,
  type Draft,
} from './node-fs-calls.ts';
import { copyFile, overrideFile, watchedRemoval, writeFileUtf8 } from './node-fs-composites.ts';
import { installDetours } from './node-fs-detours.ts';
import type { StackFrame } from './operation.ts';
import type { RawLog } from './raw-log.ts';
import type { RootFilter } from './root-filter.ts';

type Frames = readonly StackFrame[];

/** A call under way. */
interface Ticket {
  readonly draft: Draft;
  readonly frames: Frames;
  /** Start of a blocking call, or the number of another one in the log; null when the log has nothing of it. */
  readonly time: number | null;
  readonly id: number | null;
}

const STDOUT_FD = 1;

export class NodeFsRecorder {
  readonly #log: RawLog;
  readonly #context: DescribeContext;
  readonly #stdout: MarkLines | null;
  /** The stack of the call whose consequence is running, for code in which only Node itself is on the stack. */
  readonly #cause = new AsyncLocalStorage<Frames>();
  #paused = 0;
  #streamDepth = 0;
  #inventedFd = -1;

  /** @param stdout where lines on descriptor 1 go; null when it is not the recorded program's output */
  constructor(log: RawLog, filter: RootFilter, stdout: MarkLines | null) {
    this.#log = log;
    this.#stdout = stdout;
    this.#context = {
      filter,
      umask: process.umask(),
      inventFd: () => {
        this.#inventedFd -= 1;
        return this.#inventedFd;
      },
    };
  }

  /** Runs blocking work of the recorder itself, which is not the program's. */
  unrecorded<Result>(work: () => Result): Result {
    this.#paused += 1;
    try {
      return work();
    } finally {
      this.#paused -= 1;
    }
  }

  /** The program's stack here, or that of the call that led here. */
  stack(): Frames {
    const frames = captureStack();
    if (frames.length === 0) return this.#cause.getStore() ?? [];
    // What follows in this context without a frame of the program is a consequence of this call.
    this.#cause.enterWith(frames);
    return frames;
  }

  /** From here on every call of this thread is recorded. */
  install(): void {
    const binding = fsBinding();
    const { functions, handlePrototype } = binding;
    for (const [name, describe] of Object.entries(DESCRIBERS)) {
      wrapNative(functions, name, binding, this.#observer(describe));
    }
    wrapNative(handlePrototype, 'close', binding, this.#observer(closeHandle));
    wrapNative(functions, 'copyFile', binding, this.#observer(copyFile));
    wrapNative(functions, 'cpSyncOverrideFile', binding, this.#observer(overrideFile));
    this.#replaceComposites(binding);
    installDetours(functions);
    this.#watchStreams();
    this.#watchUmask();
  }

  /** Standard output of this thread goes to `lines` from here on, whatever kind of stream it is. */
  watchOutput(lines: MarkLines): void {
    const property = Object.getOwnPropertyDescriptor(process, 'stdout');
    if (property?.get === undefined) return;
    const get = property.get.bind(process);
    let watched: unknown;
    // Made when the program first asks for it, as without a recorder.
    const stdout = (): unknown => {
      const stream: unknown = get();
      if (stream !== watched && typeof stream === 'object' && stream !== null) {
        watched = stream;
        this.#watchStream(stream, lines);
      }
      return stream;
    };
    Object.defineProperty(process, 'stdout', { ...property, get: stdout });
  }

  #watchStream(stream: object, lines: MarkLines): void {
    const write: unknown = Reflect.get(stream, 'write');
    if (!isNative(write)) return;
    Reflect.set(stream, 'write', (...args: unknown[]): unknown => {
      const [chunk, encoding] = args;
      // Where standard output is a file, the write below ends in a call that would tell it again.
      this.#streamDepth += 1;
      try {
        return Reflect.apply(write, stream, args);
      } finally {
        this.#streamDepth -= 1;
        lines.write(chunkBytes(chunk, encoding));
      }
    });
  }

  #observer(describe: Describer): CallObserver<Ticket> {
    return {
      before: (args, self, blocking) => {
        if (this.#paused > 0) return null;
        if (this.#stdout !== null) this.#tellOutput(args, describe);
        const draft = describe(args, this.#context, self);
        if (draft === null) return null;
        if (draft.call === null || draft.call === 'outside') {
          return { draft, frames: [], time: null, id: null };
        }
        const frames = this.stack();
        if (blocking) return { draft, frames, time: this.#log.now(), id: null };
        return { draft, frames, time: null, id: this.#log.start(draft.call, frames) };
      },
      after: (ticket, outcome) => {
        if ('error' in outcome) this.#failed(ticket, outcome.error);
        else this.unrecorded(() => this.#succeeded(ticket, outcome.value));
      },
      within: (ticket, run) => this.#cause.run(ticket.frames, run),
    };
  }

  #failed({ draft, frames, time, id }: Ticket, error: string): void {
    if (id !== null) this.#log.end(id, { error });
    else if (time !== null && draft.call !== null && draft.call !== 'outside') {
      this.#log.run(time, draft.call, frames, { error });
    }
  }

  #succeeded({ draft, frames, time, id }: Ticket, result: unknown): void {
    const done: Done = draft.done?.(result) ?? { value: numberOf(result) };
    if (draft.call === 'outside') this.#log.tell({ kind: 'outside', time: this.#log.now() });
    if (draft.call === null || draft.call === 'outside') return;
    const { value } = done;
    if (id !== null) this.#log.end(id, { value }, done.call);
    else if (time !== null) this.#log.run(time, done.call ?? draft.call, frames, { value });
    for (const step of done.more?.() ?? []) {
      this.#log.run(this.#log.now(), step.call, frames, { value: step.value });
    }
  }

  /** Code that writes to descriptor 1 itself, beside `process.stdout`. */
  #tellOutput(args: readonly unknown[], describe: Describer): void {
    if (args[0] !== STDOUT_FD || this.#stdout === null || this.#streamDepth > 0) return;
    const bytes = OUTPUT_BYTES.get(describe)?.(args);
    if (bytes !== undefined) this.#stdout.write(bytes);
  }

  #replaceComposites({ functions }: FsBinding): void {
    functions['writeFileUtf8'] = writeFileUtf8;
    const removeNative = functions['rmSync'];
    if (!isNative(removeNative)) return;
    functions['rmSync'] = (...args: unknown[]): unknown => {
      const removal = this.unrecorded(() => watchedRemoval(args[0], this.#context));
      if (removal === null) this.#log.tell({ kind: 'outside', time: this.#log.now() });
      const frames = this.stack();
      try {
        return Reflect.apply(removeNative, functions, args);
      } finally {
        for (const { call, value } of this.unrecorded(() => removal?.gone() ?? [])) {
          this.#log.run(this.#log.now(), call, frames, { value });
        }
      }
    };
  }

  /** A stream opens its file later, from Node's own queue: what it does then is a consequence of this call. */
  #watchStreams(): void {
    const original = fs.createWriteStream;
    fs.createWriteStream = (...args) => {
      this.stack();
      return Reflect.apply(original, fs, args);
    };
  }

  #watchUmask(): void {
    const original = process.umask.bind(process);
    const context = this.#context;
    process.umask = (mask?: string | number): number => {
      const before = mask === undefined ? original() : original(mask);
      if (mask !== undefined) context.umask = original();
      return before;
    };
  }
}

/** The bytes of what a program gives to a stream. */
function chunkBytes(chunk: unknown, encoding: unknown): Uint8Array {
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (typeof chunk !== 'string') return new Uint8Array(0);
  const known = typeof encoding === 'string' && Buffer.isEncoding(encoding);
  return Buffer.from(chunk, known ? encoding : 'utf8');
}

/** The bytes that a write call asks to write, by the describer of its function. */
const OUTPUT_BYTES = new Map<Describer | undefined, (args: readonly unknown[]) => Uint8Array>([
  [
    DESCRIBERS['writeBuffer'],
    ([, buffer, offset, length]) => {
      if (!ArrayBuffer.isView(buffer)) return new Uint8Array(0);
      const start = buffer.byteOffset + numberOf(offset);
      return new Uint8Array(buffer.buffer, start, numberOf(length));
    },
  ],
  [
    DESCRIBERS['writeBuffers'],
    ([, buffers]) => Buffer.concat(Array.isArray(buffers) ? (buffers as Uint8Array[]) : []),
  ],
  [
    DESCRIBERS['writeString'],
    ([, text, , encoding]) =>
      Buffer.from(
        String(text),
        (typeof encoding === 'string' ? encoding : 'utf8') as BufferEncoding,
      ),
  ],
]);
