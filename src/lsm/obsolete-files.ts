/**
 * Removes files that nothing needs any more: always after what replaces them is durable and named,
 * and never one that a reader still reads. A removal that a crash undoes is done again by the next
 * open. Not here: deciding what is needed (`version-set`).
 */

import { join } from 'node:path';

import { errorCode } from '../vfs/errno.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { logName, manifestName, oldTableName, parseFileName, tableName } from './lsm-files.ts';
import type { VersionSet } from './manifest/version-set.ts';
import type { TableCache } from './table/table-cache.ts';

/** Where the files are and who uses them. */
export interface FileUse {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly versions: VersionSet;
  readonly tables: TableCache;
}

/** What is to be removed once nobody reads it. */
export class ObsoleteFiles {
  readonly #use: FileUse;
  readonly #condemned = new Set<number>();

  constructor(use: FileUse) {
    this.#use = use;
  }

  /** Tables that the current version no longer has. */
  condemn(numbers: Iterable<number>): void {
    for (const number of numbers) this.#condemned.add(number);
  }

  /** Whether tables wait for their readers. */
  get hasCondemned(): boolean {
    return this.#condemned.size > 0;
  }

  /** Removes condemned tables that nobody reads. Never rejects. */
  async removeTables(): Promise<void> {
    if (this.#condemned.size === 0) return;
    const { versions, tables, directory } = this.#use;
    const live = versions.liveTables();
    for (const number of this.#condemned) {
      if (live.has(number)) continue;
      this.#condemned.delete(number);
      await tables.forget(number);
      const isRemoved = await this.#remove(join(directory, tableName(number)));
      if (!isRemoved) await this.#remove(join(directory, oldTableName(number)));
    }
  }

  /** As `removeTables`, on the calling thread. */
  removeTablesSync(): void {
    const { vfs, versions, tables, directory } = this.#use;
    const live = versions.liveTables();
    for (const number of this.#condemned) {
      if (live.has(number)) continue;
      this.#condemned.delete(number);
      tables.forgetSync(number);
      for (const name of [tableName(number), oldTableName(number)]) {
        try {
          vfs.unlinkSync(join(directory, name));
          break;
        } catch (error) {
          // As in `#remove`.
          if (errorCode(error) !== 'ENOENT') break;
        }
      }
    }
  }

  /** Removes logs. REQUIRES: the durable manifest needs none of them. */
  async removeLogs(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) await this.#remove(join(this.#use.directory, logName(number)));
  }

  /** As `removeLogs`, on the calling thread. */
  removeLogsSync(numbers: readonly number[]): void {
    for (const number of numbers) {
      try {
        this.#use.vfs.unlinkSync(join(this.#use.directory, logName(number)));
      } catch {
        // As in `#remove`.
      }
    }
  }

  /**
   * Removes everything of the format that counts for nothing. REQUIRES: nobody reads or writes yet,
   * and the current manifest is durable and named.
   */
  async sweep(logNumber: number): Promise<void> {
    const { vfs, directory, versions } = this.#use;
    const live = versions.liveTables();
    const manifest = manifestName(versions.manifestNumber);
    for (const { name } of await vfs.readDirectory(directory)) {
      const file = parseFileName(name);
      if (file === null) continue;
      const { kind, number } = file;
      const isDead =
        (kind === 'table' && !live.has(number)) ||
        (kind === 'log' && number < logNumber) ||
        (kind === 'manifest' && name !== manifest) ||
        kind === 'temporary';
      if (isDead) await this.#remove(join(directory, name));
    }
  }

  async #remove(path: string): Promise<boolean> {
    try {
      await this.#use.vfs.unlink(path);
      return true;
    } catch (error) {
      // It takes room and does no harm; the next open tries again.
      return errorCode(error) !== 'ENOENT';
    }
  }
}
