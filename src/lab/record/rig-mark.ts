/**
 * How `mark` reaches a power-cut rig around the program: a request through a named pipe, then a wait for the file
 * that says its place in the block log is noted. The rig's end is `lab/powercut/mark-channel.ts`.
 */

import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { threadId } from 'node:worker_threads';

/** Environment variable that names the directory of the rig's channel. */
export const MARK_DIRECTORY_VARIABLE = 'HOLDFAST_MARKS';
/** The named pipe in it. */
export const MARK_REQUESTS = 'requests';

/** How long a waiting caller sleeps between two looks, in milliseconds. */
const POLL_MS = 0.1;

let requestCount = 0;

/**
 * Tells the rig `text` and returns once the place is noted; true then. Without a rig (no `HOLDFAST_MARKS` in the
 * environment) it returns false at once.
 */
export function markAtRig(text: string): boolean {
  const { [MARK_DIRECTORY_VARIABLE]: directory } = process.env;
  if (directory === undefined || directory === '') return false;
  requestCount += 1;
  const id = `${process.pid}-${threadId}-${requestCount}`;
  const line = Buffer.from(`${JSON.stringify([id, text])}\n`);
  const fd = openSync(join(directory, MARK_REQUESTS), 'w');
  try {
    for (let done = 0; done < line.length;) done += writeSync(fd, line, done);
  } finally {
    closeSync(fd);
  }
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(join(directory, id))) Atomics.wait(sleeper, 0, 0, POLL_MS);
  return true;
}
