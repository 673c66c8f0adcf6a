/**
 * The manifest of an open store: one change after the other, each durable before it counts. A
 * change that may or may not have happened ends writing, because nobody knows any more which files
 * make up the store.
 */

import { join } from 'node:path';

import { assert } from '../base/assert.ts';
import { FileChangeError } from '../base/errors.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import { replacePointer, replacePointerSync } from '../durable/pointer-file.ts';
import type { Poison } from '../durable/poison.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { MANIFEST_NAME, encodeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

export class ManifestKeeper {
  readonly path: string;
  readonly #vfs: Vfs;
  readonly #poison: Poison;
  readonly #queue = new SerialQueue();
  #current: Manifest;
  #nextFile: number;

  /** `current` is what is on the disk. */
  constructor(vfs: Vfs, directory: string, poison: Poison, current: Manifest) {
    this.path = join(directory, MANIFEST_NAME);
    this.#vfs = vfs;
    this.#poison = poison;
    this.#current = current;
    this.#nextFile = current.nextFile;
  }

  /** What is on the disk. */
  get current(): Manifest {
    return this.#current;
  }

  /** Whether a change is under way or waits. Then `changeSync` must not be called. */
  get busy(): boolean {
    return this.#queue.pending > 0;
  }

  /** A number that no file has or had. */
  takeNumber(): number {
    return this.#nextFile++;
  }

  /**
   * Makes the manifest what `change` makes of it, after all changes before. On return that lasts.
   * @throws FileChangeError with outcome `'old'`: nothing has changed; HOLDFAST_POISONED
   */
  change(change: (manifest: Manifest) => Manifest): Promise<void> {
    return this.#queue.run(async () => {
      this.#poison.check();
      const next = this.#next(change);
      try {
        await replacePointer(this.#vfs, this.path, encodeManifest(next));
      } catch (error) {
        // Without effect it is its caller's to bear; else writing has to end.
        throw this.#meaning(error);
      }
      this.#current = next;
    });
  }

  /** As `change`, on the calling thread. REQUIRES: not `busy`. */
  changeSync(change: (manifest: Manifest) => Manifest): void {
    assert(!this.busy, 'a synchronous change must not overtake one that is under way');
    this.#poison.check();
    const next = this.#next(change);
    try {
      replacePointerSync(this.#vfs, this.path, encodeManifest(next));
    } catch (error) {
      // As in `change`.
      throw this.#meaning(error);
    }
    this.#current = next;
  }

  #next(change: (manifest: Manifest) => Manifest): Manifest {
    return { ...change(this.#current), nextFile: this.#nextFile };
  }

  #meaning(error: unknown): unknown {
    if (error instanceof FileChangeError && error.outcome === 'old') return error;
    this.#poison.poison(error);
    return this.#poison.error('unknown');
  }
}
