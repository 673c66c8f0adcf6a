/**
 * Any command as a checker: exit code 0 passes the disk, anything else is a violation. Whether the command itself
 * is sound is found out first, on undamaged disks: see `validate-checker.ts`.
 */

import type { Checker, CrashedDisk, Verdict } from './checker.ts';
import { RecallingCommand, type RecallCounts, type RecallOptions } from './process-recall.ts';
import type { CommandResult } from './process-run.ts';

export type ProcessCheckerOptions = Omit<RecallOptions, 'outputBytesMax'>;

const PASSED: Verdict = { ok: true };

export class ProcessChecker implements Checker {
  readonly name: string;
  readonly concurrency: number;
  readonly #command: RecallingCommand;

  constructor(options: ProcessCheckerOptions) {
    this.#command = new RecallingCommand({ ...options, outputBytesMax: 0 });
    this.name = this.#command.name;
    this.concurrency = this.#command.concurrency;
  }

  /** Disks decided by a run, and by what an earlier run had read. */
  get counts(): RecallCounts {
    return this.#command.counts;
  }

  get remembered(): number {
    return this.#command.counts.remembered;
  }

  get doubts(): readonly string[] {
    return this.#command.doubts;
  }

  /**
   * Runs the command on the disk, unless an earlier run read nothing that differs on this one. The message of a violation is the last line of its standard error, or of its
   * standard output where it wrote nothing to standard error; after a signal or a time-out it says that first.
   */
  async check(disk: CrashedDisk): Promise<Verdict> {
    const result = await this.#command.run(disk);
    if (result.outcome === 'exit' && result.exitCode === 0) return PASSED;
    return { ok: false, message: describeFailure(result) };
  }

  /** Waits for checks under way and removes the temporary directories. */
  async close(): Promise<void> {
    await this.#command.close();
  }
}

/** One line on a command that did not end with exit code 0. */
export function describeFailure(result: CommandResult): string {
  const { outcome, detail, exitCode, lastLine } = result;
  if (outcome === 'missing') return `cannot be started (${detail})`;
  if (outcome === 'exit') return lastLine || `exit code ${exitCode} without a message`;
  const what = outcome === 'time-out' ? `did not end within ${detail}` : `was killed by ${detail}`;
  return lastLine === '' ? what : `${what}: ${lastLine}`;
}
