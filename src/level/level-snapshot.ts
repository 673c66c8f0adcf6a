/** Explicit snapshots: the engine's, behind `abstract-level`'s class that counts who uses it. */

import { AbstractSnapshot } from 'abstract-level';

import type { Engine } from '../engine/engine.ts';
import type { EngineSnapshot } from '../engine/read-options.ts';
import { LevelError } from './level-error.ts';

/** `AbstractSnapshot` as it is; its types leave the constructor out. */
const SnapshotBase = AbstractSnapshot as unknown as new (options: object) => AbstractSnapshot;

/** A state of the store that is kept until it is closed. */
export class LevelSnapshot extends SnapshotBase {
  /** Undefined when it is closed. */
  #engineSnapshot: EngineSnapshot | undefined;
  readonly #engine: Engine;

  /** Begins now. `options.owner` is the database, or the sublevel, that closes it with itself. */
  constructor(engine: Engine, options: object) {
    super(options);
    this.#engine = engine;
    this.#engineSnapshot = engine.snapshot();
  }

  /**
   * The engine's snapshot.
   * @throws an error with code `LEVEL_SNAPSHOT_NOT_OPEN`; TypeError when it is of another engine
   */
  engineSnapshot(engine: Engine): EngineSnapshot {
    if (engine !== this.#engine) {
      throw new TypeError('the snapshot option is of another store, or of another transaction');
    }
    if (this.#engineSnapshot === undefined) {
      throw new LevelError('LEVEL_SNAPSHOT_NOT_OPEN', 'Snapshot is not open');
    }
    return this.#engineSnapshot;
  }

  get closed(): boolean {
    return this.#engineSnapshot === undefined;
  }

  /** Called by the base class when nobody reads with it any more. */
  protected async _close(): Promise<void> {
    this.#engineSnapshot?.release();
    this.#engineSnapshot = undefined;
  }
}

/** What a caller gave as option `snapshot`, which must be of this engine. */
export function engineSnapshotOf(snapshot: unknown, engine: Engine): EngineSnapshot | undefined {
  return snapshot == null ? undefined : levelSnapshot(snapshot).engineSnapshot(engine);
}

/** Whether what a caller gave as option `snapshot` is a snapshot that was closed. */
export function snapshotIsClosed(snapshot: unknown): boolean {
  return snapshot != null && levelSnapshot(snapshot).closed;
}

function levelSnapshot(snapshot: unknown): LevelSnapshot {
  if (snapshot instanceof LevelSnapshot) return snapshot;
  throw new TypeError('the snapshot option must be what snapshot() of this database gave');
}
