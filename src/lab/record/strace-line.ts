/** One line of `strace -f -o`: who, what, and whether it is the beginning or the end of a call. */

import {
  parseArguments,
  parseResult,
  type StraceArgument,
  type StraceResult,
} from './strace-arguments.ts';

export type StraceLine =
  | {
      readonly kind: 'call';
      readonly pid: number;
      readonly name: string;
      readonly args: readonly StraceArgument[];
      /** null: the call has begun, and its end comes later. */
      readonly result: StraceResult | null;
    }
  | {
      readonly kind: 'resumed';
      readonly pid: number;
      readonly name: string;
      readonly args: readonly StraceArgument[];
      readonly result: StraceResult;
    }
  | { readonly kind: 'exited'; readonly pid: number; readonly code: number }
  | { readonly kind: 'killed'; readonly pid: number; readonly signal: string }
  /** Another thread's execve took this one's place. */
  | { readonly kind: 'superseded'; readonly pid: number; readonly by: number }
  /** A frame of the call before it, innermost first. */
  | { readonly kind: 'frame'; readonly file: string; readonly symbol: string }
  | { readonly kind: 'other' };

const OTHER: StraceLine = { kind: 'other' };

export function parseLine(line: string): StraceLine {
  if (line.startsWith(' > ')) return parseFrame(line);
  const space = line.indexOf(' ');
  const pid = Number(line.slice(0, space));
  if (!Number.isSafeInteger(pid) || pid <= 0) return OTHER;
  const text = line.slice(space).trimStart();
  if (text.startsWith('+++')) return parseEnd(pid, text);
  if (text.startsWith('---')) return OTHER;
  if (text.startsWith('<... ')) return parseResumed(pid, text);
  const parenthesis = text.indexOf('(');
  if (parenthesis < 0) return OTHER;
  const name = text.slice(0, parenthesis);
  const rest = text.slice(parenthesis + 1);
  const args = parseArguments(rest);
  if (rest.endsWith('<unfinished ...>')) return { kind: 'call', pid, name, args, result: null };
  const result = parseTail(rest);
  if (result === null) return OTHER;
  return { kind: 'call', pid, name, args, result };
}

/** The result stands behind the last `) = `; strings are hexadecimal and cannot hold one. */
function parseTail(text: string): StraceResult | null {
  const at = text.lastIndexOf(' = ');
  return at < 0 ? null : parseResult(text.slice(at).trimStart());
}

function parseResumed(pid: number, text: string): StraceLine {
  const [, name, rest] = /^<\.\.\. (\S+) resumed>(.*)$/s.exec(text) ?? [];
  if (name === undefined || rest === undefined) return OTHER;
  const result = parseTail(rest);
  if (result === null) return OTHER;
  return { kind: 'resumed', pid, name, args: parseArguments(rest), result };
}

function parseEnd(pid: number, text: string): StraceLine {
  const exited = /^\+\+\+ exited with (\d+)/.exec(text);
  if (exited !== null) return { kind: 'exited', pid, code: Number(exited[1]) };
  const killed = /^\+\+\+ killed by (\S+)/.exec(text);
  if (killed !== null) return { kind: 'killed', pid, signal: killed[1] ?? '' };
  const superseded = /^\+\+\+ superseded by execve in pid (\d+)/.exec(text);
  if (superseded !== null) return { kind: 'superseded', pid, by: Number(superseded[1]) };
  return OTHER;
}

function parseFrame(line: string): StraceLine {
  const [, file, symbol = ''] = /^ > (.*?)(?:\((.*)\))? \[0x[0-9a-f]+\]$/.exec(line) ?? [];
  return file === undefined ? OTHER : { kind: 'frame', file, symbol };
}
