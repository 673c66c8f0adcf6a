/**
 * A change: the smallest thing that a crash can lose. Names, sizes, attributes and, where the model journals
 * data, blocks are changes that survive or not; data that is written back by itself is a history of events per
 * block instead (`BlockEvent`), because there the question is not "survived?" but "which bytes?".
 */

import type { InodeNumber } from '../record/operation.ts';

/** Bytes a block of the models holds. */
export const BLOCK_BYTES = 4096;

/** A directory entry that gets a new inode, or none. */
export interface EntryEffect {
  readonly directory: InodeNumber;
  readonly name: string;
  readonly inode: InodeNumber | null;
}

export interface BlockEffect {
  readonly inode: InodeNumber;
  /** Index of the block in the file. */
  readonly block: number;
  /** Place in the block. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** When something came, as far as that is known. */
export interface Coming {
  /** Index of the operation it comes from. */
  readonly operation: number;
  readonly start: number;
  /** Infinity when the call never returned. */
  readonly end: number;
  /** Operations that came before it although they overlap with it. @see appendOrder */
  readonly after: readonly number[];
}

/** Whether it is known that `earlier` had come when `later` did. */
export function cameBefore(earlier: Coming, later: Coming): boolean {
  return earlier.end < later.start || later.after.includes(earlier.operation);
}

export interface Change extends Coming {
  /** Index in `ChangeHistory.changes`. */
  readonly id: number;
  /** See `CrashModel.metadata` and `CrashModel.appendSize`. */
  readonly order: 'stream' | 'late' | 'free';
  /** This change survives only if that one does; -1 for none. */
  readonly follows: number;
  readonly entries: readonly EntryEffect[];
  /** The file's size once this change is there, whatever it was before. */
  readonly size: { readonly inode: InodeNumber; readonly bytes: number } | null;
  readonly attribute: {
    readonly inode: InodeNumber;
    readonly field: string;
    readonly value: string;
  } | null;
  readonly block: BlockEffect | null;
  /** The inode that this change puts into the inode table, under models where that is a thing of its own. */
  readonly record: InodeNumber | null;
  /** From this time on it no longer waits for the change that it `follows`. */
  aloneFrom: number;
  /** The sync that put it out of danger returned at this time; Infinity for none. */
  floorEnd: number;
}

/** Something that happened to one block of a file whose data is written back by itself. */
export interface BlockEvent extends Coming {
  /**
   * `'write'`: bytes came. `'free'`: the block was given back (truncation, hole); what was written later went to
   * another block of the disk, which is this file's only if the change `byChange` survived.
   */
  readonly kind: 'write' | 'free';
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** With `'free'`: the change that gave the block back; -1 otherwise. */
  readonly byChange: number;
  floorEnd: number;
}

export interface BlockHistory {
  readonly inode: InodeNumber;
  readonly block: number;
  /** What the block held when recording began; null when the file had no such block. */
  readonly initial: Uint8Array | null;
  readonly events: BlockEvent[];
  /**
   * What others wrote to its place of the disk after the first `events` of it, once it had been given back: shown
   * if the giving back is lost (`CrashModel.reuse`).
   */
  readonly taken: { readonly events: number; readonly start: number; readonly bytes: Uint8Array }[];
}

/** Everything that happened to one regular file. */
export interface FileHistory {
  readonly inode: InodeNumber;
  readonly initialContent: Uint8Array;
  readonly blocks: Map<number, BlockHistory>;
  /** Changes with a size or block effect, in order of issue. */
  readonly changes: Change[];
  /** Ranges that were given blocks without bytes (fallocate): they read as zeros, whatever the disk held. */
  readonly reserved: { readonly from: number; readonly to: number; readonly byChange: number }[];
}

/** Bytes that became free for reuse: what a later new block may show. */
export interface FreedBlock {
  /** The freeing call started at this time. */
  readonly start: number;
  readonly inode: InodeNumber;
  readonly block: number;
}
