/** The root surface of the package: the errors, for now. */

export {
  CorruptionError,
  HoldfastError,
  TraceError,
  UsageError,
  type CorruptionDetails,
  type HoldfastErrorCode,
} from './base/errors.ts';
