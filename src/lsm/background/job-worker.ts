/** The worker thread of `job-runner`: takes a job, does it on the calling thread, answers. */

import { parentPort } from 'node:worker_threads';

import { assert } from '../../base/assert.ts';
import { runNow } from '../../durable/two-forms.ts';
import { SyncDispatch } from '../../durable/sync-dispatch.ts';
import { nodeVfs } from '../../vfs/node-vfs.ts';
import { toErrorData } from './job-failure.ts';
import type { JobAnswer } from './job-runner.ts';
import type { Job } from './job.ts';
import { runJob } from './run-job.ts';

const port = parentPort;
assert(port !== null, 'a worker has a port');
const dispatch = new SyncDispatch(nodeVfs);

port.on('message', (job: Job) => {
  port.postMessage(answerTo(job));
});

function answerTo(job: Job): JobAnswer {
  try {
    return { result: runNow(runJob(job, dispatch)) };
  } catch (error) {
    // Whoever asked decides what it means.
    return { error: toErrorData(error) };
  }
}
