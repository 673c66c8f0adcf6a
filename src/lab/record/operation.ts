/**
 * Every recorded file operation, as one closed union, and the trace that holds them. This is the language that
 * recorders speak and models understand: inodes, not paths (a path is only how a thing was named at the time).
 * The file form is in `trace-format.ts` and `docs/formats/trace.md`.
 *
 * Time. Every call has a `start` and an `end`, integers that are strictly increasing over all starts and ends of
 * the trace. Two calls overlap when neither ended before the other started: then nothing is known of their order
 * (but for appends: `append-order.ts`), and a sync covers only what ended before the sync started.
 */

/** Identity of a file or directory within one trace; 1 is the root directory. */
export type InodeNumber = number;

/** The root directory's inode. */
export const ROOT_INODE: InodeNumber = 1;

/** Key of a byte string in `Trace.contents`: SHA-256 in lower-case hex. */
export type ContentId = string;

export type NodeKind = 'file' | 'directory' | 'symlink';

interface OperationTime {
  readonly start: number;
  /** null: the call had not returned when recording ended. */
  readonly end: number | null;
  /** Which thread or process called; 0 is the main thread of the first process. */
  readonly thread: number;
  /** Index into `Trace.stacks`, or -1 where no stack is known. */
  readonly stack: number;
  /** How the program named the thing, relative to the root. For people; no meaning. */
  readonly path: string;
  /**
   * The error code of a call that failed, e.g. `'EIO'`. A failed call changed nothing, except a write with `durable`
   * whose bytes reached the cache: `durable` of a failed write says that they did.
   */
  readonly error?: string;
}

/** A new inode under a new name; `name` null for a file without one (O_TMPFILE). */
export interface CreateOperation extends OperationTime {
  readonly kind: 'create';
  readonly directory: InodeNumber;
  readonly name: string | null;
  readonly inode: InodeNumber;
  readonly node: NodeKind;
  readonly mode: number;
  /** The text of a symbolic link. */
  readonly target?: string;
}

/** Another name for an inode that exists. */
export interface LinkOperation extends OperationTime {
  readonly kind: 'link';
  readonly directory: InodeNumber;
  readonly name: string;
  readonly inode: InodeNumber;
}

/** unlink and rmdir. */
export interface UnlinkOperation extends OperationTime {
  readonly kind: 'unlink';
  readonly directory: InodeNumber;
  readonly name: string;
  readonly inode: InodeNumber;
}

export interface RenameOperation extends OperationTime {
  readonly kind: 'rename';
  readonly fromDirectory: InodeNumber;
  readonly fromName: string;
  readonly toDirectory: InodeNumber;
  readonly toName: string;
  readonly inode: InodeNumber;
  /** What had the target name before, or null. With `exchange` it gets the source name. */
  readonly replaced: InodeNumber | null;
  /** RENAME_EXCHANGE. */
  readonly exchange?: boolean;
}

/** Bytes that the call really wrote: the returned count, not the asked one. */
export interface WriteOperation extends OperationTime {
  readonly kind: 'write';
  readonly inode: InodeNumber;
  readonly offset: number;
  readonly length: number;
  readonly content: ContentId;
  /** What the descriptor promised of the write once it returned: O_DSYNC is `'data'`, O_SYNC `'all'`. */
  readonly durable: 'none' | 'data' | 'all';
  /** Bytes that the call was asked to write, when it wrote fewer. */
  readonly asked?: number;
  /**
   * It went to the end of the file as that was then, and nothing came in between (O_APPEND, RWF_APPEND): `offset` is
   * where the recorder takes that end to have been. Absent for a write to a place that was asked for.
   */
  readonly append?: true;
}

/** ftruncate, and the truncation of O_TRUNC when the file was not empty. */
export interface TruncateOperation extends OperationTime {
  readonly kind: 'truncate';
  readonly inode: InodeNumber;
  readonly size: number;
}

/** fallocate in its modes. */
export interface AllocateOperation extends OperationTime {
  readonly kind: 'allocate';
  readonly inode: InodeNumber;
  readonly offset: number;
  readonly length: number;
  readonly mode: 'extend' | 'keep-size' | 'punch-hole' | 'zero-range';
}

export interface AttributeOperation extends OperationTime {
  readonly kind: 'attribute';
  readonly inode: InodeNumber;
  /** `'mode'`, `'owner'`, or `'xattr:NAME'`. Times are not recorded: nothing is promised of them. */
  readonly field: string;
  /** Mode in octal, owner as `uid:gid`, an extended attribute in hex. */
  readonly value: string;
}

/** fsync (`'all'`) or fdatasync (`'data'`) of a file or directory. With `error`, a sync that failed. */
export interface SyncOperation extends OperationTime {
  readonly kind: 'sync';
  readonly inode: InodeNumber;
  readonly scope: 'all' | 'data';
}

/** sync_file_range, msync of a part: writing was begun. Promises nothing; `length` 0 is to the end of the file. */
export interface WritebackOperation extends OperationTime {
  readonly kind: 'writeback';
  readonly inode: InodeNumber;
  readonly offset: number;
  readonly length: number;
}

/** sync(2) and syncfs(2). */
export interface SyncAllOperation extends OperationTime {
  readonly kind: 'sync-all';
}

/** A descriptor that could write was closed. Changes nothing; oracles use it as the end of an update. */
export interface CloseOperation extends OperationTime {
  readonly kind: 'close';
  readonly inode: InodeNumber;
}

/** The outside world was told something: `mark(text)`, a line on standard output, or the program's end. */
export interface MarkOperation extends OperationTime {
  readonly kind: 'mark';
  readonly source: 'mark' | 'stdout' | 'exit';
  /** The text; for `'stdout'` the bytes written as UTF-8, for `'exit'` the exit code. */
  readonly text: string;
}

/** Something that the recorder saw and cannot model: it makes the verdict incomplete, by this name. */
export interface UnmodelledOperation extends OperationTime {
  readonly kind: 'unmodelled';
  readonly what: string;
}

export type Operation =
  | CreateOperation
  | LinkOperation
  | UnlinkOperation
  | RenameOperation
  | WriteOperation
  | TruncateOperation
  | AllocateOperation
  | AttributeOperation
  | SyncOperation
  | WritebackOperation
  | SyncAllOperation
  | CloseOperation
  | MarkOperation
  | UnmodelledOperation;

/** One line of a call stack, innermost first in a stack. */
export interface StackFrame {
  readonly function: string;
  /** Path as the runtime named it; made relative to the working directory for people. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An inode as it was when recording began. */
export type InitialInode =
  | {
      readonly inode: InodeNumber;
      readonly node: 'file';
      readonly mode: number;
      readonly content: ContentId;
    }
  | {
      readonly inode: InodeNumber;
      readonly node: 'directory';
      readonly mode: number;
      /** name, inode */
      readonly entries: readonly (readonly [string, InodeNumber])[];
    }
  | { readonly inode: InodeNumber; readonly node: 'symlink'; readonly target: string };

export interface Trace {
  /** The program as it was started; empty for a trace recorded in process. */
  readonly command: readonly string[];
  /** Absolute path of the recorded root at the time. For people. */
  readonly root: string;
  readonly initial: readonly InitialInode[];
  /** In order of `start`. */
  readonly operations: readonly Operation[];
  readonly stacks: readonly (readonly StackFrame[])[];
  readonly contents: ReadonlyMap<ContentId, Uint8Array>;
  /** Changes outside the root that were seen and left out. */
  readonly ignoredOutside: number;
}
