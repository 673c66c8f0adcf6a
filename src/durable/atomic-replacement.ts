/**
 * One replacement of one file, step by step, and what its failure means. The order is the promise:
 *
 * 1. open the directory, so that nothing after the rename can fail for want of a descriptor;
 * 2. make the temporary file beside the target, with its final rights;
 * 3. write all bytes;
 * 4. sync the file: a rename may reach the disk before unsynced bytes do, leaving an empty or mixed
 *    file;
 * 5. close, rename over the target: readers see the old file or the new one;
 * 6. sync the directory: only now is the new file there after a power cut.
 *
 * Until 5 the old file is untouched: a failure there leaves it, and takes the temporary file away.
 * After 5 the new file is in place for every reader, and only a power cut may bring the old one
 * back.
 */

import type { Clock } from '../base/clock.ts';
import type { Outcome } from '../base/errors.ts';
import { writeFully, writeFullySync } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { applyAttributes, applyAttributesSync, creationMode } from './atomic-attributes.ts';
import type { AttributeOptions } from './atomic-attributes.ts';
import type { DirectoryNames, SharedNames } from './atomic-names.ts';
import { renameOver, renameOverSync } from './atomic-rename.ts';
import type { AtomicTarget } from './atomic-target.ts';
import { explainFailure, wasRefused } from './change-outcome.ts';
import type { NameSync, SyncDispatch } from './sync-dispatch.ts';
import type { TemporaryFilesAtExit } from './temporary-file-exit.ts';
import type { OwnerJudge } from './temporary-file-owner.ts';
import { createTemporaryFile, createTemporaryFileSync } from './temporary-file.ts';

/** How to replace. */
export interface ReplaceOptions extends AttributeOptions {
  /**
   * False: atomic for running programs, and nothing is promised about a power cut. Default true.
   */
  readonly sync?: boolean | undefined;
  /** Called with the temporary file's path when it exists; awaited by the asynchronous form. */
  readonly onTemporaryFile?: ((path: string) => unknown) | undefined;
}

/** What a replacement needs from its surroundings. */
export interface ReplaceSystem {
  readonly dispatch: SyncDispatch;
  readonly clock: Clock;
  readonly judge: OwnerJudge;
  /** 16 hexadecimal digits, never the same. */
  readonly nonce: () => string;
  readonly atExit?: TemporaryFilesAtExit | undefined;
}

/**
 * Up to this size a write and its companions run on the calling thread: they go to memory, in less
 * time than a trip through the thread pool takes (90 to 260 microseconds).
 */
export const INLINE_BYTES_MAX: number = 64 * 1024;

/**
 * Replaces `target` once. Rejects with a `FileChangeError`, or with what `onTemporaryFile` threw.
 *
 * `alone` says whether this is the only replacement under way. If it is not, the journal is being
 * written for another one, and a change to metadata that is in it may wait for the device (measured
 * on ext4: a rename on the calling thread then takes up to tens of milliseconds): everything that
 * changes anything is on the thread pool then.
 */
export async function replaceOnce(
  system: ReplaceSystem,
  shared: SharedNames,
  target: AtomicTarget,
  bytes: Uint8Array,
  options: ReplaceOptions,
  alone: () => boolean,
): Promise<void> {
  const { dispatch } = system;
  const durable = options.sync !== false;
  const work = new Replacement(system, target, options);
  let names: DirectoryNames | null = null;
  try {
    if (durable) names = shared.acquire(target.directory);
    const file = alone() ? work.createSync() : await work.create();
    await work.announce();
    if (alone() && bytes.length <= INLINE_BYTES_MAX) writeFullySync(file, bytes, 0);
    else await writeFully(file, bytes, 0);
    if (alone()) work.applyAttributesSync();
    else await work.applyAttributes();
    if (durable) await dispatch.file(file);
    // After a sync nothing is left to be written; without one a network file system writes at
    // close.
    if (durable && alone()) work.closeSync();
    else await work.close();
    // Taking the name from a large file frees its blocks.
    const small = (target.existing?.size ?? 0) <= INLINE_BYTES_MAX;
    await work.rename(alone() && small);
    await names?.sync(target.path);
  } catch (error) {
    await work.cleanUp();
    throw work.explain(error);
  } finally {
    if (names !== null) shared.release(names);
  }
}

/** As `replaceOnce`, on the calling thread. */
export function replaceOnceSync(
  system: ReplaceSystem,
  target: AtomicTarget,
  bytes: Uint8Array,
  options: ReplaceOptions,
): void {
  const { dispatch } = system;
  const durable = options.sync !== false;
  const work = new Replacement(system, target, options);
  let names: NameSync | null = null;
  try {
    if (durable) names = dispatch.openNamesSync(target.directory);
    const file = work.createSync();
    work.announceSync();
    writeFullySync(file, bytes, 0);
    work.applyAttributesSync();
    if (durable) dispatch.fileSync(file);
    work.closeSync();
    work.renameSync();
    names?.syncSync([target.path]);
  } catch (error) {
    work.cleanUpSync();
    throw work.explain(error);
  } finally {
    names?.closeSync();
  }
}

/** The temporary file of one replacement, and how far it got. */
class Replacement {
  readonly #system: ReplaceSystem;
  readonly #target: AtomicTarget;
  readonly #options: ReplaceOptions;
  #file: VfsFile | null = null;
  #open = false;
  /** The temporary file's name, while it has one. */
  #path: string | null = null;
  #outcome: Outcome = 'old';
  /** What the caller's own function threw: it goes back as it came. */
  #foreign: unknown = undefined;

  constructor(system: ReplaceSystem, target: AtomicTarget, options: ReplaceOptions) {
    this.#system = system;
    this.#target = target;
    this.#options = options;
  }

  async create(): Promise<VfsFile> {
    const { dispatch, judge, nonce } = this.#system;
    const { directory } = this.#target;
    const mode = this.#creationMode;
    return this.#created(
      await createTemporaryFile(dispatch.vfs, directory, judge.self, mode, nonce),
    );
  }

  createSync(): VfsFile {
    const { dispatch, judge, nonce } = this.#system;
    const { directory } = this.#target;
    const mode = this.#creationMode;
    return this.#created(createTemporaryFileSync(dispatch.vfs, directory, judge.self, mode, nonce));
  }

  get #creationMode(): number {
    return creationMode(this.#options, this.#target.existing);
  }

  #created(file: VfsFile): VfsFile {
    this.#file = file;
    this.#path = file.path;
    this.#open = true;
    this.#system.atExit?.add(this.#system.dispatch.vfs, file.path);
    return file;
  }

  async announce(): Promise<void> {
    if (this.#path === null) return;
    try {
      await this.#options.onTemporaryFile?.(this.#path);
    } catch (error) {
      this.#foreign = error;
      throw error;
    }
  }

  announceSync(): void {
    if (this.#path === null) return;
    try {
      this.#options.onTemporaryFile?.(this.#path);
    } catch (error) {
      this.#foreign = error;
      throw error;
    }
  }

  async applyAttributes(): Promise<void> {
    const { platform } = this.#system.dispatch.rules;
    if (this.#file === null) return;
    await applyAttributes(this.#file, this.#options, this.#target.existing, platform);
  }

  applyAttributesSync(): void {
    const { platform } = this.#system.dispatch.rules;
    if (this.#file === null) return;
    applyAttributesSync(this.#file, this.#options, this.#target.existing, platform);
  }

  /** A failed close releases the descriptor all the same (close(2)), so it is never repeated. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file?.close();
  }

  closeSync(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file?.closeSync();
  }

  async rename(inline: boolean): Promise<void> {
    if (this.#path === null) return;
    try {
      await renameOver(this.#renameSystem, this.#path, this.#target.path, inline);
    } catch (error) {
      this.#renameFailed(error);
      throw error;
    }
    this.#renamed();
  }

  renameSync(): void {
    if (this.#path === null) return;
    try {
      renameOverSync(this.#renameSystem, this.#path, this.#target.path);
    } catch (error) {
      this.#renameFailed(error);
      throw error;
    }
    this.#renamed();
  }

  /**
   * Takes the temporary file away, if it still has its name. Never throws: the first error is the
   * one to tell.
   */
  async cleanUp(): Promise<void> {
    try {
      await this.close();
    } catch {
      // The file is going away with all that it could not write.
    }
    if (this.#path === null) return;
    try {
      await this.#system.dispatch.vfs.unlink(this.#path);
      this.#unlinked();
    } catch {
      // It stays until this process has ended and another one sweeps.
    }
  }

  cleanUpSync(): void {
    try {
      this.closeSync();
    } catch {
      // As in `cleanUp`.
    }
    if (this.#path === null) return;
    try {
      this.#system.dispatch.vfs.unlinkSync(this.#path);
      this.#unlinked();
    } catch {
      // As in `cleanUp`.
    }
  }

  /**
   * What the caller is told: system errors get path and outcome; anything else is not ours to
   * change.
   */
  explain(error: unknown): unknown {
    if (error === this.#foreign) return error;
    return explainFailure(error, 'replacing', this.#target.path, this.#outcome);
  }

  get #renameSystem(): { vfs: SyncDispatch['vfs']; platform: string; clock: Clock } {
    const { dispatch, clock } = this.#system;
    return { vfs: dispatch.vfs, platform: dispatch.rules.platform, clock };
  }

  #renamed(): void {
    this.#forget();
    this.#outcome = 'unknown';
  }

  /**
   * EIO, or a server that answered too late, may come after the change: the temporary name decides,
   * if it can.
   */
  #renameFailed(error: unknown): void {
    if (!wasRefused(error)) this.#outcome = 'unknown';
  }

  /** The temporary name was still there, so no rename has taken place. */
  #unlinked(): void {
    this.#forget();
    this.#outcome = 'old';
  }

  #forget(): void {
    if (this.#path !== null) this.#system.atExit?.delete(this.#path);
    this.#path = null;
  }
}
