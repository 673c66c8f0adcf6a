/**
 * A command that prints what a program sees after recovery (`--dump CMD`). It judges nothing: the robustness
 * oracle compares what it printed on different disks.
 */

import type { CrashedDisk } from './checker.ts';
import { RecallingCommand, type RecallCounts, type RecallOptions } from './process-recall.ts';
import { printable } from './printable.ts';

/** What a dump command showed of one disk. */
export interface Dump {
  /** Equal for two disks exactly when standard output and the way the command ended are equal. */
  readonly key: string;
  /** `exit 0`, `exit 3`, `SIGSEGV`, `time-out`, `missing ENOENT`. */
  readonly status: string;
  /** First line of the output, fit to be shown; the last line of standard error when the command failed. */
  readonly sample: string;
  /** The first 8 KiB of standard output. */
  readonly output: Uint8Array;
}

/** Anything that can show what a program sees of a disk. */
export interface Dumper {
  readonly name: string;
  readonly concurrency?: number;
  /** As those of `Checker`. */
  readonly remembered?: number;
  readonly doubts?: readonly string[];
  dump(disk: CrashedDisk): Promise<Dump> | Dump;
  close?(): Promise<void>;
}

export class ProcessDumper implements Dumper {
  readonly name: string;
  readonly concurrency: number;
  readonly #command: RecallingCommand;

  constructor(options: RecallOptions) {
    this.#command = new RecallingCommand(options);
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

  async dump(disk: CrashedDisk): Promise<Dump> {
    const result = await this.#command.run(disk);
    const { outcome, output, outputDigest } = result;
    let status = `exit ${result.exitCode}`;
    if (outcome === 'signal') status = result.detail;
    if (outcome === 'time-out') status = 'time-out';
    if (outcome === 'missing') status = `missing ${result.detail}`;
    const [firstLine = ''] = Buffer.from(output).toString('utf8').split('\n', 1);
    const sample = status === 'exit 0' ? printable(firstLine) : result.lastLine;
    // What a command wrote before its time ran out is a matter of chance.
    const key = outcome === 'time-out' ? status : `${status} ${outputDigest}`;
    return { key, status, sample, output };
  }

  async close(): Promise<void> {
    await this.#command.close();
  }
}
