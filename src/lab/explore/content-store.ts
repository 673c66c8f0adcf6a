/**
 * Byte strings of crashed disks, kept once each, so that two blocks or files are equal exactly when their ids
 * are. Ids are made from the bytes alone: disks can be compared across models, repairs, threads and runs.
 */

import { hash } from 'node:crypto';

/** One block's bytes, cut to what the file shows of it. */
export interface BlockContent {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** One file's bytes, put together when first asked for. */
export class FileContent {
  readonly id: string;
  readonly size: number;
  readonly #parts: readonly BlockContent[];
  #bytes: Uint8Array | null = null;

  constructor(id: string, size: number, parts: readonly BlockContent[]) {
    this.id = id;
    this.size = size;
    this.#parts = parts;
  }

  get bytes(): Uint8Array {
    if (this.#bytes !== null) return this.#bytes;
    const only = this.#parts[0];
    if (this.#parts.length === 1 && only !== undefined) return (this.#bytes = only.bytes);
    const bytes = new Uint8Array(this.size);
    let offset = 0;
    for (const part of this.#parts) {
      bytes.set(part.bytes, offset);
      offset += part.bytes.length;
    }
    return (this.#bytes = bytes);
  }
}

/** Of a digest in base64: 72 bits, so that among a million contents equal ids mean equal bytes. */
const ID_LENGTH = 12;

export class ContentStore {
  readonly #blocks = new Map<string, BlockContent>();
  readonly #files = new Map<string, FileContent>();
  readonly #single = new Map<BlockContent, FileContent>();
  readonly #cut = new Map<Uint8Array, Map<number, BlockContent>>();

  block(bytes: Uint8Array): BlockContent {
    const key = hash('sha256', bytes, 'base64');
    let known = this.#blocks.get(key);
    if (known === undefined) {
      known = { id: key.slice(0, ID_LENGTH), bytes };
      this.#blocks.set(key, known);
    }
    return known;
  }

  /** The first `length` bytes of a block that is never modified. */
  cut(bytes: Uint8Array, length: number): BlockContent {
    let lengths = this.#cut.get(bytes);
    if (lengths === undefined) this.#cut.set(bytes, (lengths = new Map()));
    let content = lengths.get(length);
    if (content === undefined) {
      content = this.block(bytes.subarray(0, length));
      lengths.set(length, content);
    }
    return content;
  }

  /** REQUIRES: every part but the last is a whole block. */
  file(parts: readonly BlockContent[]): FileContent {
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only === undefined) return this.#joined(parts);
    let known = this.#single.get(only);
    if (known === undefined) this.#single.set(only, (known = this.#joined(parts)));
    return known;
  }

  #joined(parts: readonly BlockContent[]): FileContent {
    let key = '';
    let size = 0;
    for (const part of parts) {
      key += `${part.id},`;
      size += part.bytes.length;
    }
    let known = this.#files.get(key);
    if (known === undefined) {
      const [only] = parts;
      const own = parts.length === 1 ? only?.id : undefined;
      const id = own ?? hash('sha256', key, 'base64').slice(0, ID_LENGTH);
      known = new FileContent(id, size, parts);
      this.#files.set(key, known);
    }
    return known;
  }
}
