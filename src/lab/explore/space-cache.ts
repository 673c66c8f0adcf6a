/**
 * What is worked out once about the blocks of a history, for all crash points and runs: outcomes, freed contents,
 * contents from before the recording. Nothing here depends on a decision.
 */

import type { BlockHistory, FileHistory, FreedBlock } from '../model/change.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import type { BlockDomain, BlockOutcome } from './block-domain.ts';
import type { BlockContent, ContentStore } from './content-store.ts';

/** Work that is the same for all crash points and runs over one history. */
export class SpaceCache {
  readonly store: ContentStore;
  /** False when some block had more outcomes than are told apart. */
  whole = true;
  readonly #domains = new Map<BlockHistory, Map<string, BlockDomain>>();
  readonly #freed = new Map<FreedBlock, BlockContent>();
  readonly #untouched = new Map<FileHistory, Map<number, Uint8Array>>();

  constructor(store: ContentStore) {
    this.store = store;
  }

  domain(history: BlockHistory, key: string, make: () => BlockDomain): readonly BlockOutcome[] {
    let domains = this.#domains.get(history);
    if (domains === undefined) this.#domains.set(history, (domains = new Map()));
    let domain = domains.get(key);
    if (domain === undefined) domains.set(key, (domain = make()));
    this.whole &&= domain.whole;
    return domain.outcomes;
  }

  /** What a freed block held. */
  freed(file: FileHistory, block: FreedBlock): BlockContent {
    let content = this.#freed.get(block);
    if (content === undefined) {
      const bytes = this.untouched(file, block.block * BLOCK_BYTES).slice();
      for (const event of file.blocks.get(block.block)?.events ?? []) {
        if (event.start < block.start) bytes.set(event.bytes, event.offset);
      }
      this.#freed.set(block, (content = this.store.block(bytes)));
    }
    return content;
  }

  /** A block of a file that was there when recording began, as it was then; zeros beyond its end. */
  untouched(file: FileHistory, from: number): Uint8Array {
    let blocks = this.#untouched.get(file);
    if (blocks === undefined) this.#untouched.set(file, (blocks = new Map()));
    let bytes = blocks.get(from);
    if (bytes === undefined) {
      bytes = padded(file.initialContent.subarray(from, from + BLOCK_BYTES));
      blocks.set(from, bytes);
    }
    return bytes;
  }
}

/** A whole block that begins with these bytes. */
export function padded(bytes: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(bytes);
  return block;
}
