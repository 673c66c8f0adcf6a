/**
 * Replay tokens of test suites. The workload runs again in another process, so the trace is known again by its
 * shape: calls, inodes, sizes and times. Names and contents may differ from run to run (temporary files, process
 * numbers, dates).
 */

import { encodeStatePath } from '../nested/state-path.ts';
import type { CrashState } from '../explore/crash-state.ts';
import type { Operation, Trace } from '../record/operation.ts';
import { encodeReplayToken } from '../replay/replay-token.ts';
import { traceDigest } from '../replay/trace-digest.ts';

/** A digest that runs of the same program share. */
export function runDigest(trace: Trace): string {
  return traceDigest({ ...trace, operations: trace.operations.map(withoutNames) });
}

export function suiteToken(trace: Trace, model: string, states: readonly CrashState[]): string {
  return encodeReplayToken({
    traceDigest: runDigest(trace),
    model,
    state: encodeStatePath(states),
  });
}

function withoutNames(operation: Operation): Operation {
  switch (operation.kind) {
    case 'create': {
      const named = { ...operation, name: operation.name === null ? null : '' };
      return operation.target === undefined ? named : { ...named, target: '' };
    }
    case 'link':
    case 'unlink':
      return { ...operation, name: '' };
    case 'rename':
      return { ...operation, fromName: '', toName: '' };
    case 'write':
      return { ...operation, content: '' };
    case 'mark':
      return { ...operation, text: '' };
    default:
      return operation;
  }
}
