/**
 * A command whose runs are remembered by what they read, so that a disk that differs only in what the command never
 * looks at needs no run. What is remembered is trusted only as far as it was seen to be sound: it takes strace, a
 * first run with and without it must end the same, and whatever is not a success is confirmed by a run without.
 * REQUIRES: a command whose result depends on nothing but its disk and what was acknowledged: no clock, no chance.
 */

import { AnswerMemo } from './answer-memo.ts';
import type { CrashedDisk } from './checker.ts';
import { DiskCommand, type DiskCommandOptions } from './process-disk-command.ts';
import { tracedCommand } from './process-reads.ts';
import { runCommand, type CommandResult } from './process-run.ts';

export interface RecallOptions extends DiskCommandOptions {
  /** False: every disk gets a run of its own. Default true; without effect where strace cannot be used. */
  readonly remember?: boolean;
}

/** How many disks were decided, and how. */
export interface RecallCounts {
  /** Disks that the command was run on. */
  readonly run: number;
  /** Disks that an earlier run decided. */
  readonly remembered: number;
}

/** The first disks are the undamaged ones, on which a command that cannot run at all shows that. */
const RUNS_BEFORE_TRACING = 2;

/** After so many traced runs, a share of remembered disks below this is not worth the tracing. */
const TRACED_RUNS_TRIED = 64;
const SHARE_WORTH = 0.1;

/** One remembered disk, and one that passed, of so many is run on to see that the command ends as before. */
const AUDITED_EACH = 64;

/** The first failures are tried again: a finding that comes and goes is no finding. */
const FAILURES_AUDITED = 4;

export class RecallingCommand {
  readonly name: string;
  readonly concurrency: number;
  readonly #command: DiskCommand;
  readonly #comparesOutput: boolean;
  readonly #memo = new AnswerMemo<CommandResult>();
  #tracing: boolean;
  #probe: Promise<boolean> | null = null;
  #run = 0;
  #traced = 0;
  #remembered = 0;
  #failed = 0;
  readonly #doubts = new Set<string>();

  constructor(options: RecallOptions) {
    this.#command = new DiskCommand(options);
    this.#comparesOutput = options.outputBytesMax !== 0;
    this.name = this.#command.name;
    this.concurrency = this.#command.concurrency;
    this.#tracing = options.remember !== false && !isInState(options.command);
  }

  get counts(): RecallCounts {
    return { run: this.#run, remembered: this.#remembered };
  }

  /** What was found out about the command that makes its word doubtful: see `Checker.doubts`. */
  get doubts(): readonly string[] {
    return [...this.#doubts];
  }

  /**
   * The result of the command on this disk, from a run or from memory. Some disks are run on once more, to find out
   * whether the command can be trusted. Rejects as `DiskCommand.run` does.
   */
  async run(disk: CrashedDisk): Promise<CommandResult> {
    const known = this.#tracing ? this.#memo.find(disk) : null;
    if (known !== null) {
      this.#remembered += 1;
      if (this.#remembered % AUDITED_EACH !== 1) return known.value;
      return await this.#repeat(disk, known.value, 'by more than what it is seen to read');
    }
    const result = await this.#runNew(disk);
    const failed = result.outcome === 'signal' || (result.exitCode ?? 0) !== 0;
    const isAudited = failed ? ++this.#failed <= FAILURES_AUDITED : this.#run % AUDITED_EACH === 3;
    return isAudited ? await this.#repeat(disk, result, 'by something else than the disk') : result;
  }

  /** The result of a run that should end the same as one before. */
  async #repeat(disk: CrashedDisk, before: CommandResult, why: string): Promise<CommandResult> {
    const again = await this.#command.run(disk);
    if (this.#isSame(before, again)) return before;
    this.#tracing = false;
    this.#doubt(why);
    return again;
  }

  async #runNew(disk: CrashedDisk): Promise<CommandResult> {
    this.#run += 1;
    if (!this.#tracing || this.#run <= RUNS_BEFORE_TRACING) return await this.#command.run(disk);
    this.#probe ??= this.#canTrace(disk);
    if (!(await this.#probe)) {
      this.#tracing = false;
      return await this.#command.run(disk);
    }
    return await this.#runTraced(disk);
  }

  async close(): Promise<void> {
    await this.#command.close();
  }

  async #runTraced(disk: CrashedDisk): Promise<CommandResult> {
    const { result, questions } = await this.#command.runTraced(disk);
    this.#traced += 1;
    let confirmed = result;
    if (result.outcome !== 'exit' || result.exitCode !== 0) {
      confirmed = await this.#command.run(disk);
      if (!this.#isSame(result, confirmed)) {
        this.#tracing = false;
        await this.#traceAgain(disk, result);
        return confirmed;
      }
    }
    if (questions !== null) this.#memo.add(disk, questions, confirmed);
    const worth = this.#remembered >= SHARE_WORTH * this.#traced;
    if (this.#traced >= TRACED_RUNS_TRIED && !worth) this.#tracing = false;
    return confirmed;
  }

  /** Whether strace works here at all, and makes no difference to this command on this disk. */
  async #canTrace(disk: CrashedDisk): Promise<boolean> {
    if (process.platform !== 'linux') return false;
    const trial = await runCommand({
      command: tracedCommand(['/bin/true'], '/dev/null'),
      directory: '/',
      environment: process.env,
      timeLimitMs: 10_000,
    });
    if (trial.outcome !== 'exit' || trial.exitCode !== 0) return false;
    const plain = await this.#command.run(disk);
    const { result } = await this.#command.runTraced(disk);
    if (this.#isSame(plain, result)) return true;
    await this.#traceAgain(disk, result);
    return false;
  }

  /** After a run that ended in another way without strace: whether that is strace's doing, or the command wavers. */
  async #traceAgain(disk: CrashedDisk, before: CommandResult): Promise<void> {
    const { result } = await this.#command.runTraced(disk);
    if (!this.#isSame(before, result)) this.#doubt('by something else than the disk');
  }

  #doubt(why: string): void {
    this.#doubts.add(`${this.name} decides ${why}: it ended in two ways on one disk`);
  }

  #isSame(one: CommandResult, other: CommandResult): boolean {
    return (
      one.outcome === other.outcome &&
      one.exitCode === other.exitCode &&
      one.detail === other.detail &&
      (one.outputDigest === other.outputDigest || !this.#comparesOutput)
    );
  }
}

/** A program that lies in the crashed directory itself may be missing there: only a plain run says so. */
function isInState(command: string | readonly string[]): boolean {
  const [program = ''] = typeof command === 'string' ? [] : command;
  return program.includes('/') && !program.startsWith('/');
}
