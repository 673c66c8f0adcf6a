/** The root surface of the package: the errors, for now. */

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
