/** The write-ahead log as the tree uses it: one record a commit, and nothing else. */

import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { WriteAheadLog } from '../wal/write-ahead-log.ts';

/**
 * Bytes of records after which the log is synced though nobody asked for it: whoever does ask, and a
 * full segment before the next one, would otherwise wait for all of them at once.
 */
const UNSYNCED_BYTES: number = 16 << 20;

export class RedoLog {
  readonly #wal: WriteAheadLog;
  /** Bytes of records since the last `rotate`. */
  #bytes = 0;
  /** Whether records of before that are still needed: their checkpoint has not ended. */
  #kept = false;
  /** Bytes of records since a sync began. */
  #unsynced = 0;

  constructor(wal: WriteAheadLog) {
    this.#wal = wal;
  }

  get lastSequence(): number {
    return this.#wal.lastSequence;
  }

  get durableSequence(): number {
    return this.#wal.durableSequence;
  }

  /** Whether an opening would have something to do again. */
  get needed(): boolean {
    return this.#kept || this.#bytes > 0;
  }

  /** Opening has found records behind the last checkpoint. */
  replayed(): void {
    this.#kept = true;
  }

  /** Bytes of the records since the last checkpoint began. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(record: Uint8Array, policy: SyncPolicy): Promise<void> {
    this.#bytes += record.length;
    this.#unsynced += record.length;
    await this.#wal.append(record, policy);
    if (this.#unsynced < UNSYNCED_BYTES) return;
    this.#unsynced = 0;
    // The record is in the log as its policy asks for: what fails here, the next one hears of.
    await this.#wal.sync().catch(() => 'told by the next append');
  }

  appendSync(record: Uint8Array, policy: SyncPolicy): void {
    this.#bytes += record.length;
    this.#wal.appendSync(record, policy);
  }

  /**
   * What a commit without changes promises. Behind a failure it is refused as any other: nobody
   * knows what of the record that failed is there once the store is opened again.
   */
  async settled(policy: SyncPolicy): Promise<void> {
    if (policy === 'sync' || this.#wal.poisoned) await this.#wal.sync();
  }

  settledSync(policy: SyncPolicy): void {
    if (policy === 'sync' || this.#wal.poisoned) this.#wal.syncSync();
  }

  /**
   * Throws behind a record of which nobody knows whether the log has it. It was taken back in memory,
   * but pages that it took may be in use once the store is opened again.
   */
  check(): void {
    if (this.#wal.poisoned) this.#wal.syncSync();
  }

  sync(): Promise<void> {
    return this.#wal.sync();
  }

  syncSync(): void {
    this.#wal.syncSync();
  }

  /** On return all records are durable, and later ones stand in another segment. */
  async beginCheckpoint(): Promise<void> {
    this.#bytes = 0;
    this.#unsynced = 0;
    this.#kept = true;
    await this.#wal.rotate();
  }

  /** The file of pages has what came up to a sequence number, durably: lets that part go. */
  async endCheckpoint(upTo: number): Promise<void> {
    await this.#wal.checkpoint(upTo);
    this.#kept = false;
    await this.#wal.truncate(upTo);
  }

  close(): Promise<void> {
    return this.#wal.close();
  }
}
