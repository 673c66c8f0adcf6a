/**
 * The write-ahead log: appends beside bare loops of the same system calls in the same rounds, and
 * replay. `npm run bench:wal`, with a directory on the disk to measure as argument.
 */

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { SyncPolicy } from '../src/durable/sync-policy.ts';
import { WriteAheadLog } from '../src/wal/write-ahead-log.ts';
import { describeMachine } from './machine.ts';
import { measure, speedRatio } from './rounds.ts';
import type { Contestant, Figures } from './rounds.ts';

const RECORD = new Uint8Array(100).fill(7);
const RECORD_BYTES = RECORD.length;
const CALLERS = 64;
/** The bare loops begin again at the front when they reach the end. */
const ZERO_FILLED_BYTES = 16 << 20;
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
const UNSYNCED = 4000;
const REPLAYED_BYTES = 4 << 20;

interface Row {
  readonly name: string;
  readonly appends: number;
  /** Bytes of records, where a rate in bytes is asked for. */
  readonly bytes?: number;
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

async function rows(directory: string): Promise<Readonly<Record<string, Row>>> {
  let files = 0;
  const next = (): string => join(directory, `at-${++files}`);
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
  const inGroups = async (log: WriteAheadLog): Promise<void> => {
    for (let done = 0; done < UNSYNCED; done += 1000) {
      for (let index = 1; index < 1000; index++) void log.append(RECORD);
      await log.append(RECORD);
    }
  };
  const awaited = async (log: WriteAheadLog, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) await log.append(RECORD);
  };
  const smallCount = small.lastSequence;
  const largeCount = large.lastSequence;
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
      run: async () => {
        await Promise.all(Array.from({ length: CALLERS }, () => awaited(durable.callers, EACH)));
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

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [parent = tmpdir(), roundsText = `${ROUNDS}`] = positionals;
  const directory = fs.mkdtempSync(join(parent, 'holdfast-bench-'));
  try {
    const named = await rows(directory);
    const contestants: Contestant[] = Object.values(named).map(({ name, run }) => ({ name, run }));
    const all = await measure(contestants, {
      rounds: Number(roundsText),
      runs: RUNS,
      warmUp: WARM_UP,
    });
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
    const lines = Object.entries(named).map(([key, { name, base, appends, bytes }]) => {
      const figures = perAppend(key);
      const rate = Math.round(1000 / figures.medianMs).toLocaleString('en');
      const ratio = base === undefined ? '' : speedRatio(figures, perAppend(base)).toFixed(2);
      const against = base === undefined ? '' : ` × ${named[base]?.name ?? ''}`;
      const megabytes = Math.round(((bytes ?? 0) / appends) * (1e-3 / figures.medianMs));
      const last = bytes === undefined ? `${ratio}${against}` : `${megabytes} MB/s`;
      return `| ${name} | ${rate} | ${last} |`;
    });
    const head = `${describeMachine(parent)}; ${roundsText} rounds of ${RUNS}, ${RECORD_BYTES} bytes`;
    process.stdout.write(
      [head, '', '| | records/s | ratio |', '|---|---|---|', ...lines, ''].join('\n'),
    );
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

await main();
