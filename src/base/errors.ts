/**
 * Every error class of Holdfast and its code. Codes are stable within a major version, messages are
 * not: test `error.code`, show `error.message`. One heading per code in `docs/errors.md`.
 *
 * Wrong arguments are a plain `TypeError` without a code; a broken invariant is an `AssertionError`
 * (see `assert.ts`). Neither is meant to be caught.
 */

/** The closed list of codes. One sentence each: thrown when. */
export type HoldfastErrorCode =
  /** Bytes on the disk are not what was written there. */
  | 'HOLDFAST_CORRUPTION'
  /**
   * An earlier sync or write failed, and the object refuses further writes until it is reopened.
   */
  | 'HOLDFAST_POISONED'
  /** Another living owner holds the directory. */
  | 'HOLDFAST_LOCKED'
  /** The object was closed before the call. */
  | 'HOLDFAST_CLOSED'
  /** There is no store in the directory, and making one was not allowed. */
  | 'HOLDFAST_MISSING'
  /** Something is there already where something new was asked for. */
  | 'HOLDFAST_EXISTS'
  /** The directory holds another program's files, or another engine's store. */
  | 'HOLDFAST_FOREIGN'
  /** The store was written by a newer version, in a format that this one does not know. */
  | 'HOLDFAST_FORMAT'
  /** A key, a value or a batch is over its limit. */
  | 'HOLDFAST_TOO_LARGE'
  /** The engine does not offer what was asked for. */
  | 'HOLDFAST_UNSUPPORTED'
  /** A plain write was made where only an open transaction may write. */
  | 'HOLDFAST_IN_TRANSACTION'
  /** A trace file is cut, damaged, of another version or not a trace. */
  | 'HOLDFAST_BAD_TRACE'
  /** A command, option or program given by the user cannot be used as given. */
  | 'HOLDFAST_USAGE';

/** Base of every error that Holdfast throws on purpose. */
export class HoldfastError extends Error {
  readonly code: HoldfastErrorCode;

  constructor(code: HoldfastErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** Wrong use of a command or of the lab: an unknown model, a missing checker, a damaged trace. */
export class UsageError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super('HOLDFAST_USAGE', message, options);
  }
}

/** A trace file that cannot be read. */
export class TraceError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super('HOLDFAST_BAD_TRACE', message, options);
  }
}

/** Where and how stored bytes differ from what they must be. */
export interface CorruptionDetails {
  readonly path: string;
  /** Byte position in the file. */
  readonly offset: number;
  readonly expected: string;
  readonly found: string;
}

/** Stored bytes are not what was written: never skipped, never repaired in silence. */
export class CorruptionError extends HoldfastError implements CorruptionDetails {
  readonly path: string;
  readonly offset: number;
  readonly expected: string;
  readonly found: string;

  constructor(details: CorruptionDetails, options?: ErrorOptions) {
    const { path, offset, expected, found } = details;
    super(
      'HOLDFAST_CORRUPTION',
      `${path} is damaged at byte ${offset}: expected ${expected}, found ${found}`,
      options,
    );
    this.path = path;
    this.offset = offset;
    this.expected = expected;
    this.found = found;
  }
}

/**
 * What a change that failed has left behind, now and after any crash:
 * `'old'`: what was there before, whole; `'new'`: what was asked for, whole and durable;
 * `'unknown'`: one of the two, whole, and which one a power cut may still decide.
 */
export type Outcome = 'old' | 'new' | 'unknown';

/**
 * A change to a file or directory was refused by the operating system. `code`, `errno`, `syscall`
 * and `cause` are the operating system's (`'ENOSPC'`), so that code written for `node:fs` goes on
 * working; `outcome` is ours.
 */
export class FileChangeError extends Error {
  readonly code: string;
  readonly outcome: Outcome;
  /** The path as the caller gave it. */
  readonly path: string;
  declare readonly errno?: number;
  declare readonly syscall?: string;

  constructor(what: string, path: string, outcome: Outcome, cause: Error & { code: string }) {
    super(`${what} '${path}' failed, outcome ${outcome}: ${cause.message}`, { cause });
    this.code = cause.code;
    this.path = path;
    this.outcome = outcome;
    const { errno, syscall } = cause as { errno?: number; syscall?: string };
    if (errno !== undefined) this.errno = errno;
    if (syscall !== undefined) this.syscall = syscall;
  }

  override get name(): string {
    return 'FileChangeError';
  }
}
