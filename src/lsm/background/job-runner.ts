/**
 * Where jobs are done: by a worker thread over the machine's file system, or in this thread over
 * any other one, and where there are no workers. Not here: what a job is (`job`).
 */

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { runLater } from '../../durable/two-forms.ts';
import type { SyncDispatch } from '../../durable/sync-dispatch.ts';
import { errorCode } from '../../vfs/errno.ts';
import { nodeVfs } from '../../vfs/node-vfs.ts';
import { tableName } from '../lsm-files.ts';
import { fromErrorData } from './job-failure.ts';
import type { ErrorData } from './job-failure.ts';
import type { Job, JobResult } from './job.ts';
import { runJob } from './run-job.ts';

/** Does jobs, one at a time. */
export interface JobRunner {
  /** @throws (rejects) JobFailure; HOLDFAST_CORRUPTION */
  run(job: Job): Promise<JobResult>;
  close(): Promise<void>;
}

/** What a worker answers. */
export type JobAnswer = { readonly result: JobResult } | { readonly error: ErrorData };

/** The runner for a store on this file system. */
export function jobRunner(dispatch: SyncDispatch): JobRunner {
  return dispatch.vfs === nodeVfs ? new WorkerRunner(dispatch) : new ThreadRunner(dispatch);
}

/** Does jobs in this thread, a call of the file system at a time. */
class ThreadRunner implements JobRunner {
  readonly #dispatch: SyncDispatch;

  constructor(dispatch: SyncDispatch) {
    this.#dispatch = dispatch;
  }

  run(job: Job): Promise<JobResult> {
    return runLater(runJob(job, this.#dispatch));
  }

  async close(): Promise<void> {}
}

/** By default a worker takes 48 MB for what it has just made, before it looks what is left of it. */
const YOUNG_MB = 3;

/** Does jobs in a worker, which is started for the first of them. */
class WorkerRunner implements JobRunner {
  readonly #inThread: ThreadRunner;
  #worker: Worker | null = null;
  /** Set when no worker could be started: bundlers, and some settings of Electron. */
  #hasNone = false;

  constructor(dispatch: SyncDispatch) {
    this.#inThread = new ThreadRunner(dispatch);
  }

  async run(job: Job): Promise<JobResult> {
    if (this.#hasNone) return this.#inThread.run(job);
    const worker = (this.#worker ??= this.#start());
    if (worker === null) return this.#inThread.run(job);
    // Only while it works does it keep the process alive.
    worker.ref();
    try {
      const answer = await ask(worker, job);
      if (answer === null) {
        // It died before it could answer, or never lived.
        this.#worker = null;
        this.#hasNone = true;
        await removeLeft(job);
        return await this.#inThread.run(job);
      }
      if ('result' in answer) return answer.result;
      throw fromErrorData(answer.error);
    } finally {
      worker.unref();
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  #start(): Worker | null {
    try {
      const worker = new Worker(new URL('./job-worker.js', import.meta.url), {
        name: 'holdfast-lsm',
        // What the program was started with may be for its main thread only.
        execArgv: [],
        // A job makes much that lives shortly, which needs no more room than this.
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      });
      worker.unref();
      // Whoever waits for an answer hears of it too; nobody else needs to.
      worker.on('error', () => undefined);
      return worker;
    } catch {
      this.#hasNone = true;
      return null;
    }
  }
}

/** The answer of a worker; null when it has ended without one, and does nothing any more. */
function ask(worker: Worker, job: Job): Promise<JobAnswer | null> {
  return new Promise((resolve) => {
    const settle = (answer: JobAnswer | null): void => {
      worker.off('message', onMessage);
      worker.off('exit', onExit);
      resolve(answer);
    };
    const onMessage = (answer: JobAnswer): void => settle(answer);
    const onExit = (): void => settle(null);
    worker.once('message', onMessage);
    worker.once('exit', onExit);
    post(worker, job);
  });
}

/** Removes what a worker that died has made of a job's tables: no version has their numbers. */
async function removeLeft({ directory, firstNumber, numberCount }: Job): Promise<void> {
  for (let number = firstNumber; number < firstNumber + numberCount; number++) {
    try {
      await nodeVfs.unlink(join(directory, tableName(number)));
    } catch (error) {
      // What stays is in the way of the job, which says so.
      if (errorCode(error) === undefined) throw error;
    }
  }
}

/** The memtable goes as a copy of just its length: readers go on with theirs. */
function post(worker: Worker, job: Job): void {
  if (job.kind !== 'flush') {
    worker.postMessage(job, []);
    return;
  }
  const { arena, nodes, count } = job.memtable;
  const memtable = { arena: arena.slice(), nodes: nodes.slice(), count };
  worker.postMessage({ ...job, memtable }, [memtable.arena.buffer, memtable.nodes.buffer]);
}
