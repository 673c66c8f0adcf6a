/** The program of a worker thread: explores the models that `model-workers.ts` gives it, one after the other. */

import { parentPort, workerData } from 'node:worker_threads';

import { assert } from '../base/assert.ts';
import { TraceError, UsageError } from '../base/errors.ts';
import { OldOrNewOracle } from './check/old-or-new-oracle.ts';
import { ContentStore } from './explore/content-store.ts';
import { ExploreDeadline } from './explore/explore-budget.ts';
import { VerdictCache } from './explore/verdict-cache.ts';
import { runModel } from './model-run.ts';
import type { WorkerAnswer, WorkerOrder, WorkerStart } from './model-workers.ts';

const port = parentPort;
assert(port !== null, 'this module is the program of a worker thread');
const { trace, interrupted } = workerData as WorkerStart;
const flag = new Int32Array(interrupted);
const signal = {
  get aborted(): boolean {
    return Atomics.load(flag, 0) !== 0;
  },
};
const answer = (text: WorkerAnswer): void => port.postMessage(text);
const tools = {
  checker: new OldOrNewOracle(trace),
  store: new ContentStore(),
  verdicts: new VerdictCache(),
  onProgress: (progress: Extract<WorkerAnswer, { kind: 'progress' }>['progress']) =>
    answer({ kind: 'progress', progress }),
};

port.on('message', ({ task, secondsMax }: WorkerOrder) => {
  const deadline = new ExploreDeadline(secondsMax, signal);
  runModel(trace, task, tools, deadline).then(
    (run) => answer({ kind: 'run', run }),
    (error: unknown) => answer(tellError(error)),
  );
});

/** Errors of known kinds as data; any other is a mistake of ours, and ends the thread with its stack. */
function tellError(error: unknown): WorkerAnswer {
  if (!(error instanceof UsageError) && !(error instanceof TraceError)) throw error;
  return { kind: 'error', message: error.message, usage: error instanceof UsageError };
}
