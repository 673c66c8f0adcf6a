/** The public surface of `holdfast/wal`. */

export { decodeBatch, type DecodedBatch } from './batch-decoder.ts';
export {
  encodeBatch,
  type BatchOperation,
  type BytesOperation,
  type CheckpointOperation,
  type DeleteOperation,
  type LogOperation,
  type PutOperation,
} from './batch-format.ts';
export type { LogEnd } from './log-parser.ts';
export { logRecords, type LoggedRecord } from './log-records.ts';
export type {
  BatchEntry,
  BytesEntry,
  CheckpointEntry,
  DeleteEntry,
  PutEntry,
  WalEntry,
} from './wal-entry.ts';
export type { DroppedBytes, WalOptions, WalProgress, WalRecovery } from './wal-options.ts';
export { WriteAheadLog } from './write-ahead-log.ts';
