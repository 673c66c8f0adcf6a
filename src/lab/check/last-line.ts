/**
 * The one line of a command's output that says what was wrong: its last one. Node ends the report of an uncaught
 * error with its own version, behind the stack; then the line that names the error is meant.
 */

import { printable } from './printable.ts';

/** Fit to be shown; `''` when there is nothing but blank lines. */
export function lastLineOf(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => printable(line) !== '');
  const last = lines.at(-1) ?? '';
  if (!/^Node\.js v\d/.test(last)) return printable(last);
  const named = lines.findLastIndex((line) =>
    /^(?:Uncaught )?[\w.]*(?:Error|Exception)\b/.test(line),
  );
  const error = lines[named];
  if (error === undefined) return printable(lines.at(-2) ?? last);
  const more = lines[named + 1] ?? '';
  // An assertion's message may go on below: "Expected values to be strictly equal:".
  const goesOn = error.endsWith(':') && !/^\s+at /.test(more) && more !== last;
  return printable(goesOn ? `${error} ${more.trim()}` : error);
}
