/**
 * For `verify`: compares index files with what the data files say. One that does not count is no
 * damage, as with hints; one that counts and is wrong is.
 */

import { join } from 'node:path';

import { compareRanges } from '../base/bytes.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { indexFileName, parseFileName } from './entry-format.ts';
import { IndexBlocks } from './index-loading.ts';
import { KeyLocation } from './key-location.ts';
import { KeydirCursor } from './keydir-cursor.ts';
import type { Keydir } from './keydir.ts';
import type { Manifest, ManifestFile } from './manifest.ts';

/** What the data files up to some place say. */
export interface FilesSoFar {
  /** Where the newest entry of each key is; files by their place in the manifest. */
  readonly keydir: Keydir;
  /** Puts and deletes of each file. */
  readonly entries: readonly number[];
}

/** The index files of a directory that describe first files of a manifest. */
export class IndexesToVerify {
  readonly #vfs: Vfs;
  readonly #directory: string;
  readonly #sealed: readonly ManifestFile[];
  /** By how many files they describe. */
  readonly #numbers = new Map<number, number[]>();

  private constructor(vfs: Vfs, directory: string, sealed: readonly ManifestFile[]) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#sealed = sealed;
  }

  /** Those of a directory. What cannot be read does not count. */
  static async find(vfs: Vfs, directory: string, { files }: Manifest): Promise<IndexesToVerify> {
    const sealed = files.filter(({ open }) => !open);
    const found = new IndexesToVerify(vfs, directory, sealed);
    for (const { name } of await vfs.readDirectory(directory).catch(() => [])) {
      const parsed = parseFileName(name);
      if (parsed?.kind !== 'index') continue;
      const { number } = parsed;
      await found.#with(number, async ({ header }) => {
        const { length } = header.files;
        found.#numbers.set(length, [...(found.#numbers.get(length) ?? []), number]);
      });
    }
    return found;
  }

  /** The paths of those that describe just the files so far, and are wrong, each with what is wrong. */
  async wrong(so: FilesSoFar): Promise<(readonly [path: string, message: string])[]> {
    const wrong: (readonly [string, string])[] = [];
    for (const number of this.#numbers.get(so.entries.length) ?? []) {
      const message = await this.#with(number, (blocks) => compare(blocks, so));
      if (message !== null) wrong.push([this.#path(number), message]);
    }
    return wrong;
  }

  /** What `work` says of an index file; null when it does not count. */
  async #with<T>(number: number, work: (blocks: IndexBlocks) => Promise<T>): Promise<T | null> {
    try {
      const file = await this.#vfs.open(this.#path(number), { read: true });
      let blocks: IndexBlocks | null = null;
      try {
        blocks = await IndexBlocks.open(file, number, this.#sealed);
        return blocks === null ? null : await work(blocks);
      } finally {
        await blocks?.settled();
        await file.close();
      }
    } catch {
      // What cannot be read does not count.
      return null;
    }
  }

  #path(number: number): string {
    return join(this.#directory, indexFileName(number));
  }
}

async function compare(blocks: IndexBlocks, so: FilesSoFar): Promise<string | null> {
  const { keydir, entries } = so;
  const { reader, header } = blocks;
  const at = new KeyLocation();
  let wrong: string | null = null;
  const state = keydir.snapshot();
  try {
    const cursor = new KeydirCursor(keydir.pages, state);
    while (await blocks.next()) {
      while (reader.next()) {
        if (wrong !== null) continue;
        if (cursor.valid) cursor.location(at);
        const { keys, keyStart, keyEnd } = cursor;
        const { key, keyLength } = reader;
        const same =
          cursor.valid &&
          compareRanges(key, 0, keyLength, keys, keyStart, keyEnd) === 0 &&
          at.file === reader.file &&
          at.offset === reader.offset &&
          at.lengthCode === reader.lengthCode &&
          at.expiry === reader.expiry;
        if (same) cursor.next();
        else wrong = `another record expected in the place of number ${reader.count}`;
      }
    }
    if (wrong === null && cursor.valid) wrong = `more than ${reader.count} records expected`;
  } finally {
    keydir.drop(state);
  }
  if (header.files.some((file, place) => file.entries !== entries[place])) {
    wrong ??= 'other numbers of entries expected';
  }
  return blocks.isWhole ? wrong : null;
}
