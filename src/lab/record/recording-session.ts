/**
 * One recording of a Node program, from the side of the process that records: gives the environment that makes
 * every process of the program write its log, and puts the logs together.
 */

import fs from 'node:fs';
import { join } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import { assembleLogs } from './raw-assembly.ts';
import {
  RecordingTarget,
  type RecordingSummary,
  type RecordingTargetOptions,
} from './recording-target.ts';
import { environmentHolds, signalProcess } from './live-process.ts';
import { sessionVariables, type SessionSettings } from './session-variables.ts';

export class RecordingSession {
  readonly #target: RecordingTarget;
  readonly #directory: string;
  readonly #settings: SessionSettings;
  #endedEarly: string | null = null;

  /** Throws as `RecordingTarget`. */
  constructor(options: RecordingTargetOptions) {
    this.#target = new RecordingTarget(options);
    this.#directory = fs.mkdtempSync(`${this.#target.tracePath}.parts-`);
    this.#settings = {
      directory: this.#directory,
      root: this.#target.root,
      clockBase: process.hrtime.bigint(),
    };
  }

  /** The environment for the program, made from the one it would have had. */
  environment(base: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const given = Object.entries(base).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const { NODE_OPTIONS } = base;
    return { ...Object.fromEntries(given), ...sessionVariables(this.#settings, NODE_OPTIONS) };
  }

  /**
   * The program has ended: the trace is whole when this returns.
   *
   * @throws UsageError (`HOLDFAST_USAGE`) when the program never loaded the recorder
   */
  finish(): RecordingSummary {
    try {
      const names = fs.readdirSync(this.#directory);
      if (names.length === 0) {
        throw new UsageError('the program did not load the recorder: is it a Node program?');
      }
      this.#assemble(names);
      const summary = this.#target.finish();
      this.#removeLogs();
      return summary;
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Sends a signal to every process of the recording that still runs. Linux only; elsewhere they are not known. */
  endProcesses(signal: NodeJS.Signals): void {
    const pids = fs.readdirSync(this.#directory).map((name) => Number.parseInt(name, 10));
    for (const pid of new Set(pids)) {
      if (environmentHolds(pid, this.#directory)) signalProcess(pid, signal);
    }
  }

  /** The program was ended before it came to its end; call before `finish`. */
  endedEarly(why: string): void {
    this.#endedEarly = why;
  }

  /** Nothing is left of the recording. */
  abandon(): void {
    this.#removeLogs();
    this.#target.abandon();
  }

  /** See `RecordingTarget.leaveCut`. */
  leaveCut(): void {
    this.#removeLogs();
    this.#target.leaveCut();
  }

  #removeLogs(): void {
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }

  #assemble(names: readonly string[]): void {
    const paths = names.toSorted(byStart).map((name) => join(this.#directory, name));
    this.#target.within(() => assembleLogs(this.#target.tracker, paths));
    if (this.#endedEarly !== null) this.#target.cut(this.#endedEarly);
  }
}

/** The names of logs end with the time at which they began. */
function byStart(one: string, other: string): number {
  const time = (name: string): bigint => BigInt(/-(\d+)\.log$/.exec(name)?.[1] ?? '0');
  const difference = time(one) - time(other);
  return difference < 0n ? -1 : Number(difference > 0n);
}
