/** The write-ahead log as the tree uses it: one record a commit, and nothing else. */

import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { WriteAheadLog } from '../wal/write-ahead-log.ts';

export class RedoLog {
  readonly #wal: WriteAheadLog;
  /** Bytes of records since the last `rotate`. */
  #bytes = 0;

  constructor(wal: WriteAheadLog) {
    this.#wal = wal;
  }

  get lastSequence(): number {
    return this.#wal.lastSequence;
  }

  get durableSequence(): number {
    return this.#wal.durableSequence;
  }

  /** Bytes of the records since the last checkpoint began. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(record: Uint8Array, policy: SyncPolicy): Promise<void> {
    this.#bytes += record.length;
    await this.#wal.append(record, policy);
  }

  appendSync(record: Uint8Array, policy: SyncPolicy): void {
    this.#bytes += record.length;
    this.#wal.appendSync(record, policy);
  }

  /** What a commit without changes promises. */
  async settled(policy: SyncPolicy): Promise<void> {
    if (policy === 'sync') await this.#wal.sync();
  }

  settledSync(policy: SyncPolicy): void {
    if (policy === 'sync') this.#wal.syncSync();
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
    await this.#wal.rotate();
  }

  /** The file of pages has what came up to a sequence number, durably: lets that part go. */
  async endCheckpoint(upTo: number): Promise<void> {
    await this.#wal.checkpoint(upTo);
    await this.#wal.truncate(upTo);
  }

  close(): Promise<void> {
    return this.#wal.close();
  }
}
