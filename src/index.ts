/** The root surface of the package: the store and the errors. */

export {
  CorruptionError,
  FileChangeError,
  HoldfastError,
  TraceError,
  UsageError,
  type CorruptionDetails,
  type HoldfastErrorCode,
  type Outcome,
} from './base/errors.ts';

export { HoldfastLevel } from './level/holdfast-level.ts';
export type { LevelTransaction } from './level/holdfast-level.ts';
export type { SyncOption, SyncPolicy } from './durable/sync-policy.ts';
export type {
  BackupReport,
  Damage,
  DroppedBytes,
  EngineStats,
  Progress,
  ProgressOptions,
  RecoveryReport,
  RepairReport,
  VerifyReport,
} from './engine/engine-reports.ts';
export type { EngineName } from './level/engine-registry.ts';
export type {
  BatchOperation,
  BatchOptions,
  ChainedBatch,
  ClearOptions,
  DelOptions,
  GetManyOptions,
  GetOptions,
  HasManyOptions,
  HasOptions,
  IteratorOptions,
  KeyIteratorOptions,
  LevelOptions,
  OpenOptions,
  PutOptions,
  StartEndOptions,
  ValueIteratorOptions,
} from './level/level-options.ts';
export type { RestoreReport } from './level/restore-store.ts';
