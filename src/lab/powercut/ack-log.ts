/**
 * What the outside world had been told, tied to places in the block log. Two forms: a mark, whose caller waits
 * until its place is noted, so that the place is exact; and lines on standard output, noted when they arrive
 * here, which is later than they were written. Later is the safe side: a crash state before that place is
 * checked without the line, so a violation is always real.
 */

import type { MarkOperation } from '../record/operation.ts';

/** One thing the outside world was told. */
export interface NotedMark {
  /** How many entries the block log had when it was noted; it holds for crashes at this place or later. */
  readonly position: number;
  readonly mark: MarkOperation;
}

/** Collects marks in the order in which they were noted. */
export class AckLog {
  readonly marks: NotedMark[] = [];
  readonly #position: () => number;
  readonly #decoder = new TextDecoder();
  #line = '';

  /** `position` counts the entries of the block log at the moment of the call. */
  constructor(position: () => number) {
    this.#position = position;
  }

  /** Bytes that the program wrote to standard output. Noted line by line; half a line tells nobody anything. */
  standardOutput(bytes: Uint8Array): boolean {
    this.#line += this.#decoder.decode(bytes, { stream: true });
    const end = this.#line.lastIndexOf('\n') + 1;
    if (end === 0) return false;
    this.#note('stdout', this.#line.slice(0, end));
    this.#line = this.#line.slice(end);
    return true;
  }

  /** A mark whose caller is waiting. */
  mark(text: string): void {
    this.#note('mark', text);
  }

  /** The program ended: what stood on its last line counts too. */
  exit(code: number): void {
    if (this.#line !== '') this.#note('stdout', this.#line);
    this.#line = '';
    this.#note('exit', String(code));
  }

  #note(source: MarkOperation['source'], text: string): void {
    const time = 2 * this.marks.length;
    const mark: MarkOperation = {
      kind: 'mark',
      source,
      text,
      start: time,
      end: time + 1,
      thread: 0,
      stack: -1,
      path: '',
    };
    this.marks.push({ position: this.#position(), mark });
  }
}

/** The marks that stood when the block log had `position` entries. */
export function marksUpTo(marks: readonly NotedMark[], position: number): MarkOperation[] {
  return marks.filter((noted) => noted.position <= position).map((noted) => noted.mark);
}
