/** What the outside world had been told by the crash: as the text on standard output, and as lines. */

import type { MarkOperation } from '../record/operation.ts';

/**
 * The texts of all `mark` calls and all whole lines of standard output, in order. A line is taken where it ends;
 * what was written of one that has no end yet was not said.
 */
export function acknowledgedLines(marks: readonly MarkOperation[]): readonly string[] {
  const lines: string[] = [];
  let begun = '';
  for (const { source, text } of marks) {
    if (source === 'mark') lines.push(text);
    if (source !== 'stdout') continue;
    const parts = (begun + text).split('\n');
    begun = parts.pop() ?? '';
    for (const part of parts) lines.push(part.endsWith('\r') ? part.slice(0, -1) : part);
  }
  return lines;
}

/** What the program had written to standard output by the crash. */
export function acknowledgedOutput(marks: readonly MarkOperation[]): string {
  let text = '';
  for (const mark of marks) if (mark.source === 'stdout') text += mark.text;
  return text;
}
