/**
 * Reads what strace wrote of a run and says what the run asked of its disk: names and opens from calls that take a
 * path, and from calls on descriptors the parts of files that it read (`process-ranges.ts`). When something was done
 * that this cannot follow, it says so, and the run is not remembered.
 */

import type { DiskQuestion } from './disk-question.ts';
import { RangeReader } from './process-ranges.ts';

/** Puts a command under strace; its output goes to the file at `logPath`. */
export function tracedCommand(
  command: string | readonly string[],
  logPath: string,
): readonly string[] {
  const calls = '%file,%desc,fchdir,io_uring_setup,io_setup,open_by_handle_at';
  const options = ['-f', '-qq', '-y', '--seccomp-bpf', '-e', `trace=${calls}`, '-o', logPath, '--'];
  const own = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  return ['strace', ...options, ...own];
}

export interface RunPlace {
  /** The state directory, absolute and without links; the run's first working directory. */
  readonly state: string;
  /** The file with what was acknowledged. */
  readonly acks: string;
}

/** The questions in the order in which they were asked; null when the run cannot be remembered. */
export function questionsAsked(log: string, place: RunPlace): readonly DiskQuestion[] | null {
  const reader = new LogReader(place);
  for (const line of log.split('\n')) if (!reader.take(line)) return null;
  return reader.end();
}

/** Calls that give what a path leads to another name, under which anything below may then be read. */
const MOVING = /^(?:rename|link|symlink)/;

/** Calls of which only the first string is a path. */
const ONE_PATH = /^(?:execve|readlink|l?[gs]etxattr|l?removexattr)/;

/** Calls that look at what is at a path, and no further. */
const LOOKING =
  /^(?:access|faccessat|stat|lstat|newfstatat|fstatat|statx|readlink|chdir|unlink|mkdir|mknod|chmod|fchmodat|chown|lchown|fchownat|utime|futimesat|utimensat|truncate|statfs|getcwd|getxattr|lgetxattr|listxattr|llistxattr|setxattr|lsetxattr|removexattr|lremovexattr|inotify_add_watch)/;

const CALL = /^(?:\d+\s+)?(\w+)\((.*)$/;

/** A call is on two lines where another process had the word between. */
const UNFINISHED = /^(\d+)\s+(.*)<unfinished \.\.\.>$/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$/;

/** A string, and the directory that it is relative to where the call says so. */
const STRINGS = /(?:(\w+)<((?:[^<>\\]|\\.)*)>, )?"((?:[^"\\]|\\.)*)"(\.\.\.)?/g;

/** The path of a descriptor that a call returned. */
const RETURNED = /\) += \d+<((?:[^<>\\]|\\.)*)>$/;

/** A file that was opened to be read: at `path`, and it was `file`. What it asks is known when the run is over. */
interface Opened {
  readonly path: string;
  readonly file: string;
}

/** Whatever may hold any characters: strings, and paths of descriptors. */
const NAMES = /"(?:[^"\\]|\\.)*"|<(?:[^<>\\]|\\.)*>/g;

/** An open that can do nothing but read; what is written as well counts as read in full. */
const READ_ONLY = /, (?:\{flags=)?O_RDONLY\b(?!.*O_(?:TRUNC|PATH|TMPFILE))/;

class LogReader {
  readonly #questions = new Set<DiskQuestion | Opened>();
  readonly #place: RunPlace;
  readonly #ranges: RangeReader;
  /** By process: the beginning of the call that it is in. */
  readonly #begun = new Map<string, string>();
  readonly #openings = new Map<string, Opened>();
  /** What the call at hand opened to be read and nothing else, by its own path; null otherwise. */
  #file: string | null = null;
  #moved = false;

  constructor(place: RunPlace) {
    this.#place = place;
    this.#ranges = new RangeReader((shown) => pathBelow(unescape(shown), place.state));
  }

  /** False when the run cannot be remembered. */
  take(line: string): boolean {
    const [, process, beginning = ''] = UNFINISHED.exec(line) ?? [];
    if (process !== undefined) {
      this.#begun.set(process, beginning);
      return true;
    }
    const [, resumed, , ending = ''] = RESUMED.exec(line) ?? [];
    if (resumed === undefined) return this.#takeWhole(line);
    const begun = this.#begun.get(resumed);
    this.#begun.delete(resumed);
    return begun !== undefined && this.#takeWhole(`${begun}${ending}`);
  }

  /** What was asked, in order; null when the run cannot be remembered. */
  end(): readonly DiskQuestion[] | null {
    // Calls that never returned: what came of them was not seen by the run, but what they did may have been.
    if (this.#begun.size > 0) this.#ranges.giveUp();
    for (const begun of this.#begun.values()) if (!this.#takeWhole(begun)) return null;
    const asked = new Set<DiskQuestion>();
    const opened = new Set<string>();
    for (const question of this.#questions) {
      if (typeof question !== 'string') {
        opened.add(question.file);
        asked.add(this.#readQuestion(question));
      } else asked.add(question);
    }
    // Read through a descriptor that came from nowhere known.
    for (const path of this.#ranges.paths) if (!opened.has(path)) asked.add(`o${path}`);
    return [...asked];
  }

  #readQuestion({ path, file }: Opened): DiskQuestion {
    const ranges = this.#ranges.rangesOf(file);
    if (ranges === null) return `o${path}`;
    if (ranges.length === 0) return `n${path}`;
    return `r${ranges.map(([from, to]) => `${from}-${to}`).join(',')}:${path}`;
  }

  #takeWhole(line: string): boolean {
    const [, name = '', rest = ''] = CALL.exec(line) ?? [];
    // A signal, an exit, or the end of the log.
    if (name === '') return true;
    // Whatever is looked at through a new link is looked at elsewhere.
    if (name.startsWith('symlink')) this.#questions.add('t');
    const moves = name === 'chdir' || name === 'fchdir';
    const flags = rest.replaceAll(NAMES, '');
    const letter = letterOf(name, flags);
    if (letter === null) return this.#ranges.take(name, rest);
    if (name.startsWith('execve')) this.#ranges.takeWhole(rest);
    if (letter === 't') this.#ranges.giveUp();
    const returned = RETURNED.exec(rest)?.[1];
    const shown = returned === undefined ? null : unescape(returned);
    this.#file = shown === null || !READ_ONLY.test(flags) ? null : this.#below(shown);
    if (shown !== null && !this.#ask(letter, shown, null)) return false;
    for (const [, descriptor, directory, text = '', cut] of rest.matchAll(STRINGS)) {
      if (cut !== undefined) return false;
      if (text === '') continue;
      const base = descriptor === undefined ? null : unescape(directory ?? '');
      if (!this.#ask(letter, unescape(text), base)) return false;
      // What follows is no path: a program's arguments, a link's text, an attribute's value.
      if (ONE_PATH.test(name)) break;
    }
    this.#moved ||= moves;
    return true;
  }

  #ask(letter: 'n' | 'o' | 't', path: string, directory: string | null): boolean {
    let whole = path;
    if (!path.startsWith('/')) {
      // A call without a directory, after some process went elsewhere: where it was is not known.
      if (directory === null && this.#moved) return false;
      whole = `${directory ?? this.#place.state}/${path}`;
    }
    // Ways around names: they could lead anywhere in the state.
    if (/^\/proc\/[^/]+\/(?:task\/[^/]+\/)?(?:cwd|root|fd)(?:\/|$)/.test(whole)) return false;
    const below = pathBelow(whole, this.#place.state);
    if (below === UNCLEAR) return false;
    if (below !== null) {
      this.#questions.add(letter === 'o' ? this.#opening(below) : `${letter}${below}`);
      return true;
    }
    if (pathBelow(whole, this.#place.acks) !== null) this.#questions.add('a');
    return true;
  }

  /** The same object for the same path and file, so that it is asked once. */
  #opening(path: string): Opened | DiskQuestion {
    const file = this.#file;
    if (file === null) return `o${path}`;
    const key = JSON.stringify([path, file]);
    const known = this.#openings.get(key) ?? { path, file };
    this.#openings.set(key, known);
    return known;
  }

  #below(shown: string): string | null {
    const below = pathBelow(shown, this.#place.state);
    return below === UNCLEAR ? null : below;
  }
}

/** Null for a call that cannot be followed: io_uring, file handles, mounts, and whatever is not known. */
function letterOf(name: string, rest: string): 'n' | 'o' | 't' | null {
  if (name === 'fchdir') return 'n';
  if (/^(?:open|openat|openat2|creat)$/.test(name)) {
    const emptied = rest.includes('O_TRUNC') && rest.includes('O_WRONLY');
    const made = rest.includes('O_CREAT') && rest.includes('O_EXCL');
    return emptied || made || rest.includes('O_PATH') || name === 'creat' ? 'n' : 'o';
  }
  if (name.startsWith('execve') || name === 'rmdir') return 'o';
  if (MOVING.test(name)) return 't';
  return LOOKING.test(name) ? 'n' : null;
}

/** Stands for a path of which only a look at every link would say whether it leads into the state. */
const UNCLEAR = '..';

/** The part of `path` below `directory`, with its own dots and links untouched; null when it is elsewhere. */
function pathBelow(path: string, directory: string): string | null {
  const parts = path.split('/');
  const above: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === '' || part === '.') continue;
    if (part === '..') above.pop();
    else above.push(part);
    if (`/${above.join('/')}` !== directory) continue;
    const rest = parts.slice(index + 1).filter((name) => name !== '' && name !== '.');
    // Straight up again: the directory itself is no link, so this is as plain as any path from outside.
    if (rest[0] === '..') {
      return pathBelow(`/${[...above.slice(0, -1), ...rest.slice(1)].join('/')}`, directory);
    }
    return leavesRoot(rest) ? UNCLEAR : rest.join('/');
  }
  return null;
}

function leavesRoot(parts: readonly string[]): boolean {
  let depth = 0;
  for (const part of parts) {
    depth += part === '..' ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };

/** The bytes that strace wrote as `\n`, `\"`, `\303` or `\x3c`, as UTF-8. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes: Buffer[] = [];
  const escape = /\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))|([^\\]+)/gs;
  for (const [, hex, octal, single, plain] of text.matchAll(escape)) {
    if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]));
    else if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8)]));
    else bytes.push(Buffer.from(plain ?? ESCAPES[single ?? ''] ?? single ?? ''));
  }
  return Buffer.concat(bytes).toString('utf8');
}
