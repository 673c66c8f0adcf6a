/**
 * Who reads which state, and the files that only such readers still need. A file that a merge has
 * replaced goes when everybody has given back a state of when it was there: a state that somebody
 * holds for ever does not keep the files that were made after it.
 */

import { assert } from '../base/assert.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { DataFile, FileTable } from './data-file.ts';
import { hintPath } from './hint-writing.ts';
import type { Keydir } from './keydir.ts';
import type { PagesSnapshot } from './keydir-pages.ts';

/** One reader's hold on a state. */
export interface StateHold {
  readonly state: PagesSnapshot;
  /** How many files the table had been given: the state leads to none that came later. */
  readonly filesAdded: number;
}

interface Retired {
  readonly file: DataFile;
  readonly waitsFor: Set<StateHold>;
}

export class StateHolds {
  readonly #vfs: Vfs;
  readonly #files: FileTable;
  readonly #index: { readonly keydir: Keydir };
  readonly #holds = new Set<StateHold>();
  #retired: Retired[] = [];
  #removing = Promise.resolve();

  /** `index` has the keydir of now. */
  constructor(vfs: Vfs, files: FileTable, index: { readonly keydir: Keydir }) {
    this.#vfs = vfs;
    this.#files = files;
    this.#index = index;
  }

  get count(): number {
    return this.#holds.size;
  }

  /** Files that wait for readers. */
  get retiredCount(): number {
    return this.#retired.length;
  }

  /** Holds the state of now. */
  take(): StateHold {
    const state = this.#index.keydir.snapshot();
    const hold = { state, filesAdded: this.#files.added };
    this.#holds.add(hold);
    return hold;
  }

  /** Holds the state that another hold has. */
  share(other: StateHold): StateHold {
    assert(this.#holds.has(other), 'a hold that is shared has not been dropped');
    const { state, filesAdded } = other;
    state.holders++;
    const hold = { state, filesAdded };
    this.#holds.add(hold);
    for (const { waitsFor } of this.#retired) if (waitsFor.has(other)) waitsFor.add(hold);
    return hold;
  }

  drop(hold: StateHold): void {
    if (!this.#holds.delete(hold)) return;
    this.#index.keydir.drop(hold.state);
    if (this.#retired.length === 0) return;
    for (const { waitsFor } of this.#retired) waitsFor.delete(hold);
    this.#removeUnread();
  }

  /** Nothing of now leads to these files: they go when nobody can read them any more. */
  retire(files: readonly DataFile[]): void {
    for (const file of files) {
      const readers = [...this.#holds].filter(({ filesAdded }) => filesAdded >= file.added);
      this.#retired.push({ file, waitsFor: new Set(readers) });
    }
    this.#removeUnread();
  }

  /** Resolves when no removal is under way. */
  async settled(): Promise<void> {
    await this.#removing;
  }

  #removeUnread(): void {
    const gone = this.#retired.filter(({ waitsFor }) => waitsFor.size === 0);
    if (gone.length === 0) return;
    this.#retired = this.#retired.filter(({ waitsFor }) => waitsFor.size > 0);
    for (const { file } of gone) {
      this.#files.remove(file);
      this.#removing = this.#removing.then(() => removeDataFile(this.#vfs, file));
    }
  }
}

/**
 * Closes and removes a file that the manifest does not name. Not synced: what comes back after a
 * crash is swept at the next open. Never rejects.
 */
export async function removeDataFile(vfs: Vfs, data: DataFile): Promise<void> {
  await data.file.close().catch(() => 'it was only read');
  await vfs.unlink(data.path).catch(() => 'swept at the next open');
  if (data.hasHint) await vfs.unlink(hintPath(data)).catch(() => 'swept at the next open');
}
