/**
 * A trace sink into a file, line by line as it comes: memory does not grow with what is recorded, apart from the
 * names of contents and stacks. The file gets its name when it is whole; until then what had the name stays.
 */

import { createHash, randomBytes, type Hash } from 'node:crypto';
import fs from 'node:fs';

import { assert } from '../../base/assert.ts';
import type { ContentId, InitialInode, Operation, StackFrame, Trace } from './operation.ts';
import { contentId, StackTable } from './trace-collector.ts';
import {
  CONTENT_BYTES_MAX,
  CONTENT_PART_BYTES,
  CONTENTS_BYTES_MAX,
  OPERATIONS_MAX,
  TRACE_MAGIC,
  TRACE_VERSION,
  type TraceLine,
} from './trace-format.ts';
import { TraceLimitError, type TraceSink } from './trace-sink.ts';

const BUFFER_CHARACTERS_MAX = 64 * 1024;

/** How much one trace takes. */
export interface TraceLimits {
  /** Bytes of all contents together. */
  readonly contentBytes: number;
  /** Operations, and inodes at the start. */
  readonly operations: number;
}

const DEFAULT_LIMITS: TraceLimits = {
  contentBytes: CONTENTS_BYTES_MAX,
  operations: OPERATIONS_MAX,
};

/** What there is to say of a trace without reading it. */
export interface TraceSummary {
  /** Changes and syncs. */
  readonly changes: number;
  /** What cannot be modelled, in words. */
  readonly unmodelled: readonly string[];
}

export class TraceWriter implements TraceSink {
  readonly #path: string;
  /** Where it is written until it is whole. */
  readonly #partPath: string;
  readonly #fd: number;
  readonly #limits: TraceLimits;
  readonly #digest: Hash = createHash('sha256');
  readonly #contents = new Set<ContentId>();
  readonly #stacks = new StackTable();
  #lines: string[] = [];
  #lineCharacters = 0;
  #contentBytes = 0;
  #inodes = 0;
  #operations = 0;
  #changes = 0;
  readonly #unmodelled: string[] = [];
  #closed = false;

  /** Makes a file beside the one to write. The operating system's error when that cannot be done. */
  constructor(
    path: string,
    about: { readonly command: readonly string[]; readonly root: string },
    limits: Partial<TraceLimits> = {},
  ) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    this.#path = stat === undefined ? path : fs.realpathSync(path);
    // What is no file (a pipe, a device) cannot be replaced, only written; a directory gives its own error.
    const isFile = stat?.isFile() ?? true;
    this.#partPath = isFile ? `${this.#path}.${randomBytes(6).toString('hex')}.part` : this.#path;
    this.#fd = fs.openSync(this.#partPath, isFile ? 'wx' : 'w', 0o600);
    this.#line({ format: TRACE_MAGIC, version: TRACE_VERSION, ...about });
    this.flush();
  }

  addContent(bytes: Uint8Array): ContentId {
    const id = contentId(bytes);
    if (this.#contents.has(id)) return id;
    const length = bytes.byteLength;
    const { contentBytes } = this.#limits;
    if (length > CONTENT_BYTES_MAX || this.#contentBytes + length > contentBytes) {
      throw new TraceLimitError(
        `it holds ${Math.min(CONTENT_BYTES_MAX, contentBytes)} bytes of one file or write and ` +
          `${contentBytes} of all`,
      );
    }
    this.#contentBytes += length;
    this.#contents.add(id);
    for (let offset = 0; offset === 0 || offset < length; offset += CONTENT_PART_BYTES) {
      const part = bytes.subarray(offset, offset + CONTENT_PART_BYTES);
      const base64 = Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64');
      this.#line({ content: id, length, offset, base64 });
    }
    return id;
  }

  addStack(frames: readonly StackFrame[]): number {
    const { index, added } = this.#stacks.add(frames);
    if (added) {
      this.#line({
        stack: index,
        frames: frames.map((frame) => [frame.function, frame.file, frame.line, frame.column]),
      });
    }
    return index;
  }

  addInitial(initial: InitialInode): void {
    if (this.#inodes >= this.#limits.operations) {
      throw new TraceLimitError(`it holds ${this.#limits.operations} files and directories`);
    }
    this.#inodes += 1;
    this.#line({ initial });
  }

  /** What was not modelled always has room: a recording that is cut is told so by it. */
  addOperation(operation: Operation): void {
    if (this.#operations >= this.#limits.operations && operation.kind !== 'unmodelled') {
      throw new TraceLimitError(`it holds ${this.#limits.operations} operations`);
    }
    this.#operations += 1;
    this.#tally(operation);
    this.#line({ operation });
  }

  /** What was written so far. */
  get summary(): TraceSummary {
    return { changes: this.#changes, unmodelled: [...this.#unmodelled] };
  }

  /** Writes the last lines and gives the file its name. Nothing is synced: a trace is made anew, not kept. */
  finish(ignoredOutside: number): void {
    this.#line({
      counts: {
        inodes: this.#inodes,
        contents: this.#contents.size,
        stacks: this.#stacks.stacks.length,
        operations: this.#operations,
        ignoredOutside,
      },
    });
    this.flush();
    this.#line({ end: this.#digest.copy().digest('hex') });
    this.#take();
  }

  /** The file as it is gets its name: without `finish` it is a cut trace. */
  leaveCut(): void {
    if (!this.#closed) this.#take();
  }

  /** Nothing is left of what was written, unless it was finished. */
  abandon(): void {
    if (this.#closed) return;
    this.#close();
    if (this.#partPath !== this.#path) fs.rmSync(this.#partPath, { force: true });
  }

  #take(): void {
    this.flush();
    this.#close();
    if (this.#partPath !== this.#path) fs.renameSync(this.#partPath, this.#path);
  }

  #close(): void {
    this.#closed = true;
    fs.closeSync(this.#fd);
  }

  #tally(operation: Operation): void {
    const { kind } = operation;
    if (kind === 'unmodelled') this.#unmodelled.push(operation.what);
    else if (kind !== 'mark' && kind !== 'close') this.#changes += 1;
  }

  /** Hands what is buffered to the operating system. */
  flush(): void {
    const bytes = Buffer.from(this.#lines.join(''), 'utf8');
    this.#lines = [];
    this.#lineCharacters = 0;
    this.#digest.update(bytes);
    let offset = 0;
    while (offset < bytes.byteLength) {
      const count = fs.writeSync(this.#fd, bytes, offset, bytes.byteLength - offset);
      assert(count > 0, 'a write that succeeds moves at least one byte');
      offset += count;
    }
  }

  #line(line: TraceLine): void {
    assert(!this.#closed, 'a finished trace takes no more lines');
    const text = `${JSON.stringify(line)}\n`;
    this.#lines.push(text);
    this.#lineCharacters += text.length;
    if (this.#lineCharacters >= BUFFER_CHARACTERS_MAX) this.flush();
  }
}

/** Writes a whole trace that is in memory. */
export function writeTraceFile(path: string, trace: Trace): void {
  const writer = new TraceWriter(path, { command: trace.command, root: trace.root });
  try {
    for (const bytes of trace.contents.values()) writer.addContent(bytes);
    trace.stacks.forEach((frames, index) => {
      assert(writer.addStack(frames) === index, 'the stacks of a trace differ from each other');
    });
    for (const inode of trace.initial) writer.addInitial(inode);
    for (const operation of trace.operations) writer.addOperation(operation);
    writer.finish(trace.ignoredOutside);
  } finally {
    writer.abandon();
  }
}
