/**
 * Models explored side by side in worker threads, for a checker that a thread can make for itself from the trace.
 * A thread takes one model after the other, so what a model comes to does not depend on how many threads there are.
 */

import { Worker } from 'node:worker_threads';

import { TraceError, UsageError } from '../base/errors.ts';
import type { ExploreDeadline } from './explore/explore-budget.ts';
import type { ExploreProgress } from './explore/explore-options.ts';
import type { ModelRun, ModelTask } from './model-run.ts';
import type { Trace } from './record/operation.ts';

/** What a worker begins with. */
export interface WorkerStart {
  readonly trace: Trace;
  /** An Int32Array of one: not 0 once the run is interrupted. A busy thread hears no messages. */
  readonly interrupted: SharedArrayBuffer;
}

export interface WorkerOrder {
  readonly task: ModelTask;
  /** Null for no limit. */
  readonly secondsMax: number | null;
}

export type WorkerAnswer =
  | { readonly kind: 'progress'; readonly progress: ExploreProgress }
  | { readonly kind: 'run'; readonly run: ModelRun }
  | { readonly kind: 'error'; readonly message: string; readonly usage: boolean };

export interface WorkersOptions {
  readonly jobs: number;
  readonly deadline: ExploreDeadline;
  readonly signal: AbortSignal | null;
  readonly onProgress?: ((progress: ExploreProgress) => void) | undefined;
}

/** The runs, in the order of the tasks. @throws what a worker threw; all of them have ended then */
export async function runInWorkers(
  trace: Trace,
  tasks: readonly ModelTask[],
  options: WorkersOptions,
): Promise<ModelRun[]> {
  const { signal, deadline, onProgress } = options;
  const jobs = Math.min(options.jobs, tasks.length);
  const interrupted = new SharedArrayBuffer(4);
  const interrupt = (): void => void Atomics.store(new Int32Array(interrupted), 0, 1);
  if (signal?.aborted === true) interrupt();
  signal?.addEventListener('abort', interrupt);
  const workers = Array.from({ length: jobs }, () => new ModelWorker({ trace, interrupted }));
  const runs: ModelRun[] = [];
  let next = 0;
  const work = async (worker: ModelWorker): Promise<void> => {
    for (;;) {
      const index = next++;
      const task = tasks[index];
      if (task === undefined) return;
      // So many turns of all threads are still to come.
      const turns = Math.ceil((tasks.length - index) / jobs);
      const { secondsLeft } = deadline.partOf(turns);
      runs[index] = await worker.run({ task, secondsMax: secondsLeft }, onProgress);
    }
  };
  try {
    await Promise.all(workers.map(work));
    return runs;
  } finally {
    signal?.removeEventListener('abort', interrupt);
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

class ModelWorker {
  readonly #worker: Worker;

  constructor(start: WorkerStart) {
    this.#worker = new Worker(new URL('./lab-worker.js', import.meta.url), { workerData: start });
  }

  run(order: WorkerOrder, onProgress?: (progress: ExploreProgress) => void): Promise<ModelRun> {
    return new Promise((resolve, reject) => {
      const worker = this.#worker;
      const settle = (): void => {
        worker.off('message', onAnswer);
        worker.off('error', onError);
        worker.off('exit', onExit);
      };
      const onAnswer = (answer: WorkerAnswer): void => {
        if (answer.kind === 'progress') return onProgress?.(answer.progress);
        settle();
        if (answer.kind === 'run') resolve(answer.run);
        else reject(failureOf(answer));
      };
      // Out of memory, or a mistake in the worker itself.
      const onError = (error: unknown): void => {
        settle();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const onExit = (): void => onError(new Error('a thread of the exploration ended early'));
      worker.on('message', onAnswer);
      worker.on('error', onError);
      worker.on('exit', onExit);
      worker.postMessage(order, []);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function failureOf({ message, usage }: Extract<WorkerAnswer, { kind: 'error' }>): Error {
  return usage ? new UsageError(message) : new TraceError(message);
}
