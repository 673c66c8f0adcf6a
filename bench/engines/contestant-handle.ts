/** A contestant's process as the run sees it: started, asked one task at a time, ended. */

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Answer, Setting, Task } from './tasks.ts';

const PROGRAM = fileURLToPath(new URL('./contestant-process.js', import.meta.url));

export class ContestantHandle {
  readonly #setting: Setting;
  readonly #child: ChildProcess;

  private constructor(setting: Setting, child: ChildProcess) {
    this.#setting = setting;
    this.#child = child;
  }

  /** Starts a process, ready for its first task. */
  static async start(setting: Setting): Promise<ContestantHandle> {
    const handle = new ContestantHandle(setting, fork(PROGRAM, [JSON.stringify(setting)]));
    await handle.#answer();
    return handle;
  }

  /** @throws when the task fails or the process ends */
  async do(task: Task): Promise<Answer> {
    this.#child.send(task);
    const answer = await this.#answer();
    if (answer.error === undefined) return answer;
    throw new Error(`${this.#setting.contestant}, ${task.do}: ${answer.error}`);
  }

  /** Closes the store and ends the process. */
  async end(): Promise<void> {
    await this.do({ do: 'close' });
    await this.#gone(() => this.#child.disconnect());
  }

  /** Ends the process as a crash of the program does. */
  async kill(): Promise<void> {
    await this.#gone(() => this.#child.kill('SIGKILL'));
  }

  async #gone(how: () => unknown): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    how();
    await gone;
  }

  async #answer(): Promise<Answer> {
    const ended = new AbortController();
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal: ended.signal }).then(([answer]) => answer as Answer),
        once(this.#child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
          const how = String(code ?? signal);
          throw new Error(`${this.#setting.contestant}: its process ended (${how})`);
        }),
      ]);
    } finally {
      ended.abort();
    }
  }
}
