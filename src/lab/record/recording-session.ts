/**
 * One recording of a Node program, from the side of the process that records: looks at the root before the program
 * runs, gives the environment that makes every process of it write its log, and puts the logs together.
 */

import fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import { compareWithDisk } from './final-tree.ts';
import { NamespaceTracker } from './namespace-tracker.ts';
import { assembleLogs } from './raw-assembly.ts';
import { RawLogReader } from './raw-log-reader.ts';
import { snapshotDirectory } from './root-snapshot.ts';
import { sessionVariables, type SessionSettings } from './session-variables.ts';
import { TraceWriter } from './trace-writer.ts';

/** Processes and threads of one recording, each with a log of its own that is open while they are merged. */
const LOGS_MAX = 500;

/**
 * The root as an absolute path without links.
 *
 * @throws UsageError (`HOLDFAST_USAGE`) when it is no directory
 */
export function realRoot(root: string): string {
  try {
    if (fs.statSync(root).isDirectory()) return fs.realpathSync(root);
  } catch (cause) {
    // Told below, with its reason.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the root ${root} cannot be recorded: ${reason}`, { cause });
  }
  throw new UsageError(`the root ${root} cannot be recorded: it is no directory`);
}

/**
 * Makes sure that the trace is no part of what it records.
 *
 * @throws UsageError (`HOLDFAST_USAGE`)
 */
export function checkTracePath(tracePath: string, root: string): string {
  const directory = dirname(resolve(tracePath));
  let real: string;
  try {
    real = fs.realpathSync(directory);
  } catch (cause) {
    // Whatever the reason, the user named a place that cannot take a file.
    throw new UsageError(`the trace ${tracePath} cannot be written: no directory ${directory}`, {
      cause,
    });
  }
  if (real === root || real.startsWith(`${root}/`)) {
    throw new UsageError(`the trace ${tracePath} lies in the root ${root}; put it elsewhere`);
  }
  return join(real, basename(tracePath));
}

export class RecordingSession {
  readonly root: string;
  readonly #tracePath: string;
  readonly #directory: string;
  readonly #writer: TraceWriter;
  readonly #tracker: NamespaceTracker;
  readonly #settings: SessionSettings;

  /**
   * Takes the snapshot of the root.
   *
   * @throws UsageError (`HOLDFAST_USAGE`) when the root or the place of the trace cannot be used
   */
  constructor(options: {
    readonly root: string;
    readonly tracePath: string;
    readonly command: readonly string[];
  }) {
    this.root = realRoot(options.root);
    this.#tracePath = checkTracePath(options.tracePath, this.root);
    const about = { command: options.command, root: this.root };
    this.#writer = new TraceWriter(this.#tracePath, about);
    this.#directory = fs.mkdtempSync(`${this.#tracePath}.parts-`);
    this.#tracker = new NamespaceTracker({ rootPath: this.root, sink: this.#writer });
    this.#settings = {
      directory: this.#directory,
      root: this.root,
      clockBase: process.hrtime.bigint(),
    };
    try {
      snapshotDirectory(this.root, this.#tracker.tree, this.#writer);
      this.#writer.flush();
    } catch (error) {
      this.abandon();
      throw error;
    }
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
    const names = fs.readdirSync(this.#directory);
    try {
      if (names.length === 0) {
        throw new UsageError('the program did not load the recorder: is it a Node program?');
      }
      if (names.length > LOGS_MAX) {
        throw new UsageError(
          `the program used ${names.length} processes and threads; at most ${LOGS_MAX} can be recorded`,
        );
      }
      this.#assemble(names);
      for (const what of compareWithDisk(this.root, this.#tracker.tree)) {
        const origin = { process: RECORDER, thread: 0, stack: -1 };
        this.#tracker.run(origin, { call: 'unmodelled', what }, { value: 0 });
      }
      this.#writer.finish(this.#tracker.ignoredOutside);
    } catch (error) {
      this.abandon();
      throw error;
    }
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Nothing is left of the recording. */
  abandon(): void {
    this.#writer.abandon();
    fs.rmSync(this.#directory, { recursive: true, force: true });
    fs.rmSync(this.#tracePath, { force: true });
  }

  /** The program did not come to its end: the trace stays as one that every reader tells to be cut. */
  leaveCut(): void {
    this.#writer.abandon();
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }

  #assemble(names: readonly string[]): void {
    const readers = names.map((name) => new RawLogReader(join(this.#directory, name)));
    try {
      this.#tracker.addProcess(RECORDER, '/');
      assembleLogs(this.#tracker, readers);
    } finally {
      for (const reader of readers) reader.close();
    }
  }
}

/** The process that says what the recorder itself found; no real process has this number. */
const RECORDER = 0;
