/**
 * How a program's `mark(text)` reaches the rig and waits for it: a named pipe for the requests of all its
 * processes, and a file that appears for each request once its place in the block log is noted. Both sides are
 * here. Named pipes work for any user and in any language; nothing of it touches the disk under test.
 */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { threadId } from 'node:worker_threads';

/** Environment variable that names the directory of the channel. */
export const MARK_DIRECTORY_VARIABLE = 'HOLDFAST_MARKS';

const REQUESTS = 'requests';
/** How long a waiting caller sleeps between two looks, in milliseconds. */
const POLL_MS = 0.1;

let requestCount = 0;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Tells the rig `text` and returns once the place is noted. Without a rig (no `HOLDFAST_MARKS` in the
 * environment) it returns false at once.
 */
export function markAtRig(text: string): boolean {
  const { [MARK_DIRECTORY_VARIABLE]: directory } = process.env;
  if (directory === undefined || directory === '') return false;
  requestCount += 1;
  const id = `${process.pid}-${threadId}-${requestCount}`;
  const line = Buffer.from(`${JSON.stringify([id, text])}\n`);
  const fd = openSync(join(directory, REQUESTS), 'w');
  try {
    for (let done = 0; done < line.length;) done += writeSync(fd, line, done);
  } finally {
    closeSync(fd);
  }
  while (!existsSync(join(directory, id))) Atomics.wait(sleeper, 0, 0, POLL_MS);
  return true;
}

/** The rig's end of the channel. */
export class MarkChannel {
  readonly directory: string;
  readonly #socket: Socket;

  /** Makes the channel in `directory`; `onMark` resolves when the program may go on. */
  constructor(directory: string, onMark: (text: string) => Promise<void>) {
    this.directory = directory;
    mkdirSync(directory);
    chmodSync(directory, 0o711);
    const pipe = join(directory, REQUESTS);
    execFileSync('mkfifo', ['-m', '622', pipe]);
    // Open for both directions, so that the pipe never ends when a program closes its side.
    const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    let rest = '';
    this.#socket.setEncoding('utf8').on('data', (chunk: Buffer | string) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#receive(line, onMark);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(line: string, onMark: (text: string) => Promise<void>): void {
    const request = parseRequest(line);
    // The pipe is open to any program of the user under test: what is no request is nobody's mark.
    if (request === null) return;
    const [id, text] = request;
    void onMark(text).finally(() => writeFileSync(join(this.directory, id), ''));
  }
}

function parseRequest(line: string): readonly [id: string, text: string] | null {
  try {
    const request: unknown = JSON.parse(line);
    if (!Array.isArray(request)) return null;
    const [id, text]: readonly unknown[] = request;
    if (typeof id !== 'string' || typeof text !== 'string') return null;
    return /^[0-9]+-[0-9]+-[0-9]+$/.test(id) ? [id, text] : null;
  } catch {
    // Not JSON: see `#receive`.
    return null;
  }
}
