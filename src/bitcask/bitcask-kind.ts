/** The kind `'bitcask'`: how its stores are opened, looked at, destroyed and repaired. */

import { join } from 'node:path';

import { readPointer } from '../durable/pointer-file.ts';
import { SyncDispatch } from '../durable/sync-dispatch.ts';
import { missingError } from '../engine/engine-errors.ts';
import type { EngineKind, EngineSurroundings } from '../engine/engine-kind.ts';
import type {
  EngineStats,
  ProgressOptions,
  RepairReport,
  VerifyReport,
} from '../engine/engine-reports.ts';
import type { Engine } from '../engine/engine.ts';
import { errorCode } from '../vfs/errno.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import { bitcaskSettings } from './bitcask-options.ts';
import type { BitcaskOptions } from './bitcask-options.ts';
import { destroyStore } from './destroy-store.ts';
import { parseFileName } from './entry-format.ts';
import { MANIFEST_NAME, decodeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { openStore } from './open-store.ts';
import { repairStore } from './repair-store.ts';
import { verifyStore } from './verify-store.ts';

const MAGIC = Buffer.from('bitcask');

/** Append-only data files and an ordered index in memory. */
export const bitcaskKind: EngineKind<BitcaskOptions> = {
  name: 'bitcask',

  async open(directory: string, options: BitcaskOptions = {}): Promise<Engine> {
    const settings = bitcaskSettings(options);
    try {
      return await openStore(directory, settings);
    } catch (error) {
      // The zeros ahead of the new log must not take the room that the manifest needs.
      if (settings.preallocateBytes === 0 || errorCode(error) !== 'ENOSPC') throw error;
      return openStore(directory, { ...settings, preallocateBytes: 0 });
    }
  },

  async holds(directory: string, surroundings?: EngineSurroundings): Promise<boolean> {
    const { vfs } = dispatchOf(surroundings);
    try {
      const payload = await readPointer(vfs, join(directory, MANIFEST_NAME));
      return payload !== null && MAGIC.equals(payload.subarray(0, MAGIC.length));
    } catch (error) {
      // A damaged or newer manifest still has our name.
      const code = errorCode(error);
      return code === 'HOLDFAST_CORRUPTION' || code === 'HOLDFAST_FORMAT';
    }
  },

  async destroy(directory: string, surroundings?: EngineSurroundings): Promise<void> {
    await destroyStore(directory, dispatchOf(surroundings));
  },

  async repair(
    directory: string,
    options: EngineSurroundings & ProgressOptions = {},
  ): Promise<RepairReport> {
    return repairStore(directory, dispatchOf(options), options);
  },

  async verify(
    directory: string,
    options: EngineSurroundings & ProgressOptions = {},
  ): Promise<VerifyReport> {
    const dispatch = dispatchOf(options);
    const manifest = await manifestOf(directory, dispatch);
    return verifyStore({ directory, settings: { dispatch }, still: true }, manifest, options);
  },

  async stats(directory: string, surroundings?: EngineSurroundings): Promise<EngineStats> {
    const dispatch = dispatchOf(surroundings);
    const manifest = await manifestOf(directory, dispatch);
    let dataBytes = 0;
    let hintBytes = 0;
    let indexBytes = 0;
    let otherBytes = 0;
    for (const { name } of await dispatch.vfs.readDirectory(directory)) {
      const kind = parseFileName(name)?.kind;
      if (kind === undefined && name !== MANIFEST_NAME) continue;
      const size = await sizeOf(dispatch, join(directory, name));
      if (kind === 'data') dataBytes += size;
      else if (kind === 'hint') hintBytes += size;
      else if (kind === 'index') indexBytes += size;
      else otherBytes += size;
    }
    const { files } = manifest;
    return {
      engine: 'bitcask',
      files: files.length,
      diskBytes: dataBytes + hintBytes + indexBytes + otherBytes,
      memoryBytes: 0,
      entries: undefined,
      snapshots: 0,
      details: {
        dataBytes,
        hintBytes,
        indexBytes,
        logCount: files.filter(({ open }) => open).length,
        mergedFileCount: files.filter(({ merged }) => merged).length,
        sequenceCount: manifest.sequence,
        clockMs: manifest.clock,
      },
    };
  },
};

function dispatchOf(surroundings: EngineSurroundings | undefined): SyncDispatch {
  return surroundings?.dispatch ?? new SyncDispatch(nodeVfs);
}

/** Zero for a file that another process has removed by now. */
async function sizeOf({ vfs }: SyncDispatch, path: string): Promise<number> {
  try {
    return (await vfs.stat(path)).size;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return 0;
  }
}

/** @throws HOLDFAST_MISSING, HOLDFAST_FOREIGN, HOLDFAST_FORMAT, HOLDFAST_CORRUPTION */
async function manifestOf(directory: string, dispatch: SyncDispatch): Promise<Manifest> {
  const path = join(directory, MANIFEST_NAME);
  const payload = await readPointer(dispatch.vfs, path);
  if (payload === null) {
    throw missingError(directory);
  }
  return decodeManifest(payload, path);
}
