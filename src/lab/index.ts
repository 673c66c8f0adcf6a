/** The public surface of `holdfast/lab`. */

export type { Checker, CrashedDisk, Verdict } from './check/checker.ts';
export { OldOrNewOracle } from './check/old-or-new-oracle.ts';
export { ProcessChecker, type ProcessCheckerOptions } from './check/process-checker.ts';
export type { Finding, MissingSync, ToldOperation } from './explain/finding.ts';
export type { Exploration } from './explore/exploration.ts';
export { runLab, type LabResult, type LabRunOptions } from './lab-run.ts';
export type { ModelRun } from './model-run.ts';
export type { CrashModel } from './model/crash-model.ts';
export { DEFAULT_MODELS, listModels, modelByName } from './model/model-list.ts';
export { mark } from './record/mark.ts';
export type { Operation, Trace } from './record/operation.ts';
export { recordProgram, type RecordProgramOptions } from './record/record-program.ts';
export { RecordingVfs } from './record/recording-vfs.ts';
export { readTraceFile } from './record/trace-reader.ts';
export { writeTraceFile } from './record/trace-writer.ts';
export {
  callersText,
  groupFindings,
  placeText,
  type ReportedFinding,
} from './report/lab-report.ts';
export { assertCrashSafe, CrashSafetyError } from './suite/assert-crash-safe.ts';
export type {
  Check,
  CheckContext,
  CheckFunction,
  CrashTest,
  CrashTestCertificate,
  CrashTestFinding,
  CrashTestResult,
  FaultCertificate,
  ModelCertificate,
  NestedCertificate,
  Recover,
  TraceOracle,
  Workload,
  WorkloadContext,
} from './suite/crash-test.ts';
export { explore } from './suite/explore-crash-test.ts';
export {
  oracles,
  type MonotoneOptions,
  type Oracles,
  type PrefixOptions,
  type RobustOptions,
} from './suite/suite-oracles.ts';
export { crashTestJson } from './suite/suite-json.ts';
export { crashTestReport } from './suite/suite-report.ts';
export type { Skipped } from './report/skipped.ts';
