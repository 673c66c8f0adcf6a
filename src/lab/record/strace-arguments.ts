/**
 * The arguments of one call as `strace -yy -xx` prints them: strings in hexadecimal, descriptors with what they have
 * open, lists, structures, and words. Syntax only.
 */

/** One argument. */
export interface StraceArgument {
  /** As printed; of strings nothing. */
  readonly text: string;
  /** A string's bytes. */
  readonly bytes?: Uint8Array;
  /** The string was longer than what strace was asked to print. */
  readonly truncated?: boolean;
  /** What stands in angle brackets behind a descriptor or AT_FDCWD: a path, `pipe:[1]`, `TCP:[…]`. */
  readonly opened?: string;
  readonly list?: readonly StraceArgument[];
  /** The fields of a structure, by name. */
  readonly fields?: ReadonlyMap<string, StraceArgument>;
}

/** Stands where the rest of a call will come on another line. */
const UNFINISHED = '<unfinished ...>';

const DELETED = '(deleted)';

const HEX_STRING = /^(?:\\x[0-9a-f]{2})*$/;

/** Characters of one byte: a backslash, an x and two digits. */
const BYTE_CHARACTERS = 4;

function digitOf(code: number): number {
  // '0' to '9', then 'a' to 'f'.
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** The bytes of `\\x68\\x69`. Digit by digit: a write of a mebibyte is a line of four. */
function decodeHex(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor(text.length / BYTE_CHARACTERS));
  for (let index = 0; index < bytes.length; index += 1) {
    const at = index * BYTE_CHARACTERS;
    bytes[index] = digitOf(text.charCodeAt(at + 2)) * 16 + digitOf(text.charCodeAt(at + 3));
  }
  return bytes;
}

class ArgumentReader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  /** Values up to a closing bracket, or to the end of a text that was cut. */
  values(close: string): StraceArgument[] {
    const values: StraceArgument[] = [];
    for (;;) {
      this.#skip(', ');
      if (this.#at >= this.#text.length || this.#text[this.#at] === close) break;
      if (this.#text.startsWith(UNFINISHED, this.#at)) break;
      values.push(this.#value());
      // What an argument was and what the call made of it: only the first matters.
      if (this.#text.startsWith(' => ', this.#at)) {
        this.#at += 4;
        this.#value();
      }
    }
    this.#at += 1;
    return values;
  }

  #skip(characters: string): void {
    while (this.#at < this.#text.length && characters.includes(this.#text[this.#at] ?? '')) {
      this.#at += 1;
    }
  }

  #value(): StraceArgument {
    const character = this.#text[this.#at];
    if (character === '"') return this.#string();
    if (character === '[') {
      this.#at += 1;
      return { text: '', list: this.values(']') };
    }
    if (character === '{') return this.#structure();
    return this.#word();
  }

  #string(): StraceArgument {
    const end = this.#text.indexOf('"', this.#at + 1);
    const stop = end < 0 ? this.#text.length : end;
    const bytes = decodeHex(this.#text.slice(this.#at + 1, stop));
    this.#at = stop + 1;
    const truncated = this.#text.startsWith('...', this.#at);
    if (truncated) this.#at += 3;
    return { text: '', bytes, truncated };
  }

  #structure(): StraceArgument {
    this.#at += 1;
    const fields = new Map<string, StraceArgument>();
    for (;;) {
      this.#skip(', ');
      if (this.#at >= this.#text.length || this.#text[this.#at] === '}') break;
      const equals = this.#text.indexOf('=', this.#at);
      if (equals < 0) {
        this.#at = this.#text.length;
        break;
      }
      const name = this.#text.slice(this.#at, equals);
      this.#at = equals + 1;
      fields.set(name, this.#value());
    }
    this.#at += 1;
    return { text: '', fields };
  }

  /** A number, flags, a descriptor with what it has open, NULL, an address. */
  #word(): StraceArgument {
    const start = this.#at;
    let opened: string | undefined;
    while (this.#at < this.#text.length && !',)]}'.includes(this.#text[this.#at] ?? '')) {
      if (this.#text[this.#at] === '<' && this.#text[this.#at + 1] !== '<') {
        const stop = this.#annotationEnd();
        opened ??= decodeOpened(this.#text.slice(this.#at + 1, stop));
        this.#at = stop + 1;
        // Said of a file without a name; its parentheses are no end of the arguments.
        if (this.#text.startsWith(DELETED, this.#at)) this.#at += DELETED.length;
      } else if (this.#text.startsWith(` ${UNFINISHED}`, this.#at)) {
        break;
      } else {
        this.#at += 1;
      }
    }
    const text = this.#text.slice(start, this.#at).trim();
    if (this.#at === start) this.#at += 1;
    return opened === undefined ? { text } : { text, opened };
  }

  /** Annotations nest once: `0<path<char 1:3>>`. */
  #annotationEnd(): number {
    let depth = 0;
    for (let at = this.#at; at < this.#text.length; at += 1) {
      const character = this.#text[at];
      if (character === '<') depth += 1;
      // An arrow in the addresses of a connection closes nothing.
      if (character === '>' && this.#text[at - 1] !== '-') depth -= 1;
      if (depth === 0) return at;
    }
    return this.#text.length;
  }
}

/** A path is printed in hexadecimal, everything else as it is. */
function decodeOpened(text: string): string {
  const end = text.indexOf('<');
  const inner = end < 0 ? text : text.slice(0, end);
  if (!HEX_STRING.test(inner)) return inner;
  return Buffer.from(decodeHex(inner)).toString('utf8');
}

/** The arguments in a text that begins behind the opening parenthesis. */
export function parseArguments(text: string): readonly StraceArgument[] {
  return new ArgumentReader(text, 0).values(')');
}

/** What a call returned: `= 3<…>`, `= -1 EIO (…)`, `= ?`. */
export interface StraceResult {
  /** null: it did not return. */
  readonly value: number | null;
  readonly error?: string;
}

/** The result in what follows the closing parenthesis, or null when there is none. */
export function parseResult(text: string): StraceResult | null {
  const match = /^\)?\s*= (\?|0x[0-9a-f]+|-?\d+)(?:<[^ ]*)?(?: (E[A-Z0-9_]+))?/.exec(text);
  if (match === null) return null;
  const [, value = '?', error] = match;
  if (error !== undefined) return { value: null, error };
  return { value: value === '?' ? null : Number(value) };
}
