/**
 * A trace sink into a file, line by line as it comes: memory does not grow with what is recorded, apart from the
 * names of contents and stacks. A file without its end line is told by the reader to be cut.
 */

import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';

import { assert } from '../../base/assert.ts';
import { UsageError } from '../../base/errors.ts';
import type { ContentId, InitialInode, Operation, StackFrame, Trace } from './operation.ts';
import { contentId, StackTable } from './trace-collector.ts';
import {
  CONTENT_BYTES_MAX,
  CONTENT_PART_BYTES,
  CONTENTS_BYTES_MAX,
  TRACE_MAGIC,
  TRACE_VERSION,
  type TraceLine,
} from './trace-format.ts';
import type { TraceSink } from './trace-sink.ts';

const BUFFER_CHARACTERS_MAX = 64 * 1024;

export class TraceWriter implements TraceSink {
  readonly #path: string;
  readonly #fd: number;
  readonly #digest: Hash = createHash('sha256');
  readonly #contents = new Set<ContentId>();
  readonly #stacks = new StackTable();
  #lines: string[] = [];
  #lineCharacters = 0;
  #contentBytes = 0;
  #inodes = 0;
  #operations = 0;
  #closed = false;

  /** Makes or empties the file. The operating system's error when that cannot be done. */
  constructor(path: string, about: { readonly command: readonly string[]; readonly root: string }) {
    this.#path = path;
    this.#fd = fs.openSync(path, 'w', 0o600);
    this.#line({ format: TRACE_MAGIC, version: TRACE_VERSION, ...about });
    this.flush();
  }

  addContent(bytes: Uint8Array): ContentId {
    const id = contentId(bytes);
    if (this.#contents.has(id)) return id;
    const length = bytes.byteLength;
    this.#contentBytes += length;
    if (length > CONTENT_BYTES_MAX || this.#contentBytes > CONTENTS_BYTES_MAX) {
      throw new UsageError(
        `${this.#path} would be too long: a trace holds ${CONTENT_BYTES_MAX} bytes of one file or write ` +
          `and ${CONTENTS_BYTES_MAX} of all; record a shorter run, or a smaller root`,
      );
    }
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
    this.#inodes += 1;
    this.#line({ initial });
  }

  addOperation(operation: Operation): void {
    this.#operations += 1;
    this.#line({ operation });
  }

  /** Writes the last lines and closes the file. Nothing is synced: a trace is made anew, not kept. */
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
    this.flush();
    this.abandon();
  }

  /** Closes the file as it is. Without `finish` it is a cut trace. */
  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    fs.closeSync(this.#fd);
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
