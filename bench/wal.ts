/**
 * The write-ahead log: appends beside bare loops of the same system calls in the same rounds, and
 * replay. `npm run bench:wal`, with a directory on the disk to measure as argument.
 */

import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

import type { SyncPolicy } from '../src/durable/sync-policy.ts';
import { WriteAheadLog } from '../src/wal/write-ahead-log.ts';
import {
  CALLERS,
  RECORD,
  UNSYNCED,
  awaited,
  bareRows,
  byCallers,
  inGroups,
  printAppendTable,
  times,
} from './append-rows.ts';
import type { Rows } from './append-rows.ts';

const RECORD_BYTES = RECORD.length;
const ROUNDS = 200;
const RUNS = 1;
const WARM_UP = 20;

/**
 * Appends of one run. A single one where a device is waited for: the median over many then leaves
 * out those that met other work.
 */
const DURABLE = 1;
/** Appends of each of the callers: what is asked is what they get as long as they go on. */
const EACH = 10;
const REPLAYED_BYTES = 4 << 20;

/** A log of records of one length, for reading. */
async function filledLog(directory: string, length: number): Promise<WriteAheadLog> {
  const log = await WriteAheadLog.open(directory, { sync: 'none' });
  const record = new Uint8Array(length).fill(7);
  for (let bytes = 0; bytes < REPLAYED_BYTES; bytes += length) void log.append(record);
  await log.sync();
  return log;
}

function replay(log: WriteAheadLog): void {
  let count = 0;
  for (const entry of log.replaySync()) count += entry.sequence > 0 ? 1 : 0;
  if (count !== log.lastSequence) throw new Error('a replay gives every record');
}

async function replayLater(log: WriteAheadLog): Promise<void> {
  let count = 0;
  for await (const entries of log.replay()) count += entries.length;
  if (count !== log.lastSequence) throw new Error('a replay gives every record');
}

async function rows(next: () => string): Promise<Rows> {
  const open = (sync: SyncPolicy): Promise<WriteAheadLog> => WriteAheadLog.open(next(), { sync });
  const durable = {
    sync: await open('sync'),
    awaited: await open('sync'),
    callers: await open('sync'),
  };
  const unsynced = {
    group: await open('none'),
    now: await open('none'),
    batch: await open('batch'),
  };
  const small = await filledLog(next(), RECORD_BYTES);
  const large = await filledLog(next(), 4096);
  const smallCount = small.lastSequence;
  const largeCount = large.lastSequence;
  return {
    ...bareRows(next, DURABLE),
    sync: {
      name: 'appendSync, `sync`',
      appends: DURABLE,
      base: 'overwrite',
      run: times(DURABLE, () => void durable.sync.appendSync(RECORD)),
    },
    awaited: {
      name: 'append, `sync`, one awaited after the other',
      appends: DURABLE,
      base: 'overwrite',
      run: () => awaited(durable.awaited, DURABLE),
    },
    callers: {
      name: `append, \`sync\`, ${CALLERS} awaiting callers`,
      appends: EACH * CALLERS,
      base: 'append',
      run: () => byCallers(durable.callers, EACH),
    },
    now: {
      name: 'appendSync, `none`',
      appends: UNSYNCED,
      base: 'write',
      run: times(UNSYNCED, () => void unsynced.now.appendSync(RECORD)),
    },
    unsynced: {
      name: 'append, `none`, 1,000 a turn',
      appends: UNSYNCED,
      base: 'write',
      run: () => inGroups(unsynced.group),
    },
    batch: {
      name: 'append, `batch`, 1,000 a turn',
      appends: UNSYNCED,
      base: 'write',
      run: () => inGroups(unsynced.batch),
    },
    small: {
      name: `replaySync, ${RECORD_BYTES} bytes`,
      appends: smallCount,
      bytes: smallCount * RECORD_BYTES,
      run: () => replay(small),
    },
    smallLater: {
      name: `replay, ${RECORD_BYTES} bytes`,
      appends: smallCount,
      bytes: smallCount * RECORD_BYTES,
      run: () => replayLater(small),
    },
    large: {
      name: 'replaySync, 4 KiB',
      appends: largeCount,
      bytes: largeCount * 4096,
      run: () => replay(large),
    },
    largeLater: {
      name: 'replay, 4 KiB',
      appends: largeCount,
      bytes: largeCount * 4096,
      run: () => replayLater(large),
    },
  };
}

const { positionals } = parseArgs({ allowPositionals: true });
const [parent = tmpdir(), count = `${ROUNDS}`] = positionals;
await printAppendTable(parent, rows, { rounds: Number(count), runs: RUNS, warmUp: WARM_UP });
