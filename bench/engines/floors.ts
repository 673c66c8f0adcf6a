/**
 * The aims: for each row and engine, a ratio to another contestant's figure in the same round, or a
 * bound in the row's own unit.
 */

/** The engines, in the order of the table. */
export const ENGINES = ['lsm', 'bitcask', 'btree'] as const;

/** The rows of the table: what is measured. */
export type RowName =
  | 'putSync'
  | 'put'
  | 'put64'
  | 'load'
  | 'getSync'
  | 'get'
  | 'get64'
  | 'scan'
  | 'open'
  | 'crashOpen'
  | 'disk'
  | 'stall'
  | 'memory';

export interface Row {
  readonly name: RowName;
  readonly title: string;
  readonly unit: 'per second' | 'ms' | 'bytes';
  /** The contestant that engines are compared with; absent where the aim is a figure of its own. */
  readonly base?: string;
  /** For lsm, bitcask, btree: a ratio to the base (or to be at most that, in ms and bytes). */
  readonly aims: Aims;
}

type Aims = readonly [lsm: number | undefined, bitcask: number | undefined, btree: number];

/** Whoever is fastest of all others, each measured by the bare loop of its own turns. */
export const BEST_RIVAL = 'the best rival';

/** The bare loops are contestants too: their names in the rows. */
export const RAW_OVERWRITE = 'raw overwrite + fdatasync';
export const RAW_APPEND = 'raw append + fdatasync';
export const RAW_GROUP = 'raw 64 entries in one append + fdatasync';
export const RAW_PREAD = 'raw pread, warm';
export const RAW_BANDWIDTH = 'raw sequential write + fsync';

export const ROWS: readonly Row[] = [
  {
    name: 'putSync',
    title: 'durable put, blocking',
    unit: 'per second',
    base: RAW_OVERWRITE,
    aims: [0.9, 0.9, 0.8],
  },
  {
    name: 'put',
    title: 'durable put, awaited one by one',
    unit: 'per second',
    base: RAW_OVERWRITE,
    aims: [0.6, 0.6, 0.55],
  },
  {
    name: 'put64',
    title: 'durable put, 64 awaiting callers',
    unit: 'per second',
    base: RAW_APPEND,
    aims: [40, 40, 15],
  },
  {
    name: 'load',
    title: 'load, batches of 1,000, not synced',
    unit: 'per second',
    base: 'classic-level',
    aims: [1.5, 2, 0.6],
  },
  {
    name: 'getSync',
    title: 'random get, blocking, warm',
    unit: 'per second',
    base: 'lmdb',
    aims: [1.2, 1.2, 1.2],
  },
  {
    name: 'get',
    title: 'random get, awaited one by one',
    unit: 'per second',
    base: 'memory-level',
    aims: [0.8, 0.8, 0.8],
  },
  {
    name: 'get64',
    title: 'random get, 64 in flight',
    unit: 'per second',
    base: 'memory-level',
    aims: [0.8, 0.8, 0.8],
  },
  {
    name: 'scan',
    title: 'full scan in chunks of 1,000',
    unit: 'per second',
    base: 'lmdb',
    aims: [1.2, 0.5, 1.5],
  },
  { name: 'open', title: 'open after a clean close', unit: 'ms', aims: [50, 300, 50] },
  {
    name: 'crashOpen',
    title: 'open after a crash with a full log, entries of the log',
    unit: 'per second',
    aims: [800_000, 1_000_000, 500_000],
  },
  {
    name: 'disk',
    title: 'disk after load and settle',
    unit: 'bytes',
    base: 'classic-level',
    aims: [1.1, 1.4, 1.5],
  },
  { name: 'stall', title: 'slowest batch of the load', unit: 'ms', aims: [50, 50, 50] },
  {
    name: 'memory',
    title: 'peak memory at load',
    unit: 'bytes',
    base: 'lmdb',
    aims: [0.6, 0.6, 0.6],
  },
];

/** A second thing to be compared with, in a row that has one already. */
export const FURTHER_AIMS: readonly Row[] = [
  {
    name: 'put',
    title: 'the same',
    unit: 'per second',
    base: BEST_RIVAL,
    aims: [1, 1, 1],
  },
  {
    name: 'load',
    title: 'the same',
    unit: 'per second',
    base: 'lmdb',
    aims: [undefined, undefined, 1],
  },
  {
    name: 'load',
    title: 'the same',
    unit: 'per second',
    base: 'better-sqlite3',
    aims: [undefined, undefined, 1],
  },
];
