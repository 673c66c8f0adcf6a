/**
 * Appending small records: the append file beside bare loops of the same system calls, in the same
 * rounds. `npm run bench:append-file`, with a directory on the disk to measure as argument.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { AppendFile } from '../src/durable/append-file.ts';
import type { SyncPolicy } from '../src/durable/sync-policy.ts';
import { describeMachine } from './machine.ts';
import { measure, speedRatio } from './rounds.ts';
import type { Contestant, Figures } from './rounds.ts';

const RECORD = new Uint8Array(100).fill(7);
const RECORD_BYTES = RECORD.length;
const CALLERS = 64;
const GROUP = new Uint8Array(CALLERS * RECORD_BYTES).fill(7);
/** The bare loops begin again at the front when they reach the end. */
const ZERO_FILLED_BYTES = 16 << 20;
const ROUNDS = 40;
const RUNS = 3;
const WARM_UP = 3;

/** Appends of one run: enough to be measured, few enough that rounds alternate quickly. */
const DURABLE = 20;
const UNSYNCED = 4000;

interface Row {
  readonly name: string;
  readonly appends: number;
  /** The row that it is compared with. */
  readonly base?: string;
  readonly run: () => void | Promise<void>;
}

function zeroFilled(path: string): number {
  const file = fs.openSync(path, 'w');
  fs.writeSync(file, new Uint8Array(ZERO_FILLED_BYTES));
  fs.fsyncSync(file);
  return file;
}

/** Writes at rising places of a zero-filled file, syncing each. */
function overwriter(path: string, bytes: Uint8Array): () => void {
  const file = zeroFilled(path);
  let position = 0;
  return () => {
    if (position + bytes.length > ZERO_FILLED_BYTES) position = 0;
    fs.writeSync(file, bytes, 0, bytes.length, position);
    fs.fdatasyncSync(file);
    position += bytes.length;
  };
}

/** Writes at the end of a growing file. */
function appender(path: string, sync: boolean): () => void {
  const file = fs.openSync(path, 'w');
  let position = 0;
  return () => {
    fs.writeSync(file, RECORD, 0, RECORD_BYTES, position);
    if (sync) fs.fdatasyncSync(file);
    position += RECORD_BYTES;
  };
}

function times(count: number, call: () => void): () => void {
  return () => {
    for (let index = 0; index < count; index++) call();
  };
}

function rows(directory: string): Readonly<Record<string, Row>> {
  let files = 0;
  const next = (): string => join(directory, `file-${++files}`);
  const file = (sync: SyncPolicy): AppendFile =>
    AppendFile.createSync(next(), { sync, preallocateBytes: 256 << 20 });
  const durable = { sync: file('sync'), awaited: file('sync'), callers: file('sync') };
  const unsynced = { group: file('none'), one: file('none'), now: file('none') };
  const batch = { now: file('batch'), group: file('batch') };
  const inGroups = async (to: AppendFile): Promise<void> => {
    for (let done = 0; done < UNSYNCED; done += 1000) {
      for (let index = 1; index < 1000; index++) void to.append(RECORD);
      await to.append(RECORD);
    }
  };
  const awaited = async (to: AppendFile, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) await to.append(RECORD);
  };
  return {
    append: {
      name: 'bare append + fdatasync',
      appends: DURABLE,
      run: times(DURABLE, appender(next(), true)),
    },
    overwrite: {
      name: 'bare overwrite of zeros + fdatasync',
      appends: DURABLE,
      base: 'append',
      run: times(DURABLE, overwriter(next(), RECORD)),
    },
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
      run: async () => {
        await Promise.all(Array.from({ length: CALLERS }, () => awaited(durable.callers, DURABLE)));
      },
    },
    write: {
      name: 'bare writeSync, never synced',
      appends: UNSYNCED,
      run: times(UNSYNCED, appender(next(), false)),
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

async function main(): Promise<void> {
  const [parent = tmpdir()] = parseArgs({ allowPositionals: true }).positionals;
  const directory = fs.mkdtempSync(join(parent, 'holdfast-bench-'));
  try {
    const named = rows(directory);
    const contestants: Contestant[] = Object.values(named).map(({ name, run }) => ({ name, run }));
    const all = await measure(contestants, { rounds: ROUNDS, runs: RUNS, warmUp: WARM_UP });
    const of = (key: string): Figures => all[Object.keys(named).indexOf(key)]!;
    const perAppend = (key: string): Figures => {
      const appends = named[key]!.appends;
      const { name, medianMs, roundsMs } = of(key);
      return {
        name,
        medianMs: medianMs / appends,
        roundsMs: roundsMs.map((ms) => ms / appends),
      };
    };
    const lines = Object.entries(named).map(([key, { name, base }]) => {
      const figures = perAppend(key);
      const rate = Math.round(1000 / figures.medianMs).toLocaleString('en');
      const ratio = base === undefined ? '' : speedRatio(figures, perAppend(base)).toFixed(2);
      const against = base === undefined ? '' : ` × ${named[base]?.name ?? ''}`;
      return `| ${name} | ${rate} | ${ratio}${against} |`;
    });
    const head = `${describeMachine(parent)}; ${ROUNDS} rounds of ${RUNS}, ${RECORD_BYTES} bytes`;
    process.stdout.write(
      [head, '', '| | appends/s | ratio |', '|---|---|---|', ...lines, ''].join('\n'),
    );
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

await main();
