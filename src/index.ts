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
