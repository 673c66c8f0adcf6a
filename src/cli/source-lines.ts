/** Source files of recorded programs, read for what a report shows of them and for comments in them. */

import { readFileSync } from 'node:fs';

/** Reads each source file once; null for what is gone, or was never a file. */
export function sourceLines(): (file: string) => readonly string[] | null {
  const known = new Map<string, readonly string[] | null>();
  return (file) => {
    let lines = known.get(file);
    if (lines === undefined) {
      try {
        lines = readFileSync(file, 'utf8').split('\n');
      } catch {
        // A module of Node, code that was evaluated, or a trace from another machine: there are no lines to show.
        lines = null;
      }
      known.set(file, lines);
    }
    return lines;
  };
}
