/** The directory of a store of any engine: `verify` is the engine's own, `dump` shows its files in order. */

import { DirectoryLock } from '../../durable/lock-file.ts';
import type { StoreFiles } from '../../level/store-files.ts';
import { verifyStore } from '../../level/store-places.ts';
import { errorCode } from '../../vfs/errno.ts';
import { dumpBitcaskStore } from './bitcask-format.ts';
import { dumpBtreeStore } from './btree-format.ts';
import { dumpLsmStore } from './lsm-format.ts';
import { counted } from '../output.ts';
import { complaintOf } from './store-format.ts';
import type { DumpedRecord, FormatProgress, StoreFormat, StoreReport } from './store-format.ts';

type Dump = (
  path: string,
  onProgress: FormatProgress,
) => Generator<DumpedRecord, StoreReport, undefined>;

const DUMPS: Readonly<Record<string, Dump>> = {
  lsm: dumpLsmStore,
  bitcask: dumpBitcaskStore,
  btree: dumpBtreeStore,
};

/** The format of an engine's directories. */
export function storeFormat({ kind }: StoreFiles): StoreFormat {
  const dump = DUMPS[kind.name];
  if (dump === undefined) throw new TypeError(`stores of ${kind.name} cannot be shown`);
  return {
    name: `${kind.name} store`,
    recognises: () => true,
    dump,
    verify: verifyDirectory,
  };
}

async function verifyDirectory(path: string, onProgress: FormatProgress): Promise<StoreReport> {
  const { files, bytes, entries, damage } = await verifyStore(path, {
    onProgress: ({ done, total, unit }) => onProgress(done, total, unit),
  });
  const some = entries === undefined ? '' : `, ${counted(entries, 'entry', 'entries')}`;
  return {
    files: [{ file: path, bytes, holds: `${counted(files, 'file')}${some}` }],
    damage: damage.map(complaintOf),
    torn: [],
    notes: await ownerNotes(path),
  };
}

/** Whether a program has the store open, which may change files while they are read. */
async function ownerNotes(path: string): Promise<string[]> {
  try {
    await DirectoryLock.requireFree(path);
    return [];
  } catch (error) {
    if (errorCode(error) !== 'HOLDFAST_LOCKED') throw error;
    return [`it may have changed while it was read: ${(error as Error).message}`];
  }
}
