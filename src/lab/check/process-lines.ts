/** A command that lists what a program recovers, one record a line, for the oracles that compare lists. */

import { UsageError } from '../../base/errors.ts';
import type { CrashedDisk } from './checker.ts';
import { describeFailure } from './process-checker.ts';
import { DiskCommand, type DiskCommandOptions } from './process-disk-command.ts';

/** More output than this is an error: lists are compared in memory. In bytes. */
const LIST_BYTES_MAX = 64 * 1024 * 1024;

export class ProcessLines {
  readonly name: string;
  readonly concurrency: number;
  readonly #command: DiskCommand;

  constructor(options: Omit<DiskCommandOptions, 'outputBytesMax'>) {
    this.#command = new DiskCommand({ ...options, outputBytesMax: LIST_BYTES_MAX });
    this.name = this.#command.name;
    this.concurrency = this.#command.concurrency;
  }

  /**
   * The lines that the command printed for this disk.
   * Rejects with an `Error` whose message is one line when it did not end with exit code 0.
   * @throws UsageError `HOLDFAST_USAGE` when it printed more than can be compared.
   */
  async list(disk: CrashedDisk): Promise<readonly string[]> {
    const result = await this.#command.run(disk);
    if (result.outcome !== 'exit' || result.exitCode !== 0)
      throw new Error(describeFailure(result));
    if (result.outputLength > result.output.length) {
      throw new UsageError(`${this.name} printed more than 64 MiB for one disk`);
    }
    const lines = Buffer.from(result.output).toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines;
  }

  async close(): Promise<void> {
    await this.#command.close();
  }
}
