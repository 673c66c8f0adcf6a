/**
 * A command run on one crashed disk after another: each run gets the disk as a directory of its own, which it may
 * change as it likes. Several runs at once, each in its own slot. What the result means is for the caller.
 */

import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { HoldfastError } from '../../base/errors.ts';
import { ExportedDirectory } from '../replay/export-directory.ts';
import { removeTree } from '../replay/remove-tree.ts';
import { acknowledgedOutput } from './acknowledged-lines.ts';
import type { CrashedDisk } from './checker.ts';
import type { DiskQuestion } from './disk-question.ts';
import { questionsAsked, tracedCommand, type RunPlace } from './process-reads.ts';
import { OUTPUT_BYTES_KEPT, runCommand, type CommandResult } from './process-run.ts';
import { killGroup, makeScratchDirectory, removeScratchDirectory } from './process-scratch.ts';

export interface DiskCommandOptions {
  /** A string goes through the shell; a list is a program and its arguments. */
  readonly command: string | readonly string[];
  /** Milliseconds until the command and all its descendants in its process group are killed. Default 30,000. */
  readonly timeLimitMs?: number;
  /** Runs at once. Default: as many as there are cores. */
  readonly concurrency?: number;
  /** How much of the beginning of its standard output is kept, in bytes. Default 8 KiB. */
  readonly outputBytesMax?: number;
}

/** A result, and what the run asked of the disk; null when that is not known. */
export interface TracedResult {
  readonly result: CommandResult;
  readonly questions: readonly DiskQuestion[] | null;
}

/** A longer log of a traced run is not read. In bytes. */
const LOG_BYTES_MAX = 32 * 1024 * 1024;

interface Slot {
  readonly directory: string;
  readonly state: ExportedDirectory;
}

export class DiskCommand {
  readonly name: string;
  readonly concurrency: number;
  readonly timeLimitMs: number;
  readonly #command: string | readonly string[];
  readonly #outputBytesMax: number;
  #scratch: string | null = null;
  readonly #free: Slot[] = [];
  #slotCount = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #leaders = new Set<number>();
  #closed = false;

  /** Nothing is made and nothing is started before the first run. */
  constructor(options: DiskCommandOptions) {
    const { command, timeLimitMs = 30_000, concurrency = availableParallelism() } = options;
    if (command.length === 0) throw new TypeError('the command is empty');
    if (!(concurrency >= 1)) throw new TypeError('concurrency is at least 1');
    this.name = typeof command === 'string' ? command : command.join(' ');
    this.concurrency = Math.floor(concurrency);
    this.timeLimitMs = timeLimitMs;
    this.#command = command;
    this.#outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_KEPT;
  }

  /**
   * Runs the command in a directory that holds the disk: its working directory, also `HOLDFAST_STATE`. The file
   * `HOLDFAST_ACKS`, outside of it, holds what the recorded program had written to standard output by the crash.
   * Waits for a free slot first. Rejects when the directory cannot be written (a full disk, a refused name), and
   * with `HOLDFAST_CLOSED` when `close` was called before the command ended.
   */
  async run(disk: CrashedDisk): Promise<CommandResult> {
    const { result } = await this.#inSlot(disk, false);
    return result;
  }

  /** As `run`, under strace, which must be there. */
  async runTraced(disk: CrashedDisk): Promise<TracedResult> {
    return await this.#inSlot(disk, true);
  }

  async #inSlot(disk: CrashedDisk, traced: boolean): Promise<TracedResult> {
    while (!this.#closed && this.#free.length === 0 && this.#slotCount >= this.concurrency) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#throwIfClosed();
    const slot = this.#free.pop() ?? this.#newSlot();
    const run = this.#runIn(slot, disk, traced);
    this.#running.add(run);
    try {
      const result = await run;
      // What a command says that was killed by `close` says nothing of the disk.
      this.#throwIfClosed();
      return result;
    } finally {
      this.#running.delete(run);
      this.#free.push(slot);
      this.#waiting.shift()?.();
    }
  }

  /** Kills what is running, waits for its end, and removes the directories. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    for (const leader of this.#leaders) killGroup(leader);
    await Promise.allSettled(this.#running);
    if (this.#scratch !== null) removeScratchDirectory(this.#scratch);
    this.#scratch = null;
  }

  #newSlot(): Slot {
    this.#scratch ??= makeScratchDirectory();
    const directory = join(this.#scratch, String(this.#slotCount));
    this.#slotCount += 1;
    return { directory, state: new ExportedDirectory(join(directory, 'state')) };
  }

  async #runIn(slot: Slot, disk: CrashedDisk, traced: boolean): Promise<TracedResult> {
    mkdirSync(slot.directory, { recursive: true, mode: 0o700 });
    slot.state.write(disk.root);
    const acks = join(slot.directory, 'acks');
    writeAnew(acks, acknowledgedOutput(disk.marks));
    const state = slot.state.path;
    const log = join(slot.directory, 'trace');
    let started: number | null = null;
    try {
      const result = await runCommand({
        command: traced ? tracedCommand(this.#command, log) : this.#command,
        directory: state,
        environment: { ...process.env, PWD: state, HOLDFAST_STATE: state, HOLDFAST_ACKS: acks },
        timeLimitMs: this.timeLimitMs,
        outputBytesMax: this.#outputBytesMax,
        onStart: (leader) => {
          started = leader;
          this.#leaders.add(leader);
        },
      });
      // Where the directory happens to be is no part of what is wrong with it.
      const lastLine = result.lastLine.replaceAll(`${state}/`, '').replaceAll(state, '.');
      const questions = traced ? questionsIn(log, { state, acks }) : null;
      return { result: { ...result, lastLine }, questions };
    } finally {
      if (started !== null) this.#leaders.delete(started);
    }
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new HoldfastError('HOLDFAST_CLOSED', `${this.name} was closed`);
  }
}

/** Null where there is no log, or one too long to be worth reading. */
function questionsIn(log: string, place: RunPlace): readonly DiskQuestion[] | null {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? Infinity;
  return size > LOG_BYTES_MAX ? null : questionsAsked(readFileSync(log, 'utf8'), place);
}

/** Replaces whatever the last run left at `path`, without following it. */
function writeAnew(path: string, text: string): void {
  removeTree(path);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const fd = openSync(path, flags | (constants.O_NOFOLLOW ?? 0), 0o600);
  try {
    const bytes = Buffer.from(text);
    let written = 0;
    while (written < bytes.length) {
      const count = writeSync(fd, bytes, written, bytes.length - written);
      assert(count > 0, `a write to ${path} made no progress`);
      written += count;
    }
  } finally {
    closeSync(fd);
  }
}
