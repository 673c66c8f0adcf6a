/**
 * Merging: what is alive in some files is written again into new ones, and the old ones go. Readers
 * and writers go on meanwhile.
 *
 * Order, each step load-bearing: 1. live entries of the inputs are copied into outputs, which are
 * synced; 2. the outputs' names are made durable; 3. everything that has replaced an entry which was
 * not copied is made durable: the logs are synced; 4. the manifest names the outputs in the place of
 * the inputs, in one change; 5. the index leads to the outputs; 6. the inputs are removed when
 * nobody reads them.
 *
 * A delete is left out only when no file before its own is left that could hold the key: step 4
 * takes the inputs away together. An entry that has expired becomes a delete.
 */

import type { Clock } from '../base/clock.ts';
import { CorruptionError } from '../base/errors.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import type { Poison } from '../durable/poison.ts';
import type { Progress } from '../engine/engine-reports.ts';
import type { DataFile, FileTable } from './data-file.ts';
import { DELETE, FILE_HEADER_BYTES, MARK, PUT } from './entry-format.ts';
import { EntryScanner } from './entry-scanner.ts';
import type { ExpiryClock } from './expiry-clock.ts';
import { HintBuilder } from './hint-file.ts';
import { writeHint } from './hint-writing.ts';
import type { KeyIndex } from './key-index.ts';
import { KeyLocation } from './key-location.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import type { ManifestKeeper } from './manifest-keeper.ts';
import { MergeOutput } from './merge-output.ts';
import { removeDataFile } from './state-holds.ts';
import type { StateHolds } from './state-holds.ts';

/** Bytes read, and looked at, between two turns of the event loop. */
const SCAN_BYTES = 256 << 10;
/** Entries whose index is changed between two turns of the event loop. */
const SWAPS_A_TURN = 2000;

export interface MergeSurroundings {
  readonly directory: string;
  readonly dispatch: SyncDispatch;
  readonly clock: Clock;
  readonly poison: Poison;
  readonly files: FileTable;
  readonly index: KeyIndex;
  readonly keeper: ManifestKeeper;
  readonly holds: StateHolds;
  readonly expiry: ExpiryClock;
  /** Outputs are about so long at most. */
  readonly fileBytes: number;
  /** Makes everything durable that readers see. */
  readonly syncLogs: () => Promise<void>;
}

export interface MergeControl {
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** One merge. */
export class Merger {
  readonly #around: MergeSurroundings;
  readonly #control: MergeControl;
  readonly #inputs: readonly DataFile[];
  /** Inputs before which there is a file that is no input. */
  readonly #behindOthers = new Set<DataFile>();
  /** Files that were sealed when the merge began: the outputs come after them. */
  readonly #before = new Set<number>();
  readonly #outputs: MergeOutput[] = [];
  /** Keys that are neither copied nor kept as deletes, because they have expired. */
  readonly #gone = new HintBuilder();
  readonly #location = new KeyLocation();
  #done = 0;
  /** Entries of the input at hand to which the index led when they were looked at. */
  #found = 0;

  /** `inputs` are sealed in the manifest. */
  constructor(around: MergeSurroundings, inputs: readonly DataFile[], control: MergeControl) {
    this.#around = around;
    this.#control = control;
    const byNumber = new Map(inputs.map((file) => [file.number, file]));
    const ordered: DataFile[] = [];
    let others = false;
    for (const { number, open } of around.keeper.current.files) {
      if (!open) this.#before.add(number);
      const input = byNumber.get(number);
      if (input === undefined) {
        others = true;
        continue;
      }
      ordered.push(input);
      if (others) this.#behindOthers.add(input);
    }
    this.#inputs = ordered;
  }

  /** Does it. When it rejects, the store is as it was, or poisoned. */
  async run(): Promise<void> {
    const { dispatch, keeper, holds, directory } = this.#around;
    try {
      for (const input of this.#inputs) await this.#copyLive(input);
      for (const output of this.#outputs) await output.finish(dispatch);
      const paths = this.#outputs.map(({ data }) => data.path);
      if (paths.length > 0) await dispatch.names(directory, paths);
      await this.#around.syncLogs();
      await keeper.change((manifest) => this.#merged(manifest));
    } catch (error) {
      // Unless the manifest may name them, the outputs are of no use.
      await this.#discard();
      throw error;
    }
    await this.#swap();
    holds.retire(this.#inputs);
    this.#report('merging', true);
  }

  async #copyLive(input: DataFile): Promise<void> {
    const scanner = new EntryScanner(
      input.file,
      input.number,
      FILE_HEADER_BYTES,
      input.length,
      SCAN_BYTES,
    );
    this.#found = 0;
    if (this.#needsOutput) await this.#nextOutput();
    for (let step = scanner.step(); step !== 'end'; step = scanner.step()) {
      if (step === 'entry') {
        this.#copyEntry(input, scanner);
        const output = this.#outputs.at(-1);
        if (output?.isFull === true) await output.flush();
      } else if (step === 'refill') {
        this.#control.signal.throwIfAborted();
        await scanner.refill();
        this.#report('merging', false, scanner.offset);
      } else {
        const { path } = input;
        const expected = 'an entry with its checksum';
        throw new CorruptionError({ path, offset: scanner.offset, expected, found: 'other bytes' });
      }
      if (this.#needsOutput) await this.#nextOutput();
    }
    this.#requireAllFound(input);
    this.#done += input.length;
  }

  /** Where the index, which came from a hint or an index file, leads to what is not there, the input must stay. */
  #requireAllFound(input: DataFile): void {
    // The counts of the files are of now.
    this.#around.index.catchUp();
    const { liveEntries, toldBy: path } = input;
    if (liveEntries <= this.#found) return;
    const expected = `at most ${this.#found} entries of ${input.path} in use`;
    throw new CorruptionError({ path, offset: 0, expected, found: String(liveEntries) });
  }

  /** An output is made before it is needed: entries are added without waiting. */
  get #needsOutput(): boolean {
    const last = this.#outputs.at(-1);
    return last === undefined || last.length >= this.#around.fileBytes;
  }

  async #nextOutput(): Promise<void> {
    const { dispatch, directory, files, keeper } = this.#around;
    await this.#outputs.at(-1)?.flush();
    const number = keeper.takeNumber();
    this.#outputs.push(await MergeOutput.create(dispatch, directory, files, number));
  }

  #copyEntry(input: DataFile, scanner: EntryScanner): void {
    const { entry, bytes, entryOffset } = scanner;
    const { keyStart, keyEnd, valueEnd, sequence, expiry } = entry;
    const output = this.#outputs.at(-1);
    if (entry.kind === MARK || output === undefined) return;
    const { index } = this.#around;
    const location = this.#location;
    const found = index.keydir.find(bytes, keyStart, keyEnd, location);
    const mayLeave = !this.#behindOthers.has(input);
    if (entry.kind === DELETE) {
      // A put that is there is newer, and hides whatever the delete hides.
      if (found || mayLeave) return;
      output.add({ kind: DELETE, flags: 0, sequence, expiry: 0 }, bytes, keyStart, keyEnd, keyEnd);
      return;
    }
    if (!found || location.file !== input.slot || location.offset !== entryOffset) return;
    this.#found++;
    if (!this.#around.expiry.isOver(expiry)) {
      output.add({ kind: PUT, flags: 0, sequence, expiry }, bytes, keyStart, keyEnd, valueEnd);
    } else if (mayLeave) {
      this.#gone.add(bytes, keyStart, keyEnd, 0, 0, 0);
    } else {
      output.add({ kind: DELETE, flags: 0, sequence, expiry: 0 }, bytes, keyStart, keyEnd, keyEnd);
    }
  }

  #merged(manifest: Manifest): Manifest {
    const inputs = new Set(this.#inputs.map(({ number }) => number));
    const made: ManifestFile[] = this.#outputs
      .filter(({ data }) => data.entries > 0)
      .map(({ data: { number, length, fingerprint } }) => {
        return { number, length, open: false, merged: true, fingerprint };
      });
    const kept = manifest.files.filter(({ number }) => !inputs.has(number));
    const older = kept.filter(({ number }) => this.#before.has(number));
    const newer = kept.filter(({ number }) => !this.#before.has(number));
    return { ...manifest, files: [...older, ...made, ...newer] };
  }

  /** Step 5. What was written meanwhile is newer, and stays. */
  async #swap(): Promise<void> {
    const { dispatch, expiry, files } = this.#around;
    const inputs = new Set(this.#inputs.map(({ slot }) => slot));
    for (const { data } of this.#outputs) {
      const builder = data.hint;
      if (data.entries === 0 || builder === null) {
        files.remove(data);
        await removeDataFile(dispatch.vfs, data);
        continue;
      }
      await this.#swapRecords(builder, data, inputs);
      await writeHint(dispatch.vfs, data, expiry.stored);
    }
    await this.#swapRecords(this.#gone, null, inputs);
  }

  async #swapRecords(
    builder: HintBuilder,
    output: DataFile | null,
    inputs: ReadonlySet<number>,
  ): Promise<void> {
    const { index, clock } = this.#around;
    const records = builder.records();
    let left = SWAPS_A_TURN;
    while (records.next()) {
      const { bytes, keyStart, keyEnd, offset, lengthCode, expiry } = records;
      const found = index.keydir.find(bytes, keyStart, keyEnd, this.#location);
      if (found && inputs.has(this.#location.file)) {
        if (records.isDelete || output === null) index.delete(bytes, keyStart, keyEnd);
        else index.put(output, bytes, keyStart, keyEnd, offset, lengthCode, expiry);
      }
      if (--left === 0) {
        await clock.sleep(0);
        left = SWAPS_A_TURN;
      }
    }
  }

  async #discard(): Promise<void> {
    const { dispatch, files, poison } = this.#around;
    for (const { data } of this.#outputs) {
      if (poison.poisoned) continue;
      files.remove(data);
      await removeDataFile(dispatch.vfs, data);
    }
  }

  #report(phase: string, ended: boolean, within: number = 0): void {
    const total = this.#inputs.reduce((sum, { length }) => sum + length, 0);
    const done = ended ? total : Math.min(total, this.#done + within);
    this.#control.onProgress?.({ phase, done, total, unit: 'bytes' });
  }
}
