/**
 * Appends of small records beside bare loops of the same system calls, in the same rounds: the rows, the loops and
 * the table that the append file and the log share. Not here: what is appended to.
 */

import * as fs from 'node:fs';
import { join } from 'node:path';

import { describeMachine } from './machine.ts';
import { measure, speedRatio } from './rounds.ts';
import type { Contestant, Figures, RoundsOptions } from './rounds.ts';

export const RECORD: Uint8Array = new Uint8Array(100).fill(7);
export const CALLERS = 64;
/** The bare loops begin again at the front when they reach the end. */
const ZERO_FILLED_BYTES = 16 << 20;
/** Appends that wait for no device, of one run. */
export const UNSYNCED = 4000;

export interface Row {
  readonly name: string;
  readonly appends: number;
  /** Bytes of records, where a rate in bytes is asked for. */
  readonly bytes?: number;
  /** The row that it is compared with. */
  readonly base?: string;
  readonly run: () => void | Promise<void>;
}

export type Rows = Readonly<Record<string, Row>>;

/** What takes records. */
export interface Appending {
  append(record: Uint8Array): Promise<unknown>;
}

/** The bare loops, for rows that name them as their base: `append`, `overwrite` and `write`. */
export function bareRows(next: () => string, durable: number): Record<string, Row> {
  return {
    append: {
      name: 'bare append + fdatasync',
      appends: durable,
      run: times(durable, appender(next(), true)),
    },
    overwrite: {
      name: 'bare overwrite of zeros + fdatasync',
      appends: durable,
      base: 'append',
      run: times(durable, overwriter(next(), RECORD)),
    },
    write: {
      name: 'bare writeSync, never synced',
      appends: UNSYNCED,
      run: times(UNSYNCED, appender(next(), false)),
    },
  };
}

/** Writes at rising places of a zero-filled file, syncing each. */
export function overwriter(path: string, bytes: Uint8Array): () => void {
  const file = fs.openSync(path, 'w');
  fs.writeSync(file, new Uint8Array(ZERO_FILLED_BYTES));
  fs.fsyncSync(file);
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
    fs.writeSync(file, RECORD, 0, RECORD.length, position);
    if (sync) fs.fdatasyncSync(file);
    position += RECORD.length;
  };
}

export function times(count: number, call: () => void): () => void {
  return () => {
    for (let index = 0; index < count; index++) call();
  };
}

/** Appends that are under way together, a thousand at a time. */
export async function inGroups(to: Appending): Promise<void> {
  for (let done = 0; done < UNSYNCED; done += 1000) {
    for (let index = 1; index < 1000; index++) void to.append(RECORD);
    await to.append(RECORD);
  }
}

/** Appends one after the other. */
export async function awaited(to: Appending, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await to.append(RECORD);
}

/** So many callers, of whom each makes `each` appends, one after the other. */
export async function byCallers(to: Appending, each: number): Promise<void> {
  await Promise.all(Array.from({ length: CALLERS }, () => awaited(to, each)));
}

/** Measures the rows in a new directory below `parent`, and prints the table. */
export async function printAppendTable(
  parent: string,
  rowsIn: (next: () => string) => Rows | Promise<Rows>,
  options: RoundsOptions,
): Promise<void> {
  const directory = fs.mkdtempSync(join(parent, 'holdfast-bench-'));
  try {
    let files = 0;
    const rows = await rowsIn(() => join(directory, `at-${++files}`));
    const contestants: Contestant[] = Object.values(rows).map(({ name, run }) => ({ name, run }));
    const measured = await measure(contestants, options);
    const lines = tableLines(rows, measured);
    const { rounds, runs } = options;
    const head = `${describeMachine(parent)}; ${rounds} rounds of ${runs}, ${RECORD.length} bytes`;
    process.stdout.write(
      [head, '', '| | records/s | ratio |', '|---|---|---|', ...lines, ''].join('\n'),
    );
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function tableLines(rows: Rows, measured: readonly Figures[]): string[] {
  const keys = Object.keys(rows);
  const perAppend = (key: string): Figures => {
    const { appends } = rows[key]!;
    const { name, medianMs, roundsMs } = measured[keys.indexOf(key)]!;
    return { name, medianMs: medianMs / appends, roundsMs: roundsMs.map((ms) => ms / appends) };
  };
  return Object.entries(rows).map(([key, { name, base, appends, bytes }]) => {
    const figures = perAppend(key);
    const rate = Math.round(1000 / figures.medianMs).toLocaleString('en');
    const ratio = base === undefined ? '' : speedRatio(figures, perAppend(base)).toFixed(2);
    const against = base === undefined ? '' : ` × ${rows[base]?.name ?? ''}`;
    const megabytes = Math.round(((bytes ?? 0) / appends) * (1e-3 / figures.medianMs));
    const last = bytes === undefined ? `${ratio}${against}` : `${megabytes} MB/s`;
    return `| ${name} | ${rate} | ${last} |`;
  });
}
