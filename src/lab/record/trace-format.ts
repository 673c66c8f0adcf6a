/**
 * The words of the trace file, version 1: JSON lines, a head, then inodes, contents, stacks and operations in any
 * order in which nothing is named before it is told, then counts and one end line. `docs/formats/trace.md` describes it.
 * Constants and line types only; writing and reading are in `trace-writer.ts` and `trace-reader.ts`.
 */

import type { ContentId, InitialInode, Operation } from './operation.ts';

export const TRACE_MAGIC = 'holdfast-trace';
export const TRACE_VERSION = 1;

/** Bytes of content in one line at most; a longer content is told in several lines. */
export const CONTENT_PART_BYTES: number = 768 * 1024;

/** Characters of one line at most; a longer one is damage. */
export const LINE_LENGTH_MAX: number = 4 * 1024 * 1024;

/** Bytes of one content at most: what one typed array and one call can sensibly hold. */
export const CONTENT_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Bytes of all contents together at most: a trace is held in memory when it is explored. */
export const CONTENTS_BYTES_MAX: number = 2 * 1024 * 1024 * 1024;

export interface HeadLine {
  readonly format: typeof TRACE_MAGIC;
  readonly version: number;
  readonly command: readonly string[];
  readonly root: string;
}

/** Operations, and inodes at the start: more than anybody can explore, and than a reader should hold in memory. */
export const OPERATIONS_MAX = 1_000_000;

/** function, file, line, column */
export type FrameTuple = readonly [string, string, number, number];

export interface ContentLine {
  readonly content: ContentId;
  /** Of the whole content. */
  readonly length: number;
  /** Where this part belongs; parts of one content follow each other. */
  readonly offset: number;
  readonly base64: string;
}

export interface StackLine {
  readonly stack: number;
  readonly frames: readonly FrameTuple[];
}

export interface InodeLine {
  readonly initial: InitialInode;
}

export interface OperationLine {
  readonly operation: Operation;
}

/** The line before the last. */
export interface CountsLine {
  readonly counts: {
    readonly inodes: number;
    readonly contents: number;
    readonly stacks: number;
    readonly operations: number;
    readonly ignoredOutside: number;
  };
}

export interface EndLine {
  /** SHA-256 in hex of every byte of the file before this line. */
  readonly end: string;
}

export type TraceLine =
  HeadLine | ContentLine | StackLine | InodeLine | OperationLine | CountsLine | EndLine;
