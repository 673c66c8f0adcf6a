/**
 * Source text with its comments, or its comments and strings, blanked out: enough of a scanner for rules that
 * look for words in code. Lines and columns stay where they are. It is no parser: it does not know types.
 */

export interface MaskedText {
  /** Comments blanked; strings and templates as they are. */
  readonly uncommented: string;
  /** Comments as they are; what stands inside strings, templates and regular expressions blanked. */
  readonly unquoted: string;
  /** Comments, and what stands inside strings, templates and regular expressions, blanked. */
  readonly code: string;
}

type Region = 'comment' | 'literal';

/** After one of these a slash begins a regular expression, not a division. */
const BEFORE_REGEXP =
  /(?:^|[=(,:;!&|?{}[+\-*%~^<>]|\b(?:return|case|typeof|in|of|do|else|void|throw|await))\s*$/;

export function maskText(text: string): MaskedText {
  // By UTF-16 units, so that places agree with those of `text`.
  const uncommented = text.split('');
  const unquoted = text.split('');
  const code = text.split('');
  const blank = (from: number, to: number, region: Region): void => {
    for (let index = from; index < to; index++) {
      if (text[index] === '\n') continue;
      code[index] = ' ';
      if (region === 'comment') uncommented[index] = ' ';
      else unquoted[index] = ' ';
    }
  };
  maskCode(text, 0, blank, false);
  return { uncommented: uncommented.join(''), unquoted: unquoted.join(''), code: code.join('') };
}

type Blank = (from: number, to: number, region: Region) => void;

/** Masks from `start`; inside `${…}` it returns after the brace that closes it. */
function maskCode(text: string, start: number, blank: Blank, nested: boolean): number {
  let depth = 0;
  let index = start;
  while (index < text.length) {
    const character = text[index];
    const commentEnd = endOfComment(text, index);
    const literalEnd = commentEnd ?? endOfQuoted(text, index) ?? endOfRegExp(text, index);
    if (commentEnd !== undefined) {
      blank(index, commentEnd, 'comment');
      index = commentEnd;
    } else if (literalEnd !== undefined) {
      blank(index + 1, literalEnd - 1, 'literal');
      index = literalEnd;
    } else if (character === '`') {
      index = maskTemplate(text, index, blank);
    } else {
      if (character === '{') depth += 1;
      if (character === '}' && nested && depth-- === 0) return index + 1;
      index += 1;
    }
  }
  return index;
}

function maskTemplate(text: string, start: number, blank: Blank): number {
  let index = start + 1;
  let literal = index;
  while (index < text.length && text[index] !== '`') {
    if (text[index] === '\\') {
      index += 2;
    } else if (text.startsWith('${', index)) {
      blank(literal, index, 'literal');
      index = maskCode(text, index + 2, blank, true);
      literal = index;
    } else {
      index += 1;
    }
  }
  blank(literal, index, 'literal');
  return index + 1;
}

function endOfComment(text: string, index: number): number | undefined {
  if (index === 0 && text.startsWith('#!')) return endOfLine(text, index);
  if (text.startsWith('//', index)) return endOfLine(text, index);
  if (!text.startsWith('/*', index)) return undefined;
  const end = text.indexOf('*/', index + 2);
  return end === -1 ? text.length : end + 2;
}

function endOfLine(text: string, index: number): number {
  const end = text.indexOf('\n', index);
  return end === -1 ? text.length : end;
}

function endOfQuoted(text: string, start: number): number | undefined {
  const quote = text[start];
  if (quote !== "'" && quote !== '"') return undefined;
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === quote || text[index] === '\n') return index + 1;
  }
  return text.length;
}

function endOfRegExp(text: string, start: number): number | undefined {
  if (text[start] !== '/' || !BEFORE_REGEXP.test(text.slice(Math.max(0, start - 40), start))) {
    return undefined;
  }
  let inClass = false;
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index];
    if (character === '\n') return undefined;
    if (character === '\\') index += 1;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return index + 1;
  }
  return undefined;
}

/** One-based line of the character at `index`. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let place = text.indexOf('\n'); place !== -1 && place < index;) {
    line += 1;
    place = text.indexOf('\n', place + 1);
  }
  return line;
}
