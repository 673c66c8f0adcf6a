/**
 * Makes a damaged store openable. Everything that can be read is merged into new tables of one
 * level, a new manifest names them, and what could not be read is listed and its files kept aside.
 * The old files stay until the new state is durable.
 *
 * Where the manifest can be read, only its tables and logs are used: others may hold what was
 * deleted long ago. Otherwise all are, and the report says so.
 */

import { join } from 'node:path';

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { Poison } from '../durable/poison.ts';
import { runLater } from '../durable/two-forms.ts';
import type { Damage, ProgressOptions, RepairReport } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile } from '../vfs/transfer.ts';
import { runJob } from './background/run-job.ts';
import { KIND_DELETE, KIND_PUT } from './internal-key.ts';
import { replayLog } from './log-replay.ts';
import { CURRENT_NAME, logName, manifestName, parseFileName, tableName } from './lsm-files.ts';
import { LsmLog } from './lsm-log.ts';
import type { LsmSettings } from './lsm-options.ts';
import { keepAside } from './kept-aside.ts';
import { emptyState, readManifest } from './manifest/manifest-reader.ts';
import type { ManifestState } from './manifest/manifest-reader.ts';
import { LEVEL_COUNT } from './manifest/version-edit.ts';
import type { TableMeta } from './manifest/version-edit.ts';
import { VersionSet } from './manifest/version-set.ts';
import { Memtable } from './memtable.ts';
import { isUnreadable, salvageTable } from './salvage-table.ts';

/** See `EngineKind.repair`. REQUIRES: the lock is held. */
export async function repairStore(
  directory: string,
  settings: LsmSettings,
  options: ProgressOptions,
): Promise<RepairReport> {
  const repair = new Repair(directory, settings, options);
  return repair.run();
}

class Repair {
  readonly #directory: string;
  readonly #settings: LsmSettings;
  readonly #options: ProgressOptions;
  readonly #damage: Damage[] = [];
  /** Names of files that could not be used as a whole. */
  readonly #unusable: string[] = [];
  #nextNumber = 1;
  #lastSequence = 0;

  constructor(directory: string, settings: LsmSettings, options: ProgressOptions) {
    this.#directory = directory;
    this.#settings = settings;
    this.#options = options;
  }

  async run(): Promise<RepairReport> {
    const { vfs } = this.#settings.dispatch;
    const names = (await vfs.readDirectory(this.#directory)).map(({ name }) => name);
    const files = names.flatMap((name) => {
      const file = parseFileName(name);
      return file === null ? [] : [{ name, ...file }];
    });
    if (!files.some(({ kind }) => kind === 'table' || kind === 'log' || kind === 'manifest')) {
      throw new HoldfastError('HOLDFAST_MISSING', `${this.#directory} holds no store`);
    }
    for (const { number } of files) this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    const state = await this.#manifest(names);
    const live = state === null ? null : new Set(state.version.levels.flat().map((t) => t.number));
    const runs: TableMeta[][] = [];
    const sources = files.filter(({ kind, number }) =>
      kind === 'table' ? (live?.has(number) ?? true) : kind === 'log' && isLogLive(state, number),
    );
    for (const [index, { name, kind, number }] of sources.entries()) {
      this.#options.signal?.throwIfAborted();
      const table =
        kind === 'table' ? await this.#table(name, number) : await this.#log(name, state);
      if (table !== null) runs.push([table]);
      this.#progress('reading files', index + 1, sources.length);
    }
    for (const number of live ?? []) this.#requireTable(number, files);
    if (state !== null && state.logNumber > 0) this.#requireLog(state.logNumber, files);
    return this.#rebuild(runs, names);
  }

  async #manifest(names: readonly string[]): Promise<ManifestState | null> {
    const { vfs } = this.#settings.dispatch;
    const current = join(this.#directory, CURRENT_NAME);
    let path = current;
    try {
      const name = new TextDecoder().decode(await readWholeFile(vfs, current)).trimEnd();
      const file = parseFileName(name);
      if (file?.kind !== 'manifest' || !names.includes(name)) {
        this.#note(current, 0, 'does not name a manifest that is there');
        return null;
      }
      path = join(this.#directory, name);
      const state = readManifest(await readWholeFile(vfs, path), path, file.number);
      this.#lastSequence = state.lastSequence;
      if (!isOutdated(state, names)) return state;
      // Its tables were merged into others, which the edit that cannot be read had named.
      this.#note(path, state.tornOffset, 'the last edit cannot be read, and tables are gone');
    } catch (error) {
      // Without CURRENT no manifest counts.
      if (errorCode(error) !== 'ENOENT') this.#noteError(error, path);
      else this.#note(path, undefined, 'is missing');
    }
    this.#note(path, undefined, 'all tables are used: some may hold what had been deleted');
    return null;
  }

  /** A table as a run of its own: itself where it is whole, else what could be read of it. */
  async #table(name: string, number: number): Promise<TableMeta | null> {
    const { dispatch, format } = this.#settings;
    const path = join(this.#directory, name);
    const salvaged = await salvageTable(dispatch, this.#directory, path, format, this.#nextNumber);
    this.#lastSequence = Math.max(this.#lastSequence, salvaged.lastSequence);
    for (const error of salvaged.damage) this.#noteError(error, path);
    if (salvaged.damage.length > 0) this.#unusable.push(name);
    if (salvaged.table === null) return null;
    if (salvaged.table.number !== number) this.#nextNumber++;
    return salvaged.table;
  }

  /** The records of a log up to the first that cannot be read, as a table. */
  async #log(name: string, state: ManifestState | null): Promise<TableMeta | null> {
    const { dispatch, format } = this.#settings;
    const path = join(this.#directory, name);
    const memtable = new Memtable();
    const sink = {
      put: (sequence: number, bytes: Uint8Array, a: number, b: number, c: number, d: number) =>
        memtable.add(sequence, KIND_PUT, bytes, a, b, c, d),
      delete: (sequence: number, bytes: Uint8Array, a: number, b: number) =>
        memtable.add(sequence, KIND_DELETE, bytes, a, b, b, b),
    };
    try {
      const bytes = await readWholeFile(dispatch.vfs, path);
      // As a log of LevelDB's: what can be read counts, whatever watermarks say is missing.
      const log = { bytes, path, isOurs: false, nextSequence: 1 };
      const { torn, nextSequence } = replayLog(log, sink);
      this.#lastSequence = Math.max(this.#lastSequence, nextSequence - 1);
      if (torn !== null) {
        this.#note(path, torn.offset, `${torn.bytes} bytes cannot be read: ${torn.reason}`);
        this.#unusable.push(name);
      }
    } catch (error) {
      this.#noteError(error, path);
      this.#unusable.push(name);
    }
    if (memtable.count === 0) return null;
    const job = {
      kind: 'flush',
      memtable: memtable.parts(),
      directory: this.#directory,
      format,
      smallestSnapshot: state === null ? 0 : Number.MAX_SAFE_INTEGER,
      firstNumber: this.#nextNumber++,
      numberCount: 1,
    } as const;
    const { tables } = await runLater(runJob(job, dispatch));
    return tables[0] ?? null;
  }

  #requireTable(number: number, files: readonly { kind: string; number: number }[]): void {
    if (files.some((file) => file.kind === 'table' && file.number === number)) return;
    this.#note(join(this.#directory, tableName(number)), undefined, 'is missing');
  }

  #requireLog(number: number, files: readonly { kind: string; number: number }[]): void {
    if (files.some((file) => file.kind === 'log' && file.number === number)) return;
    this.#note(join(this.#directory, logName(number)), undefined, 'is missing');
  }

  /** Merges the runs, names the result, and keeps aside what could not be used. */
  async #rebuild(runs: TableMeta[][], names: readonly string[]): Promise<RepairReport> {
    const { dispatch, format, tableBytes } = this.#settings;
    const directory = this.#directory;
    const numberCount = 1 << 20;
    const job = {
      kind: 'compaction',
      runs,
      below: [],
      directory,
      format,
      smallestSnapshot: Number.MAX_SAFE_INTEGER,
      firstNumber: this.#nextNumber,
      numberCount,
      tableBytes,
      overlapBytesMax: Number.MAX_SAFE_INTEGER,
    } as const;
    const result = await runLater(runJob(job, dispatch));
    this.#nextNumber += result.tables.length;
    const keptAside = await this.#name(result.tables, names);
    this.#progress('repaired', 1, 1);
    return { savedEntries: result.entries, damage: this.#damage, keptAside };
  }

  async #name(tables: readonly TableMeta[], names: readonly string[]): Promise<string[]> {
    const { dispatch, policy, batch, clock } = this.#settings;
    const directory = this.#directory;
    const poison = new Poison(directory);
    const state: ManifestState = {
      ...emptyState(),
      nextFileNumber: this.#nextNumber,
      lastSequence: this.#lastSequence,
    };
    const versions = new VersionSet({ dispatch, directory, poison }, state, this.#nextNumber);
    const log = await LsmLog.create(versions.takeFileNumbers(), {
      dispatch,
      directory,
      policy,
      batch,
      preallocateBytes: 0,
      poison,
      clock,
      onRefused: () => {},
    });
    await log.close();
    // The lowest level: nothing is below it, and compactions fill the ones above anew.
    const newTables = tables.map((table) => ({ level: LEVEL_COUNT - 1, table }));
    await versions.begin({ logNumber: log.number, newTables });
    await versions.close();
    return this.#clearAway(names, manifestName(versions.manifestNumber));
  }

  /** What cannot be used goes to `lost`; what was taken in whole is removed by the next open. */
  async #clearAway(names: readonly string[], manifest: string): Promise<string[]> {
    const unusable = new Set(this.#unusable);
    for (const name of names) {
      const kind = parseFileName(name)?.kind;
      if (kind === 'manifest' && name !== manifest && this.#damage.length > 0) unusable.add(name);
    }
    return keepAside(this.#settings.dispatch, this.#directory, [...unusable]);
  }

  #noteError(error: unknown, path: string): void {
    if (!isUnreadable(error)) throw error;
    if (error instanceof CorruptionError) this.#note(error.path, error.offset, error.message);
    else this.#note(path, undefined, (error as Error).message);
  }

  #note(path: string, offset: number | undefined, message: string): void {
    this.#damage.push({ path, offset, message });
  }

  #progress(phase: string, done: number, total: number): void {
    this.#options.onProgress?.({ phase, done, total, unit: 'files' });
  }
}

function isLogLive(state: ManifestState | null, number: number): boolean {
  return state === null || number >= state.logNumber || number === state.previousLogNumber;
}

/** Whether the manifest is cut off behind a state of which tables are gone. */
function isOutdated({ tornBytes, version }: ManifestState, names: readonly string[]): boolean {
  if (tornBytes === 0) return false;
  const there = new Set(names.map((name) => parseFileName(name)).map((file) => file?.number));
  return version.levels.flat().some(({ number }) => !there.has(number));
}
