/**
 * The current version, the counters that go with it, and the manifest that makes both last. An edit
 * becomes true when its record is durable, and not before. Not here: reading a manifest
 * (`manifest-reader`), and removing what no version needs (`obsolete-files`).
 */

import { join } from 'node:path';

import { assert } from '../../base/assert.ts';
import { SerialQueue } from '../../base/serial-queue.ts';
import { AppendFile } from '../../durable/append-file.ts';
import { replaceFile } from '../../durable/atomic-file.ts';
import type { Poison } from '../../durable/poison.ts';
import type { SyncDispatch } from '../../durable/sync-dispatch.ts';
import { BytesPayload, framed } from '../../wal/log-framing.ts';
import { CURRENT_NAME, manifestName } from '../lsm-files.ts';
import type { ManifestState } from './manifest-reader.ts';
import { COMPARATOR_NAME, encodeEdit } from './version-edit.ts';
import type { VersionEdit } from './version-edit.ts';
import { Version } from './version.ts';

/** Where the manifest of an open store is, and what stops with it. */
export interface ManifestSettings {
  readonly dispatch: SyncDispatch;
  readonly directory: string;
  readonly poison: Poison;
}

/** An edit on its way: `whole` is what its record says, once it is on its way to the file. */
interface PendingEdit {
  readonly edit: VersionEdit;
  whole: VersionEdit | null;
  isAccepted: boolean;
}

/** The state that edits change. */
export class VersionSet {
  readonly #settings: ManifestSettings;
  readonly #commits = new SerialQueue();
  /** In the order of the calls. */
  readonly #pending = new Set<PendingEdit>();
  readonly #live = new Set<Version>();
  readonly #compactPointers: (Uint8Array | null)[];
  #current: Version;
  #manifest: AppendFile | null = null;
  #manifestNumber = 0;
  #nextFileNumber: number;
  #logNumber: number;
  #lastSequence: number;

  /** Starts from what a manifest said; `nextFileNumber` is above every file that is there. */
  constructor(settings: ManifestSettings, state: ManifestState, nextFileNumber: number) {
    this.#settings = settings;
    this.#current = state.version;
    this.#compactPointers = [...state.compactPointers];
    this.#nextFileNumber = nextFileNumber;
    this.#logNumber = state.logNumber;
    this.#lastSequence = state.lastSequence;
    this.#install(state.version);
  }

  get current(): Version {
    return this.#current;
  }

  /** Logs with smaller numbers are not needed. */
  get logNumber(): number {
    return this.#logNumber;
  }

  get manifestNumber(): number {
    return this.#manifestNumber;
  }

  /** The sequence number of the newest entry in a table. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  compactPointer(level: number): Uint8Array | null {
    return this.#compactPointers[level] ?? null;
  }

  /** Takes `count` file numbers that no file has, and returns the first. */
  takeFileNumbers(count: number = 1): number {
    const first = this.#nextFileNumber;
    this.#nextFileNumber += count;
    return first;
  }

  /** Tables that a reader or the current version needs. */
  liveTables(): Set<number> {
    const numbers = new Set<number>();
    for (const version of this.#live) {
      for (const level of version.levels) for (const { number } of level) numbers.add(number);
    }
    return numbers;
  }

  /** Lets a version go that a reader held. True when tables may have become free with it. */
  letGo(version: Version): boolean {
    if (!version.letGo()) return false;
    this.#live.delete(version);
    return true;
  }

  /** Takes the number of the manifest that `begin` makes. */
  reserveManifest(): void {
    this.#manifestNumber = this.takeFileNumbers();
  }

  /**
   * Begins a new manifest with everything that counts and an edit on top, and makes `CURRENT` name
   * it. When it resolves, that lasts. A crash before leaves the old manifest in force.
   */
  async begin(edit: VersionEdit): Promise<void> {
    const { dispatch, directory, poison } = this.#settings;
    if (this.#manifestNumber === 0) this.reserveManifest();
    const name = manifestName(this.#manifestNumber);
    const next = this.#current.with(edit);
    const logNumber = edit.logNumber ?? this.#logNumber;
    // LevelDB reads the log of either number, writes 0 for the previous one, and so says whose the
    // logs are.
    const lastSequence = edit.lastSequence ?? this.#lastSequence;
    const whole: VersionEdit = {
      comparator: COMPARATOR_NAME,
      logNumber,
      previousLogNumber: logNumber,
      nextFileNumber: this.#nextFileNumber,
      lastSequence,
      compactPointers: this.#compactPointers.flatMap((key, level) =>
        key === null ? [] : [{ level, key }],
      ),
      newTables: next.levels.flatMap((tables, level) => tables.map((table) => ({ level, table }))),
    };
    const options = { dispatch, poison, sync: 'sync' } as const;
    this.#manifest = await AppendFile.create(join(directory, name), options);
    try {
      await this.#manifest.append(framed(0, new BytesPayload(encodeEdit(whole))));
      const line = new TextEncoder().encode(`${name}\n`);
      await replaceFile(dispatch.vfs, join(directory, CURRENT_NAME), line);
    } catch (error) {
      await this.close().catch(() => 'the first error is told');
      throw error;
    }
    this.#accept(next, whole);
  }

  /**
   * Makes an edit durable and then current. Edits take effect in the order of the calls.
   * @throws what `AppendFile.append` throws; then the version is as before
   */
  commit(edit: VersionEdit): Promise<void> {
    const pending: PendingEdit = { edit, whole: null, isAccepted: false };
    this.#pending.add(pending);
    return this.#commits.run(async () => {
      try {
        // Somebody who could not wait may have done it.
        if (pending.isAccepted) return;
        await this.#opened.append(this.#recordOf(pending));
        this.#acceptOnce(pending);
      } finally {
        this.#pending.delete(pending);
      }
    });
  }

  /** As `commit`, on the calling thread; the edits before it are made durable and current with it. */
  commitSync(edit: VersionEdit): void {
    const pending: PendingEdit = { edit, whole: null, isAccepted: false };
    this.#pending.add(pending);
    try {
      this.settleSync();
    } finally {
      this.#pending.delete(pending);
    }
  }

  /** Makes all edits on their way durable and current, in their order. @throws as `commit` */
  settleSync(): void {
    for (const pending of this.#pending) {
      if (pending.isAccepted) continue;
      const isUnderWay = pending.whole !== null;
      try {
        if (isUnderWay) this.#opened.syncSync();
        else this.#opened.appendSync(this.#recordOf(pending));
      } catch (error) {
        // Refused: its own turn in the queue comes again.
        if (!isUnderWay) pending.whole = null;
        throw error;
      }
      this.#acceptOnce(pending);
    }
  }

  /** Waits for edits under way and closes the manifest. */
  async close(): Promise<void> {
    await this.#commits.idle();
    await this.#manifest?.close();
  }

  get #opened(): AppendFile {
    assert(this.#manifest !== null, 'a manifest has begun before edits come');
    return this.#manifest;
  }

  /** The record of an edit as it goes to the end of the manifest now. */
  #recordOf(pending: PendingEdit): Uint8Array {
    const { edit } = pending;
    const logNumber = edit.logNumber ?? this.#logNumber;
    pending.whole = {
      ...edit,
      logNumber,
      previousLogNumber: logNumber,
      nextFileNumber: this.#nextFileNumber,
      lastSequence: Math.max(edit.lastSequence ?? 0, this.#lastSequence),
    };
    return framed(this.#opened.length, new BytesPayload(encodeEdit(pending.whole)));
  }

  #acceptOnce(pending: PendingEdit): void {
    if (pending.isAccepted) return;
    pending.isAccepted = true;
    this.#accept(this.#current.with(pending.edit), pending.whole!);
  }

  #accept(next: Version, edit: VersionEdit): void {
    this.#logNumber = edit.logNumber ?? this.#logNumber;
    this.#lastSequence = edit.lastSequence ?? this.#lastSequence;
    for (const { level, key } of edit.compactPointers ?? []) this.#compactPointers[level] = key;
    const before = this.#current;
    this.#install(next);
    this.letGo(before);
  }

  #install(version: Version): void {
    version.hold();
    this.#live.add(version);
    this.#current = version;
  }
}
