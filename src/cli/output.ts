/**
 * Text for people: tables, colours, a progress line. No command prints an escape sequence by itself, and no name
 * that came from a trace or a directory reaches the terminal without `printable`.
 */

import type { CommandContext, TextOutput } from './command.ts';

/** Paints text, or leaves it as it is where colour is not wanted. */
export type Paint = (text: string) => string;

/** The few colours in use. */
export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
// oxlint-disable-next-line no-control-regex -- an escape sequence is what this looks for
const COLOUR_SEQUENCES = /\u001b\[[0-9;]*m/g;

/**
 * The palette for one output of `context`: colours on a terminal, plain text elsewhere and where the variable
 * NO_COLOR is set to anything.
 *
 * @see https://no-color.org
 */
export function paletteFor(context: CommandContext, output: TextOutput): Palette {
  const { NO_COLOR: noColor, TERM: terminal } = context.env;
  const coloured = output.isTTY && (noColor ?? '') === '' && terminal !== 'dumb';
  const paint = (open: number, close: number): Paint =>
    coloured ? (text) => `\u001b[${open}m${text}\u001b[${close}m` : (text) => text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}

/** `text` with every control character spelled out, so that a file's name cannot steer a terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL_CHARACTERS, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** How a column stands. */
export type ColumnAlignment = 'left' | 'right';

/**
 * Rows as lines with aligned columns, two spaces apart, without trailing spaces. Cells may be painted. A row
 * shorter than the others leaves its last columns empty.
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  alignments: readonly ColumnAlignment[] = [],
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell));
    });
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - visibleLength(cell));
        return alignments[column] === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** Characters that a terminal shows, counting one for each code point. */
function visibleLength(text: string): number {
  return Array.from(text.replace(COLOUR_SEQUENCES, '')).length;
}

/** One line on standard error that says how far long work is; silent unless that is a terminal. */
export class ProgressLine {
  readonly #output: TextOutput;
  readonly #intervalMs: number;
  #lastMs = -Infinity;
  #shown = false;

  /** `intervalMs` is the least time between two drawings. */
  constructor(output: TextOutput, intervalMs: number = 100) {
    this.#output = output;
    this.#intervalMs = intervalMs;
  }

  /** Shows `text` in place of what stood there, unless the last drawing is too recent. */
  update(text: string): void {
    if (!this.#output.isTTY) return;
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < this.#intervalMs) return;
    this.#lastMs = nowMs;
    const line = Array.from(printable(text))
      .slice(0, (this.#output.columns ?? 80) - 1)
      .join('');
    this.#output.write(`\r\u001b[2K${line}`);
    this.#shown = true;
  }

  /** Takes the line away. Call it before anything else is printed. */
  clear(): void {
    if (!this.#shown) return;
    this.#output.write('\r\u001b[2K');
    this.#shown = false;
    this.#lastMs = -Infinity;
  }
}

/** A number and what it counts: `1 file`, `2 files`. `ofMany` where an `s` does not do. */
export function counted(count: number, ofOne: string, ofMany: string = `${ofOne}s`): string {
  return `${count} ${count === 1 ? ofOne : ofMany}`;
}
