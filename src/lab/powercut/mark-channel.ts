/**
 * The rig's end of `mark(text)`: a named pipe for the requests of all processes of a program, and a file that
 * appears for each request once its place in the block log is noted. Named pipes work for any user and in any
 * language, and nothing of it touches the disk under test. The program's end is `lab/record/rig-mark.ts`.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { MARK_REQUESTS } from '../record/rig-mark.ts';

/** The rig's end of the channel. */
export class MarkChannel {
  readonly directory: string;
  readonly #socket: Socket;

  /** Makes the channel in `directory`; `onMark` resolves when the program may go on. */
  constructor(directory: string, onMark: (text: string) => Promise<void>) {
    this.directory = directory;
    mkdirSync(directory);
    chmodSync(directory, 0o711);
    const pipe = join(directory, MARK_REQUESTS);
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
