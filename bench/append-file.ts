/**
 * Appending small records: the append file beside bare loops of the same system calls, in the same
 * rounds. `npm run bench:append-file`, with a directory on the disk to measure as argument.
 */

import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

import { AppendFile } from '../src/durable/append-file.ts';
import type { SyncPolicy } from '../src/durable/sync-policy.ts';
import {
  CALLERS,
  RECORD,
  UNSYNCED,
  awaited,
  bareRows,
  byCallers,
  inGroups,
  overwriter,
  printAppendTable,
  times,
} from './append-rows.ts';
import type { Rows } from './append-rows.ts';

const GROUP = new Uint8Array(CALLERS * RECORD.length).fill(7);
const ROUNDS = 40;
const RUNS = 3;
const WARM_UP = 3;
/** Appends of one run: enough to be measured, few enough that rounds alternate quickly. */
const DURABLE = 20;

function rows(next: () => string): Rows {
  const file = (sync: SyncPolicy): AppendFile =>
    AppendFile.createSync(next(), { sync, preallocateBytes: 256 << 20 });
  const durable = { sync: file('sync'), awaited: file('sync'), callers: file('sync') };
  const unsynced = { group: file('none'), one: file('none'), now: file('none') };
  const batch = { now: file('batch'), group: file('batch') };
  return {
    ...bareRows(next, DURABLE),
    group: {
      name: `bare overwrite of ${CALLERS} records at once + fdatasync`,
      appends: DURABLE * CALLERS,
      base: 'append',
      run: times(DURABLE, overwriter(next(), GROUP)),
    },
    sync: {
      name: 'appendSync, `sync`',
      appends: DURABLE,
      base: 'overwrite',
      run: times(DURABLE, () => durable.sync.appendSync(RECORD)),
    },
    awaited: {
      name: 'append, `sync`, one awaited after the other',
      appends: DURABLE,
      base: 'overwrite',
      run: () => awaited(durable.awaited, DURABLE),
    },
    callers: {
      name: `append, \`sync\`, ${CALLERS} awaiting callers`,
      appends: DURABLE * CALLERS,
      base: 'append',
      run: () => byCallers(durable.callers, DURABLE),
    },
    now: {
      name: 'appendSync, `none`',
      appends: UNSYNCED,
      base: 'write',
      run: times(UNSYNCED, () => unsynced.now.appendSync(RECORD)),
    },
    batchNow: {
      name: 'appendSync, `batch`',
      appends: UNSYNCED,
      base: 'write',
      run: times(UNSYNCED, () => batch.now.appendSync(RECORD)),
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
      run: () => inGroups(batch.group),
    },
    one: {
      name: 'append, `none`, one awaited after the other',
      appends: 100,
      base: 'write',
      run: () => awaited(unsynced.one, 100),
    },
  };
}

const [parent = tmpdir()] = parseArgs({ allowPositionals: true }).positionals;
await printAppendTable(parent, rows, { rounds: ROUNDS, runs: RUNS, warmUp: WARM_UP });
