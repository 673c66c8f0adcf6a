/**
 * A crash model as data: what one file system, mounted one way, may lose, reorder or leave half-written when the
 * power fails. The engine that walks the states is the same for all models (`explore/`); a model only answers the
 * questions below. Each model has a page in `docs/models/` with its evidence.
 *
 * The method, in four sentences. Every recorded operation splits into changes, the smallest things that can be
 * lost (`change.ts`). A returned sync puts some changes out of danger: its floor (`sync-floor.ts`). The others
 * survive in any combination that the order of the model allows. A block of data that no floor covers holds what
 * `unwritten`, `dataBeforeSize` and `tearBytes` permit (`explore/block-domain.ts`).
 */

/** What a block that was allocated and never written may hold after a crash. */
export type UnwrittenContent =
  /** Zeros: the extent was still marked unwritten, or the file has a hole there. */
  | 'zeros'
  /** Bytes of somebody else, unknown to the trace. */
  | 'random'
  /** Bytes that were freed in this trace not long before (`FREED_MAX`); they may carry valid checksums. */
  | 'freed';

export interface CrashModel {
  readonly name: string;
  /** One line for `holdfast models`. */
  readonly summary: string;
  /** The kernels or systems it speaks of. */
  readonly kernel: string;

  /**
   * How changes of names, attributes and explicit size changes survive. `'stream'`: as a cut of one stream, so
   * that what survives is closed under "had returned before the other was called". `'free'`: any subset.
   */
  readonly metadata: 'stream' | 'free';

  /**
   * Where the size that an extending write brings stands. `'stream'`: in the stream at its place. `'late'`: it
   * enters the stream some time after the call (delayed allocation), so it needs what came before it, and
   * nothing that comes after needs it. `'free'`: independent.
   */
  readonly appendSize: 'stream' | 'late' | 'free';

  /** `'stream'`: data is journalled with the metadata. `'own'`: written back by itself, block by block. */
  readonly data: 'stream' | 'own';

  /**
   * With `data: 'own'`, what a surviving extended size says of the bytes below it. `'none'`: nothing.
   * `'last'`: the write that brought the size is there. `'new-blocks'`: so is, in each block that the file was
   * given, the write that took it; not what was added to a block that was there. `'all'`: so is every earlier write of the file.
   */
  readonly dataBeforeSize: 'none' | 'last' | 'new-blocks' | 'all';

  /**
   * With `data: 'own'`: whether a block that was written back is reachable only through the stream (copy on
   * write), so that it shows only when what had returned before the write survived, or was synced with its file.
   */
  readonly dataNeedsStream: boolean;

  /** What may stand where data did not arrive in a newly allocated block. */
  readonly unwritten: readonly UnwrittenContent[];

  /**
   * Where garbage may stand in a new block: anywhere in it, or only where bytes were written (what lies beside a
   * write keeps its value).
   */
  readonly garbageCovers: 'block' | 'written';

  /** A block may hold the old bytes on one side of a multiple of this and the new on the other; 0: never torn. */
  readonly tearBytes: number;

  /**
   * `'source-may-stay'`: the target switches atomically, the removal of the source may be lost by itself.
   * `'by-directory'`: so it is, but a sync of the old directory brings the removal and not the target in another
   * directory. `'split'`: each half by itself.
   */
  readonly rename: 'atomic' | 'source-may-stay' | 'by-directory' | 'split';

  /**
   * Whether inodes and blocks that were given back can be somebody else's while a crash can still undo that.
   * `'waits'`: no. `'at-once'`: a name whose removal was lost leads to what took the inode since, or to blocks that
   * somebody else wrote to; the name of a new file leads to the inode's last owner, or is removed by the repair,
   * unless a sync of the file itself had put its inode into the table. `'blocks-at-once'`: blocks only.
   */
  readonly reuse: 'waits' | 'blocks-at-once' | 'at-once';

  /**
   * What a returned fsync or fdatasync of a file brings beside the file's own data and size (and its attributes,
   * under fsync). `'nothing'`: no name. `'creation'`: the name it was made under, with new directories above.
   * `'names'`: every name of it. `'names-by-fsync'`: so does fsync, while fdatasync brings the first one. `'stream'`: the stream up to its last metadata change. `'everything'`.
   */
  readonly fileSyncBrings:
    'nothing' | 'creation' | 'names-by-fsync' | 'names' | 'stream' | 'everything';

  /**
   * What a returned fsync of a directory puts out of danger: its entries, these and its own names with the new
   * directories above, the stream up to its last change, all.
   */
  readonly directorySyncBrings: 'entries' | 'entries-and-names' | 'stream' | 'everything';

  /** True where a torn write may also damage the bytes around it, up to the next multiple of `tearBytes`. */
  readonly damagesAround: boolean;

  /** False where a returned sync puts nothing out of danger. */
  readonly syncIsDurable: boolean;
}
