/**
 * One recording of a Node program, from the side of the process that records: gives the environment that makes
 * every process of the program write its log, and puts the logs together.
 */

import fs from 'node:fs';
import { join } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import { assembleLogs } from './raw-assembly.ts';
import { RawLogReader } from './raw-log-reader.ts';
import { RecordingTarget, type RecordingTargetOptions } from './recording-target.ts';
import { sessionVariables, type SessionSettings } from './session-variables.ts';

/** Processes and threads of one recording, each with a log of its own that is open while they are merged. */
const LOGS_MAX = 500;

export class RecordingSession {
  readonly #target: RecordingTarget;
  readonly #directory: string;
  readonly #settings: SessionSettings;

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
  finish(): void {
    try {
      const names = fs.readdirSync(this.#directory);
      if (names.length === 0) {
        throw new UsageError('the program did not load the recorder: is it a Node program?');
      }
      if (names.length > LOGS_MAX) {
        throw new UsageError(
          `the program used ${names.length} processes and threads; at most ${LOGS_MAX} can be recorded`,
        );
      }
      this.#assemble(names);
      this.#target.finish();
    } catch (error) {
      this.abandon();
      throw error;
    }
    this.#removeLogs();
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
    const readers = names.map((name) => new RawLogReader(join(this.#directory, name)));
    try {
      assembleLogs(this.#target.tracker, readers);
    } finally {
      for (const reader of readers) reader.close();
    }
  }
}
