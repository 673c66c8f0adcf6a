/**
 * What a store must offer to be measured: the same few operations for ours and for rivals. How each
 * is opened lies with it (`holdfast-stores.ts`, `bench/compare/rivals.mjs`).
 */

/** What a store is opened for. Some rivals sync or not by an option of opening. */
export type Use = 'load' | 'serve';

/** A key and a value. */
export type Entry = readonly [key: Buffer, value: Buffer];

/** An open store. What one does not have is left out of the tables. */
export interface OpenStore {
  /** Puts entries, whole or not at all; with the operating system on return, not synced. */
  load(entries: readonly Entry[]): void | Promise<unknown>;
  /** A put that is on stable storage on return. */
  readonly putSync?: (key: Buffer, value: Buffer) => void;
  /** A put that is on stable storage when it resolves. */
  readonly put?: (key: Buffer, value: Buffer) => Promise<unknown>;
  readonly getSync?: (key: Buffer) => Uint8Array | undefined;
  readonly get?: (key: Buffer) => Promise<Uint8Array | undefined>;
  /** Reads every entry, keys and values, in chunks of 1,000 where there are chunks. */
  scan(): number | Promise<number>;
  close(): unknown;
}

/** Something that is measured. */
export interface StoreContestant {
  readonly name: string;
  /** Its version, for the table. */
  readonly version: string;
  /** False for what keeps nothing on the disk. */
  readonly durable: boolean;
  open(directory: string, use: Use): Promise<OpenStore>;
}
