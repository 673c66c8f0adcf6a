/**
 * What every recording into a file needs: the root, the trace that is written, and the shadow file system that
 * began as a snapshot of the root.
 */

import fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import { compareWithDisk } from './final-tree.ts';
import { NamespaceTracker } from './namespace-tracker.ts';
import { snapshotDirectory } from './root-snapshot.ts';
import { TraceLimitError } from './trace-sink.ts';
import { TraceWriter, type TraceLimits, type TraceSummary } from './trace-writer.ts';

/**
 * The root as an absolute path without links.
 *
 * @throws UsageError (`HOLDFAST_USAGE`) when it is no directory
 */
export function realRoot(root: string): string {
  try {
    if (fs.statSync(root).isDirectory()) return fs.realpathSync(root);
  } catch (cause) {
    // Told with its reason, whatever it is.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the root ${root} cannot be recorded: ${reason}`, { cause });
  }
  throw new UsageError(`the root ${root} cannot be recorded: it is no directory`);
}

/** Makes sure that the trace is no part of what it records. */
function checkTracePath(tracePath: string, root: string): string {
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

/** Paths kept of those that were looked at. */
const REAL_PATHS_MAX = 10_000;

/** The paths of things outside the root without links. What once was no link is not looked at again. */
function realPaths(): (path: string) => string {
  const plain = new Set<string>();
  return (path) => {
    if (plain.has(path)) return path;
    let real: string;
    try {
      real = fs.realpathSync.native(path);
    } catch {
      // Gone, or not there yet: no link that leads anywhere.
      return path;
    }
    if (plain.size >= REAL_PATHS_MAX) plain.clear();
    if (real === path) plain.add(path);
    return real;
  };
}

export interface RecordingTargetOptions {
  readonly root: string;
  readonly tracePath: string;
  readonly command: readonly string[];
  readonly limits?: Partial<TraceLimits>;
}

export interface RecordingSummary extends TraceSummary {
  /** Changes outside the root that were seen and left out. */
  readonly ignoredOutside: number;
}

/** The process that says what the recorder itself found; no real process has this number. */
const RECORDER = 0;

export class RecordingTarget {
  readonly root: string;
  readonly tracePath: string;
  readonly tracker: NamespaceTracker;
  readonly #writer: TraceWriter;
  #cut = false;

  /**
   * Takes the snapshot of the root.
   *
   * @throws UsageError (`HOLDFAST_USAGE`) when the root or the place of the trace cannot be used
   */
  constructor(options: RecordingTargetOptions) {
    this.root = realRoot(options.root);
    this.tracePath = checkTracePath(options.tracePath, this.root);
    const { command, limits } = options;
    this.#writer = new TraceWriter(this.tracePath, { command, root: this.root }, limits);
    const sink = this.#writer;
    this.tracker = new NamespaceTracker({ rootPath: this.root, sink, realOutside: realPaths() });
    this.tracker.addProcess(RECORDER, '/');
    try {
      snapshotDirectory(this.root, this.tracker.tree, this.#writer);
      this.#writer.flush();
    } catch (error) {
      this.abandon();
      if (!(error instanceof TraceLimitError)) throw error;
      throw new UsageError(
        `the root ${this.root} holds more than a trace: ${error.message}; record a smaller root`,
        { cause: error },
      );
    }
  }

  /**
   * Runs what tells the tracker of the program. Where a limit of the trace is reached the recording ends there: what
   * came until then stays, and is told to be cut.
   */
  within(run: () => void): void {
    if (this.#cut) return;
    try {
      run();
    } catch (error) {
      if (!(error instanceof TraceLimitError)) throw error;
      this.cut(`${error.message}; record a shorter run`);
    }
  }

  /** The recording ends here, though the program did not: nothing more is told, and the trace says why. */
  cut(why: string): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#unmodelled(`what came after the trace was cut: ${why}`);
  }

  /** Everything has been told to the tracker. The trace is whole when this returns. */
  finish(): RecordingSummary {
    // What came after a cut explains whatever differs.
    const differences = this.#cut ? [] : compareWithDisk(this.root, this.tracker.tree);
    for (const what of differences) this.#unmodelled(what);
    const { ignoredOutside } = this.tracker;
    this.#writer.finish(ignoredOutside);
    return { ...this.#writer.summary, ignoredOutside };
  }

  #unmodelled(what: string): void {
    const origin = { process: RECORDER, thread: 0, stack: -1 };
    this.tracker.run(origin, { call: 'unmodelled', what }, { value: 0 });
  }

  /** Nothing is left of the recording. */
  abandon(): void {
    this.#writer.abandon();
  }

  /** The program did not come to its end: the trace stays as one that every reader tells to be cut. */
  leaveCut(): void {
    this.#writer.leaveCut();
  }
}
