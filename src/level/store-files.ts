/**
 * By which names the directory of a store is known, engine by engine: which name makes it a store,
 * which ones belong to it, and which tell that one is or was there. Not here: whether what they
 * hold is right.
 */

import { parseFileName as parseBitcaskName } from '../bitcask/entry-format.ts';
import { bitcaskKind } from '../bitcask/bitcask-kind.ts';
import { MANIFEST_NAME as BITCASK_MANIFEST } from '../bitcask/manifest.ts';
import { btreeKind } from '../btree/btree-kind.ts';
import {
  LOG_NAME,
  NEW_PAGES_NAME,
  PAGES_NAME,
  REPAIRED_NAME,
  SPILL_NAME,
} from '../btree/btree-parts.ts';
import { DOUBLE_NAMES } from '../btree/double-write.ts';
import { REPAIR_NAME } from '../btree/repair-tree.ts';
import type { EngineKind } from '../engine/engine-kind.ts';
import { lsmKind } from '../lsm/lsm-kind.ts';
import { CURRENT_NAME, parseFileName as parseLsmName } from '../lsm/lsm-files.ts';

/** The names of one engine's stores. */
export interface StoreFiles {
  readonly kind: EngineKind;
  /** A directory without this file is no store; a store is there as soon as it is. */
  readonly key: string;
  /** Directories with files that belong to it. */
  readonly folders: readonly string[];
  /** A name that only opening takes away; as long as it is there, the other files are not the store. */
  readonly pending?: string;
  /** Whether a file of the directory belongs to what is stored. */
  readonly isPart: (name: string) => boolean;
  /** Whether a name belongs to the engine, though it may be scratch, or another program's. */
  readonly isOwn: (name: string) => boolean;
  /** Whether a name says by itself that a store of the engine is or was here. */
  readonly isTrace: (name: string) => boolean;
}

const lsmFiles: StoreFiles = {
  kind: lsmKind,
  key: CURRENT_NAME,
  folders: [],
  isPart: (name) => ['current', 'manifest', 'log', 'table'].includes(lsmNameKind(name)),
  isOwn: (name) => parseLsmName(name) !== null,
  isTrace: (name) => ['current', 'manifest', 'table'].includes(lsmNameKind(name)),
};

const bitcaskFiles: StoreFiles = {
  kind: bitcaskKind,
  key: BITCASK_MANIFEST,
  folders: [],
  isPart: isBitcaskName,
  isOwn: isBitcaskName,
  isTrace: isBitcaskName,
};

const BTREE_TRACES = [PAGES_NAME, NEW_PAGES_NAME, SPILL_NAME, ...DOUBLE_NAMES];
const BTREE_NAMES = [...BTREE_TRACES, LOG_NAME, REPAIR_NAME, REPAIRED_NAME];

const btreeFiles: StoreFiles = {
  kind: btreeKind,
  key: PAGES_NAME,
  folders: [LOG_NAME],
  pending: REPAIRED_NAME,
  isPart: (name) => name === PAGES_NAME || DOUBLE_NAMES.includes(name),
  isOwn: (name) => BTREE_NAMES.includes(name),
  isTrace: (name) => BTREE_TRACES.includes(name),
};

/** Of every engine with stores on the disk. */
export const STORE_FILES: readonly StoreFiles[] = [lsmFiles, bitcaskFiles, btreeFiles];

/** Names that are nobody's: locks, what a repair kept aside, and what systems leave everywhere. */
export function isNeutralName(name: string): boolean {
  return name.startsWith('.') || /^holdfast-lock-\d+$/.test(name) || name === 'lost';
}

function lsmNameKind(name: string): string {
  return parseLsmName(name)?.kind ?? '';
}

function isBitcaskName(name: string): boolean {
  return name === BITCASK_MANIFEST || parseBitcaskName(name) !== null;
}
