/** What makes up an open store. Made by `open-store.ts`, used by the engine. */

import type { ReadSpeed } from '../base/read-speed.ts';
import type { DirectoryLock } from '../durable/lock-file.ts';
import type { Poison } from '../durable/poison.ts';
import type { RecoveryReport } from '../engine/engine-reports.ts';
import type { BitcaskSettings } from './bitcask-options.ts';
import type { BlockCache } from './data-block-cache.ts';
import type { FileTable } from './data-file.ts';
import type { ExpiryClock } from './expiry-clock.ts';
import type { KeyIndex } from './key-index.ts';
import type { LogWriter } from './log-writer.ts';
import type { ManifestKeeper } from './manifest-keeper.ts';
import type { StateHolds } from './state-holds.ts';

/** An index file on the disk, which was read at opening. */
export interface KnownIndexFile {
  readonly number: number;
  /** Of the data files that it describes. */
  readonly numbers: readonly number[];
}

/** Everything that opening has made. */
export interface StoreParts {
  readonly directory: string;
  readonly settings: BitcaskSettings;
  readonly lock: DirectoryLock;
  readonly poison: Poison;
  readonly keeper: ManifestKeeper;
  readonly files: FileTable;
  readonly index: KeyIndex;
  readonly cache: BlockCache;
  readonly speed: ReadSpeed;
  readonly holds: StateHolds;
  readonly expiry: ExpiryClock;
  readonly writer: LogWriter;
  readonly indexFile: KnownIndexFile | null;
  readonly recovery: RecoveryReport;
}
