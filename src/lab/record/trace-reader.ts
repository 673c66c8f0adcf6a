/**
 * Reads trace files. They come from other people and other versions: every line is checked before it is believed,
 * and whatever is wrong ends in one `TraceError` that names the file, the line and what to do.
 */

import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';

import { TraceError } from '../../base/errors.ts';
import type { ContentId, InitialInode, Operation, StackFrame, Trace } from './operation.ts';
import { contentId, inStartOrder } from './trace-collector.ts';
import {
  CONTENT_BYTES_MAX,
  CONTENTS_BYTES_MAX,
  LINE_LENGTH_MAX,
  TRACE_MAGIC,
  TRACE_VERSION,
} from './trace-format.ts';
import { checkTrace } from './trace-check.ts';
import { arrayOf, fieldsOf, integerOf, stringOf, WrongShape, type Fields } from './trace-shape.ts';
import { initialInodeOf, operationOf } from './trace-lines.ts';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The trace in a file.
 *
 * @throws TraceError (`HOLDFAST_BAD_TRACE`) when it is no trace, one of another version, cut, or damaged
 */
export function readTraceFile(path: string): Trace {
  let fd: number;
  try {
    fd = fs.openSync(path, 'r');
  } catch (cause) {
    // Whatever the reason, the user named a file that cannot be read.
    throw new TraceError(`${path} cannot be opened: ${messageOf(cause)}`, { cause });
  }
  try {
    const reading = new TraceReading(path);
    readLines(fd, path, reading);
    return reading.finish();
  } catch (cause) {
    if (cause instanceof TraceError) throw cause;
    throw new TraceError(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  } finally {
    fs.closeSync(fd);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function readLines(fd: number, path: string, reading: TraceReading): void {
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = fs.readSync(fd, chunk, 0, CHUNK_BYTES, null);
    if (count === 0) break;
    let data: Buffer = chunk.subarray(0, count);
    if (rest.byteLength > 0) data = Buffer.concat([rest, data]);
    let start = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, start)) {
      reading.line(data.subarray(start, at + 1));
      start = at + 1;
    }
    rest = data.subarray(start);
    if (rest.byteLength > LINE_LENGTH_MAX) {
      throw new TraceError(
        `${path} is not a trace, or is damaged: line ${reading.lines + 1} is too long. Record again`,
      );
    }
  }
  reading.rest(rest);
}

/** A content of which some parts were read. */
interface PartialContent {
  readonly id: ContentId;
  readonly bytes: Uint8Array;
  filled: number;
}

class TraceReading {
  lines = 0;
  readonly #path: string;
  readonly #digest: Hash = createHash('sha256');
  readonly #initial: InitialInode[] = [];
  readonly #operations: Operation[] = [];
  readonly #stacks: (readonly StackFrame[])[] = [];
  readonly #contents = new Map<ContentId, Uint8Array>();
  #partial: PartialContent | null = null;
  #head: { readonly command: string[]; readonly root: string } | null = null;
  #ignoredOutside: number | null = null;
  #contentBytes = 0;
  #ended = false;

  constructor(path: string) {
    this.#path = path;
  }

  line(bytes: Buffer): void {
    this.lines += 1;
    if (this.#ended) throw this.#damaged('something follows the end line');
    let fields: Fields;
    try {
      fields = fieldsOf(JSON.parse(bytes.toString('utf8')), 'the line');
    } catch (cause) {
      if (this.#head === null) throw this.#notATrace();
      throw this.#damaged('it is not JSON', cause);
    }
    try {
      if (this.#head === null) this.#readHead(fields);
      else this.#readBody(fields);
    } catch (cause) {
      if (cause instanceof WrongShape) throw this.#damaged(cause.message, cause);
      throw cause;
    }
    if (!this.#ended) this.#digest.update(bytes);
  }

  /** What follows the last newline: nothing, in a whole trace. */
  rest(bytes: Buffer): void {
    if (bytes.byteLength === 0) return;
    if (this.#head === null) throw this.#notATrace();
    if (this.#ended) throw this.#damaged('something follows the end line');
    throw this.#cut();
  }

  finish(): Trace {
    if (this.lines === 0 || this.#head === null) throw this.#notATrace();
    if (!this.#ended || this.#ignoredOutside === null) throw this.#cut();
    const trace: Trace = {
      ...this.#head,
      initial: this.#initial,
      operations: inStartOrder(this.#operations),
      stacks: this.#stacks,
      contents: this.#contents,
      ignoredOutside: this.#ignoredOutside,
    };
    const problem = checkTrace(trace);
    if (problem !== null) {
      throw new TraceError(`${this.#path} cannot be used: ${problem}. Record again`);
    }
    return trace;
  }

  #readHead(fields: Fields): void {
    if (fields['format'] !== TRACE_MAGIC) throw this.#notATrace();
    const version = fields['version'];
    if (version !== TRACE_VERSION) {
      throw new TraceError(
        `${this.#path} is a trace of version ${String(version)}, and this Holdfast reads version ` +
          `${TRACE_VERSION}. Record again with this Holdfast`,
      );
    }
    const command = arrayOf(fields['command'], 'command').map((part) => stringOf(part, 'command'));
    this.#head = { command, root: stringOf(fields['root'], 'root') };
  }

  #readBody(fields: Fields): void {
    if (this.#ignoredOutside !== null && !('end' in fields)) {
      throw new WrongShape('only the end line may follow the counts');
    }
    if (this.#partial !== null && fields['content'] !== this.#partial.id) {
      throw new WrongShape('the content before it is incomplete');
    }
    if ('operation' in fields) {
      this.#operations.push(operationOf(fields['operation']));
    } else if ('content' in fields) {
      this.#readContent(fields);
    } else if ('stack' in fields) {
      this.#readStack(fields);
    } else if ('initial' in fields) {
      this.#initial.push(initialInodeOf(fields['initial']));
    } else if ('counts' in fields) {
      this.#readCounts(fieldsOf(fields['counts'], 'counts'));
    } else if ('end' in fields) {
      this.#readEnd(stringOf(fields['end'], 'end'));
    } else {
      throw new WrongShape('it is none of the lines of a trace');
    }
  }

  #readContent(fields: Fields): void {
    const id = stringOf(fields['content'], 'content');
    const length = integerOf(fields['length'], 'length');
    const offset = integerOf(fields['offset'], 'offset');
    if (offset === 0) this.#contentBytes += length;
    if (length > CONTENT_BYTES_MAX || this.#contentBytes > CONTENTS_BYTES_MAX) {
      throw new WrongShape(`a content of ${length} bytes is more than a trace holds`);
    }
    const bytes = Buffer.from(stringOf(fields['base64'], 'base64'), 'base64');
    const partial = this.#partial ?? { id, bytes: new Uint8Array(length), filled: 0 };
    if (offset !== partial.filled || length !== partial.bytes.byteLength) {
      throw new WrongShape('the parts of a content do not follow each other');
    }
    if (offset + bytes.byteLength > length || (bytes.byteLength === 0 && length > 0)) {
      throw new WrongShape('a part of a content has a wrong length');
    }
    partial.bytes.set(bytes, offset);
    partial.filled = offset + bytes.byteLength;
    this.#partial = partial.filled < length ? partial : null;
    if (this.#partial !== null) return;
    if (contentId(partial.bytes) !== id) throw new WrongShape('its bytes do not have its digest');
    this.#contents.set(id, partial.bytes);
  }

  #readStack(fields: Fields): void {
    if (integerOf(fields['stack'], 'stack') !== this.#stacks.length) {
      throw new WrongShape('the stacks are not numbered one by one');
    }
    this.#stacks.push(
      arrayOf(fields['frames'], 'frames').map((value) => {
        const [name, file, line, column] = arrayOf(value, 'frame');
        return {
          function: stringOf(name, 'function'),
          file: stringOf(file, 'file'),
          line: integerOf(line, 'line'),
          column: integerOf(column, 'column'),
        };
      }),
    );
  }

  #readCounts(counts: Fields): void {
    const counted: [string, number][] = [
      ['inodes', this.#initial.length],
      ['contents', this.#contents.size],
      ['stacks', this.#stacks.length],
      ['operations', this.#operations.length],
    ];
    for (const [name, count] of counted) {
      const told = integerOf(counts[name], name);
      if (told !== count)
        throw new WrongShape(`it tells of ${told} ${name}, and ${count} are there`);
    }
    this.#ignoredOutside = integerOf(counts['ignoredOutside'], 'ignoredOutside');
  }

  #readEnd(sha256: string): void {
    if (this.#ignoredOutside === null) throw new WrongShape('the counts are missing');
    if (sha256 !== this.#digest.digest('hex')) {
      throw new WrongShape('its digest is not that of the lines before it');
    }
    this.#ended = true;
  }

  #notATrace(): TraceError {
    return new TraceError(
      `${this.#path} is not a Holdfast trace. Make one with: holdfast record --root DIR -o TRACE -- PROGRAM`,
    );
  }

  #cut(): TraceError {
    return new TraceError(
      `${this.#path} is cut after line ${this.lines}: the recording did not come to its end ` +
        `(killed, or a full disk). Record again`,
    );
  }

  #damaged(what: string, cause?: unknown): TraceError {
    const message = `${this.#path} is damaged at line ${this.lines}: ${what}. Record again`;
    return new TraceError(message, { cause });
  }
}
