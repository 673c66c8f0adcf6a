/**
 * Which bytes of which files a run read, from strace's lines on calls that take a descriptor. No descriptor is
 * followed: a position in a file is 0 or what some lseek gave, and as many bytes more as were read since. So whatever
 * was read lies within the sum of all reads of the file, from one of these starts on, however descriptors were
 * duplicated, inherited or sent. Every doubt is the whole file; what opened it is for `process-reads.ts`.
 */

/** What was read of one file. */
interface FileReads {
  /** Where a read may have begun: 0, and wherever a seek came to. */
  readonly starts: Set<number>;
  /** Bytes that all reads at a position moved on together. */
  moved: number;
  /** Reads at an offset of their own. */
  readonly ranges: [number, number][];
  /** Read to the end, or in a way that is not followed. */
  whole: boolean;
}

/** Ranges go out to multiples of this, so that reads of a little more or less ask the same. */
const BLOCK = 4096;

/** Calls on a descriptor that show nothing of what is in its file. */
const BLIND =
  /^(?:close|close_range|dup[23]?|fcntl|fcntl64|fadvise64|readahead|fstat|fstatfs|flock|fsync|fdatasync|syncfs|sync_file_range|p?write(?:64|v|v2)?|ftruncate|fallocate|fchmod|fchown|p?poll|select|pselect6|epoll_\w+|eventfd2?|signalfd4?|timerfd_\w+|inotify_init1?|inotify_rm_watch|pipe2?|memfd_create|pidfd_open|pidfd_send_signal)$/;

/** Calls on a descriptor that may show anything: what they name counts as read in full. */
const SEEING =
  /^(?:mmap|mmap2|getdents|getdents64|sendfile|splice|tee|vmsplice|copy_file_range|preadv2|f[gs]etxattr|flistxattr|fremovexattr)$/;

/** Controls that ask a terminal or set a flag. Others could clone a file, named by its bare number. */
const HARMLESS_IOCTL =
  /^\d+(?:<(?:[^<>\\]|\\.)*>(?:\(deleted\))?)?, (?:TCGETS2?|TIOCGWINSZ|TIOCGPGRP|FIOCLEX|FIONCLEX|FIONBIO|FIONREAD)(?:,|\))/;

const READING = /^(?:readv?|preadv?|pread64|lseek)$/;

const FIRST = /^\d+<((?:[^<>\\]|\\.)*)>(\(deleted\))?,/;
const NAMED = /\b\d+<((?:[^<>\\]|\\.)*)>(\(deleted\))?/g;
const FAILED = /\) += -1 [A-Z]/;
const RETURNED = /\) += (\d+)$/;
const OFFSET_AND_RETURNED = /, (\d+)\) += (\d+)$/;

export class RangeReader {
  readonly #files = new Map<string, FileReads>();
  /** Turns what strace shows of a descriptor into a path below the state; null for what is elsewhere. */
  readonly #below: (shown: string) => string | null;
  #nothingIsKnown = false;

  constructor(below: (shown: string) => string | null) {
    this.#below = below;
  }

  /** Files with a read, by path below the state. */
  get paths(): Iterable<string> {
    return this.#files.keys();
  }

  /** From now on every file counts as read in full: something was moved, or cannot be followed. */
  giveUp(): void {
    this.#nothingIsKnown = true;
  }

  /** @returns false for a call that is not known at all */
  take(name: string, rest: string): boolean {
    if (READING.test(name)) this.#takeRead(name, rest);
    else if (name === 'ioctl') {
      if (!HARMLESS_IOCTL.test(rest)) this.giveUp();
    } else if (SEEING.test(name)) this.takeWhole(rest);
    else if (!BLIND.test(name)) return false;
    return true;
  }

  /** Whatever file the call names has been read in full. */
  takeWhole(rest: string): void {
    for (const [, shown = '', deleted] of rest.matchAll(NAMED)) {
      const reads = this.#readsOf(shown, deleted);
      if (reads !== null) reads.whole = true;
    }
  }

  /** `null`: all of it. Otherwise whole blocks, in order, apart: from, and up to. */
  rangesOf(path: string): readonly (readonly [number, number])[] | null {
    const reads = this.#files.get(path);
    if (this.#nothingIsKnown || reads?.whole === true) return null;
    if (reads === undefined) return [];
    const all = [...reads.ranges];
    if (reads.moved > 0) for (const start of reads.starts) all.push([start, start + reads.moved]);
    const blocks = all.map(([from, to]): [number, number] => {
      return [Math.floor(from / BLOCK) * BLOCK, Math.ceil(to / BLOCK) * BLOCK];
    });
    const merged: [number, number][] = [];
    for (const [from, to] of blocks.toSorted(([a], [b]) => a - b)) {
      const last = merged.at(-1);
      if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
      else merged.push([from, to]);
    }
    return merged;
  }

  #takeRead(name: string, rest: string): void {
    const [, shown, deleted] = FIRST.exec(rest) ?? [];
    if (shown === undefined) {
      // A number that is no descriptor, or one of which strace does not say what it is.
      if (!FAILED.test(rest)) this.giveUp();
      return;
    }
    const reads = this.#readsOf(shown, deleted);
    if (reads === null || FAILED.test(rest)) return;
    if (name.startsWith('pread')) {
      const [, offset, returned] = OFFSET_AND_RETURNED.exec(rest) ?? [];
      if (offset === undefined) reads.whole = true;
      else if (returned !== '0') {
        reads.ranges.push([Number(offset), Number(offset) + Number(returned)]);
      }
      return;
    }
    const returned = RETURNED.exec(rest)?.[1];
    if (returned === undefined) reads.whole = true;
    else if (name !== 'lseek') {
      reads.moved += Number(returned);
      // Read from the start to the end: the same question for files of all sizes.
      if (returned === '0' && reads.starts.size === 1) reads.whole = true;
    } else if (/, SEEK_(?:SET|CUR|END) *\) += \d+$/.test(rest)) reads.starts.add(Number(returned));
    else reads.whole = true;
  }

  #readsOf(shown: string, deleted: string | undefined): FileReads | null {
    const path = this.#below(shown);
    if (path === null) return null;
    // What has lost its name cannot be told from what has it now.
    if (deleted !== undefined || shown.endsWith(' (deleted)')) this.giveUp();
    let reads = this.#files.get(path);
    if (reads === undefined) {
      reads = { starts: new Set([0]), moved: 0, ranges: [], whole: false };
      this.#files.set(path, reads);
    }
    return reads;
  }
}
