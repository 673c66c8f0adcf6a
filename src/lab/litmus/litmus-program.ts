/**
 * The language of litmus programs: the smallest programs that tell two crash models apart, as data. One program
 * answers one question ("can the rename survive without the data that was written before it?"). The same data
 * becomes a trace (`litmus-trace.ts`) and a real run on a real kernel (`litmus-script.ts`).
 *
 * Bytes are letters: `['write', 'f', 0, 'A', 4096]` writes 4,096 times the letter A, so that every sector of a
 * file that a kernel left says which write it comes from. By custom lower case is what was durable before.
 */

/** One system call (with the open and close it needs). Paths are relative to the program's directory. */
export type LitmusStep =
  | readonly [call: 'create', path: string]
  | readonly [call: 'write', path: string, offset: number, letter: string, length: number]
  /** Through a descriptor opened with O_DSYNC. */
  | readonly [call: 'write-durable', path: string, offset: number, letter: string, length: number]
  | readonly [call: 'truncate', path: string, size: number]
  /** fallocate(2) without flags: the size grows. */
  | readonly [call: 'allocate', path: string, offset: number, length: number]
  | readonly [call: 'fsync' | 'fdatasync', path: string]
  | readonly [call: 'sync-all']
  | readonly [call: 'chmod', path: string, mode: number]
  | readonly [call: 'mkdir' | 'rmdir' | 'unlink', path: string]
  | readonly [call: 'rename' | 'exchange' | 'link', from: string, to: string];

/** What one path is called in the words of outcomes: file content in letters ('A100 B4096') to its word. */
export type ContentWords = Readonly<Record<string, string>>;

/** What the reference's table says of the question, where it is definite. */
export interface LitmusExpectation {
  /** Outcomes, in words, that answer the question with yes. */
  readonly shown: RegExp;
  /** Models under which some disk, once the program has ended, must show it; and those under which none may. */
  readonly yes: readonly string[];
  readonly no: readonly string[];
}

export interface LitmusProgram {
  readonly name: string;
  readonly question: string;
  /** The row of the reference's table, in its words. */
  readonly cell: string;
  /** What is durable before the program starts: path to letters ('o100'), or to 'dir'. */
  readonly initial: Readonly<Record<string, string>>;
  readonly steps: readonly LitmusStep[];
  /** The paths that tell outcomes apart, with words for what they may hold. */
  readonly watch: Readonly<Record<string, ContentWords>>;
  readonly expect: LitmusExpectation;
  /** Profiles whose kernel refuses a call of the program. */
  readonly notOn?: readonly string[];
}

/** A run of one letter: `A4096`. */
export interface LetterRun {
  readonly letter: string;
  readonly length: number;
}

/** The runs that a text such as `'A100 B4096'` stands for. */
export function letterRuns(text: string): LetterRun[] {
  if (text === '') return [];
  return text
    .split(' ')
    .map((word) => ({ letter: word.slice(0, 1), length: Number(word.slice(1)) }));
}

/** The bytes of such a text; a dot is a zero. */
export function lettersToBytes(text: string): Uint8Array {
  const runs = letterRuns(text);
  const bytes = new Uint8Array(runs.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { letter, length } of runs) {
    bytes.fill(letter === '.' ? 0 : letter.charCodeAt(0), at, at + length);
    at += length;
  }
  return bytes;
}
