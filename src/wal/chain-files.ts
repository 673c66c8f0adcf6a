/**
 * How the files of a chain of segments are opened and made, and whom they tell. Not here: when the
 * next one is due, and what its coming means for the one before.
 */

import { assert } from '../base/assert.ts';
import { FileChangeError } from '../base/errors.ts';
import { Poison } from '../durable/poison.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { SegmentWriterOptions } from './segment-writer.ts';
import type { WalSettings } from './wal-options.ts';
import type { RecoveredWal } from './wal-recovery.ts';

/** Whom the files of a chain tell. */
export interface ChainListener {
  refused(refusal: FileChangeError): void;
  progressed(): void;
}

/** What a chain is opened with. */
export interface ChainGiven {
  readonly directory: string;
  readonly settings: WalSettings;
  readonly preallocateBytes: number;
  readonly recovered: RecoveredWal;
  readonly onProgress: () => void;
}

export interface ChainParts extends ChainGiven {
  readonly poison: Poison;
}

/** The poison and the options of a chain, which is there only after its first file: `join` makes it hear of that. */
export function prepareChain<Chain extends ChainListener>(
  given: ChainGiven,
): {
  readonly parts: ChainParts;
  readonly options: SegmentWriterOptions;
  readonly join: (chain: Chain) => Chain;
} {
  const poison = new Poison(given.directory);
  let listener: ChainListener | null = null;
  const relay: ChainListener = {
    refused: (refusal) => listener?.refused(refusal),
    progressed: () => listener?.progressed(),
  };
  const { settings, preallocateBytes } = given;
  const join = (chain: Chain): Chain => {
    assert(listener === null, 'a chain is joined once');
    listener = chain;
    return chain;
  };
  const options = writerOptions(settings, preallocateBytes, poison, relay, false);
  return { parts: { ...given, poison }, options, join };
}

export function writerOptions(
  { dispatch, policy, bounds, clock }: WalSettings,
  preallocateBytes: number,
  poison: Poison,
  listener: ChainListener,
  held: boolean,
): SegmentWriterOptions {
  const plain = { dispatch, sync: policy, batch: bounds, clock, preallocateBytes, poison, held };
  return {
    ...plain,
    onRefused: (_, refusal) => listener.refused(refusal),
    onProgress: () => listener.progressed(),
  };
}

/**
 * As `SegmentWriter.create`. A rotation that a synchronous close has overtaken may make its file when
 * the log is open again already: an empty one, which makes room. Anything else that is there stays,
 * and is an error with outcome `'old'`.
 */
export async function createSegment(
  vfs: Vfs,
  path: string,
  options: SegmentWriterOptions,
): Promise<SegmentWriter> {
  try {
    return await SegmentWriter.create(path, options);
  } catch (error) {
    // Other failures are the caller's.
    if (!isTaken(error) || (await vfs.lstat(path)).size > 0) throw error;
    await vfs.unlink(path);
    return await SegmentWriter.create(path, options);
  }
}

/** As `createSegment`, on the calling thread. */
export function createSegmentSync(
  vfs: Vfs,
  path: string,
  options: SegmentWriterOptions,
): SegmentWriter {
  try {
    return SegmentWriter.createSync(path, options);
  } catch (error) {
    // As in `createSegment`.
    if (!isTaken(error) || vfs.lstatSync(path).size > 0) throw error;
    vfs.unlinkSync(path);
    return SegmentWriter.createSync(path, options);
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof FileChangeError && error.code === 'EEXIST';
}
