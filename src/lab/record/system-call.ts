/**
 * The calls that a recorder can report, in the words of the operating system but free of one platform's
 * numbers. `namespace-tracker.ts` turns them into operations on inodes. Not what a model sees.
 */

/** How a file was opened. The flags that change what a later call means, and no others. */
export interface OpenFlags {
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly noFollow: boolean;
  /** O_TMPFILE: a file without a name; the path is the directory it belongs to. */
  readonly temporary: boolean;
  /** The descriptor does not survive execve. */
  readonly closeOnExec: boolean;
  /** O_DSYNC is `'data'`, O_SYNC `'all'`. */
  readonly durable: 'none' | 'data' | 'all';
}

/** A path, relative to a directory descriptor where one is given, else to the process's working directory. */
export interface PathAt {
  readonly path: string;
  readonly directory?: number;
}

/** A thing named by path or by descriptor. */
export type Place = PathAt | { readonly fd: number };

export interface OpenCall {
  readonly call: 'open';
  readonly at: PathAt;
  readonly flags: OpenFlags;
  /** Permission bits of a new file, after the umask where the recorder knows it. */
  readonly mode: number;
}

export interface WriteCall {
  readonly call: 'write';
  readonly fd: number;
  /** null: at the descriptor's own offset, which moves. */
  readonly position: number | null;
  /** All bytes that the call was asked to write; the result says how many it wrote. */
  readonly data: Uint8Array;
  /** Stronger than the descriptor's own flags, for one call (RWF_DSYNC, RWF_SYNC, RWF_APPEND). */
  readonly durable?: 'data' | 'all';
  /** Whether it goes to the end, other than the descriptor's own flag says (RWF_APPEND, RWF_NOAPPEND). */
  readonly append?: boolean;
}

export type SystemCall =
  | OpenCall
  | WriteCall
  | { readonly call: 'close'; readonly fd: number }
  | { readonly call: 'dup'; readonly fd: number; readonly closeOnExec: boolean }
  /** Result: the bytes read; only reads at the descriptor's own offset need reporting. */
  | { readonly call: 'read'; readonly fd: number }
  /** Result: the offset after the call. */
  | { readonly call: 'seek'; readonly fd: number }
  /** F_SETFL: append and sync flags of the description from now on. */
  | { readonly call: 'set-append'; readonly fd: number; readonly append: boolean }
  | { readonly call: 'truncate'; readonly at: Place; readonly size: number }
  | {
      readonly call: 'allocate';
      readonly fd: number;
      readonly mode: 'extend' | 'keep-size' | 'punch-hole' | 'zero-range';
      readonly offset: number;
      readonly length: number;
      /** Of `'zero-range'`: FALLOC_FL_KEEP_SIZE. */
      readonly keepSize?: boolean;
    }
  | { readonly call: 'sync'; readonly fd: number; readonly scope: 'all' | 'data' }
  /** sync_file_range, msync of a part: writing is begun, and nothing is promised. */
  | {
      readonly call: 'writeback';
      readonly fd: number;
      readonly offset: number;
      /** 0: to the end of the file. */
      readonly length: number;
    }
  | { readonly call: 'sync-all' }
  /** `recursive`: every missing directory of the path is made, as `mkdir -p` does. */
  | {
      readonly call: 'mkdir';
      readonly at: PathAt;
      readonly mode: number;
      readonly recursive?: boolean;
    }
  | { readonly call: 'unlink'; readonly at: PathAt; readonly directory: boolean }
  | { readonly call: 'symlink'; readonly at: PathAt; readonly target: string }
  | {
      readonly call: 'link';
      readonly from: Place;
      readonly to: PathAt;
      readonly follow?: boolean;
    }
  | {
      readonly call: 'rename';
      readonly from: PathAt;
      readonly to: PathAt;
      readonly exchange?: boolean;
      /** RENAME_WHITEOUT: a device node takes the old name. */
      readonly whiteout?: boolean;
    }
  | {
      readonly call: 'attribute';
      readonly at: Place;
      readonly field: string;
      readonly value: string;
      readonly noFollow?: boolean;
    }
  | { readonly call: 'chdir'; readonly at: Place }
  | { readonly call: 'mark'; readonly source: 'mark' | 'stdout' | 'exit'; readonly text: string }
  | { readonly call: 'unmodelled'; readonly what: string; readonly at?: Place };

/** How a call ended: its number, its error code, or null when it had not returned when recording ended. */
export type CallResult = { readonly value: number } | { readonly error: string } | null;

/** The flags of a plain open for reading. */
export const READ_FLAGS: OpenFlags = {
  write: false,
  append: false,
  create: false,
  exclusive: false,
  truncate: false,
  noFollow: false,
  temporary: false,
  closeOnExec: true,
  durable: 'none',
};
