/**
 * One run over all contestants: load, size, open, reads, durable puts, and opening after a crash,
 * interleaved in rounds, each contestant in a process of its own and never two at work at once.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Prng } from '../../src/base/prng.ts';
import { ContestantHandle } from './contestant-handle.ts';
import { directoryBytes } from './directory-bytes.ts';
import { Figures } from './figures.ts';
import { RAW_APPEND, RAW_BANDWIDTH, RAW_GROUP, RAW_OVERWRITE, RAW_PREAD } from './floors.ts';
import type { StoreContestant } from './store-contestant.ts';
import type { Answer, RawCall, Task } from './tasks.ts';

/** How much of everything. */
export interface RunSize {
  readonly entries: number;
  readonly valueBytes: number;
  /** Rounds of loads, of reads, of durable puts one by one, and of those by many callers. */
  readonly loads: number;
  readonly reads: number;
  readonly singles: number;
  readonly callers: number;
}

const BATCH = 1000;
const CALLERS = 64;
/** Operations of one contestant in one turn, and of the bare loop before it: a device is another one a second later. */
const DURABLE_PUTS = 120;
const LIMIT_PUTS = 120;
/** So many over all rounds that the B+tree makes two checkpoints. */
const CALLERS_PUTS = 64 * 240;
/**
 * Before anything is measured: code that runs for the first time is not what is compared, nor caches
 * that are not filled.
 */
const WARM_PUTS = 64 * 120;
const WARM_SINGLES = 1500;
const WARM_GETS = 150_000;
const SYNC_GETS = 50_000;
const AWAITED_GETS = 10_000;
const FLIGHT_GETS = 20_000;
/** Turns of gets in a round, and of opens. */
const GET_TURNS = 3;
const OPENS = 3;
const BANDWIDTH_MIB = 64;
const BANDWIDTH_ROUNDS = 3;
/** About what fills the log of each engine before it is flushed or checkpointed, in entries. */
const CRASH_ENTRIES: Readonly<Record<string, number>> = {
  'holdfast lsm': 25_000,
  'holdfast bitcask': 1_000_000,
  'holdfast btree': 100_000,
};

export class EngineRun {
  readonly figures: Figures = new Figures();
  readonly #contestants: readonly StoreContestant[];
  readonly #size: RunSize;
  readonly #directory: string;
  readonly #tell: (line: string) => void;
  readonly #random: Prng = new Prng(1);
  readonly #open = new Map<string, ContestantHandle>();
  /** What the next durable put of a contestant writes: new keys, after those of the load. */
  readonly #next = new Map<string, number>();

  constructor(
    contestants: readonly StoreContestant[],
    size: RunSize,
    directory: string,
    tell: (line: string) => void,
  ) {
    this.#contestants = contestants;
    this.#size = size;
    this.#directory = directory;
    this.#tell = tell;
  }

  async run(): Promise<void> {
    try {
      for (let round = 0; round < this.#size.loads; round++) await this.#loadRound(round);
      await this.#openRounds();
      await this.#crashRounds();
      await this.#begin();
      for (let round = 0; round < this.#size.reads; round++) await this.#readRound(round);
      for (let round = 0; round < this.#size.singles; round++) await this.#singleRound(round);
      for (let round = 0; round < this.#size.callers; round++) await this.#callersRound(round);
    } finally {
      await Promise.all([...this.#open.values()].map((handle) => handle.kill()));
    }
  }

  #place(contestant: string): string {
    return join(this.#directory, contestant.replaceAll(/[^a-z0-9-]/g, '_'));
  }

  async #start(contestant: string, directory: string): Promise<ContestantHandle> {
    const handle = await ContestantHandle.start({
      contestant,
      directory,
      valueBytes: this.#size.valueBytes,
    });
    this.#open.set(`${contestant} ${directory}`, handle);
    return handle;
  }

  #shuffled(): readonly StoreContestant[] {
    const left = [...this.#contestants];
    const order: StoreContestant[] = [];
    while (left.length > 0) order.push(...left.splice(this.#random.below(left.length), 1));
    return order;
  }

  async #loadRound(round: number): Promise<void> {
    for (const { name, durable } of this.#shuffled()) {
      const place = this.#place(name);
      rmSync(place, { recursive: true, force: true });
      const process = await this.#start(name, place);
      await process.do({ do: 'open', use: 'load' });
      const { entries } = this.#size;
      const load = await process.do({ do: 'load', from: 0, entries, batch: BATCH });
      this.#tell(`load ${round + 1}/${this.#size.loads} ${name}: ${rate(load)}/s`);
      this.figures.note('load', name, round, perSecond(load));
      this.figures.note('stall', name, round, load.worstMs ?? 0);
      this.figures.note('memory', name, round, load.peakBytes ?? 0);
      if (durable) await process.do({ do: 'settle' });
      await process.end();
      if (durable) this.figures.note('disk', name, round, directoryBytes(place));
    }
  }

  async #openRounds(): Promise<void> {
    for (let round = 0; round < this.#size.reads * OPENS; round++) {
      for (const { name, durable } of this.#shuffled()) {
        if (!durable) continue;
        const process = await this.#start(name, this.#place(name));
        const answer = await process.do({ do: 'open', use: 'serve' });
        this.figures.note('open', name, round, answer.ms);
        await process.end();
      }
    }
    this.#tell('opened after a clean close');
  }

  /** A store whose program was killed with a log as full as it gets; the copy is a fresh one each time. */
  async #crashRounds(): Promise<void> {
    for (let round = 0; round < Math.min(3, this.#size.reads); round++) {
      for (const { name } of this.#shuffled()) {
        const entries = CRASH_ENTRIES[name];
        if (entries === undefined) continue;
        const place = this.#place(`${name} crashed`);
        rmSync(place, { recursive: true, force: true });
        const first = await this.#start(name, place);
        await first.do({ do: 'open', use: 'load' });
        await first.do({ do: 'load', from: 0, entries, batch: BATCH });
        await first.kill();
        const second = await this.#start(name, place);
        const answer = await second.do({ do: 'open', use: 'serve' });
        this.figures.note('crashOpen', name, round, (entries / answer.ms) * 1000);
        await second.end();
        rmSync(place, { recursive: true, force: true });
      }
    }
    this.#tell('opened after a crash');
  }

  /** Every contestant open on its loaded store, and the caches warm. */
  async #begin(): Promise<void> {
    const raw = this.#place('raw');
    mkdirSync(raw, { recursive: true });
    await this.#start('raw', raw);
    const { entries } = this.#size;
    for (const { name, durable } of this.#contestants) {
      const process = await this.#start(name, this.#place(name));
      await process.do({ do: 'open', use: 'serve' });
      // What keeps nothing has to be loaded again.
      if (!durable) await process.do({ do: 'load', from: 0, entries, batch: BATCH });
      await process.do({ do: 'scan' });
      await this.#try(name, { do: 'get-sync', entries, count: WARM_GETS, seed: 99 });
      this.#next.set(name, entries);
      if (!durable) continue;
      await this.#puts(name, { do: 'put', from: 0, count: WARM_PUTS, callers: CALLERS });
      await this.#puts(name, { do: 'put', from: 0, count: WARM_SINGLES, callers: 1 });
      await this.#puts(name, { do: 'put-sync', from: 0, count: WARM_SINGLES });
    }
    this.#tell('every store open and warm');
  }

  async #readRound(round: number): Promise<void> {
    await this.#limit(RAW_PREAD, 'pread', round, SYNC_GETS);
    for (let turn = round * GET_TURNS; turn < (round + 1) * GET_TURNS; turn++) {
      for (const { name } of this.#shuffled()) await this.#gets(name, turn);
    }
    for (const { name } of this.#shuffled()) {
      const scan = await this.#handle(name).do({ do: 'scan' });
      this.figures.note('scan', name, round, perSecond(scan));
    }
    this.#tell(`reads ${round + 1}/${this.#size.reads}`);
  }

  async #gets(name: string, turn: number): Promise<void> {
    const { entries } = this.#size;
    const seed = turn + 1;
    const sync = await this.#try(name, { do: 'get-sync', entries, count: SYNC_GETS, seed });
    if (sync !== undefined) this.figures.note('getSync', name, turn, perSecond(sync));
    const get = { do: 'get', entries, count: AWAITED_GETS, seed, callers: 1 } as const;
    const one = await this.#try(name, get);
    if (one !== undefined) this.figures.note('get', name, turn, perSecond(one));
    const many = await this.#try(name, { ...get, count: FLIGHT_GETS, callers: CALLERS });
    if (many !== undefined) this.figures.note('get64', name, turn, perSecond(many));
  }

  /** Durable puts, one after the other, each contestant right behind the bare loop that it is compared with. */
  async #singleRound(round: number): Promise<void> {
    for (const [each, name] of this.#turns(round)) {
      let turn = 2 * each;
      await this.#limit(RAW_OVERWRITE, 'overwrite', turn);
      const sync = await this.#puts(name, { do: 'put-sync', from: 0, count: DURABLE_PUTS });
      if (sync !== undefined) this.figures.note('putSync', name, turn, perSecond(sync));
      turn++;
      await this.#limit(RAW_OVERWRITE, 'overwrite', turn);
      const put = { do: 'put', from: 0, count: DURABLE_PUTS, callers: 1 } as const;
      const one = await this.#puts(name, put);
      if (one !== undefined) this.figures.note('put', name, turn, perSecond(one));
    }
    this.#tell(`durable puts ${round + 1}/${this.#size.singles}`);
  }

  /** Durable puts by many callers, in the same way. */
  async #callersRound(round: number): Promise<void> {
    if (round < BANDWIDTH_ROUNDS)
      await this.#limit(RAW_BANDWIDTH, 'bandwidth', round, BANDWIDTH_MIB);
    for (const [turn, name] of this.#turns(round)) {
      await this.#limit(RAW_APPEND, 'append', turn);
      await this.#limit(RAW_GROUP, 'group', turn);
      const put = { do: 'put', from: 0, count: CALLERS_PUTS, callers: CALLERS } as const;
      const many = await this.#puts(name, put);
      if (many !== undefined) this.figures.note('put64', name, turn, perSecond(many));
    }
    this.#tell(`durable puts by ${CALLERS} callers ${round + 1}/${this.#size.callers}`);
  }

  /** The durable contestants in a new order, each with a number of its own: a turn has its own bare loops. */
  #turns(round: number): readonly (readonly [turn: number, name: string])[] {
    const order = this.#shuffled().filter(({ durable }) => durable);
    return order.map(({ name }, place) => [round * order.length + place, name]);
  }

  async #limit(
    name: string,
    call: RawCall,
    turn: number,
    count: number = LIMIT_PUTS,
  ): Promise<void> {
    const answer = await this.#handle('raw').do({ do: 'raw', call, count });
    this.figures.note('limit', name, turn, perSecond(answer));
  }

  #handle(name: string): ContestantHandle {
    const handle = this.#open.get(`${name} ${this.#place(name)}`);
    if (handle === undefined) throw new Error(`${name} is not open`);
    return handle;
  }

  /** Puts of keys that the store does not have yet. */
  async #puts(
    name: string,
    task: Extract<Task, { from: number; count: number }>,
  ): Promise<Answer | undefined> {
    const from = this.#next.get(name) ?? 0;
    this.#next.set(name, from + task.count);
    return this.#try(name, { ...task, from });
  }

  /** A task, where the store has a call for it. */
  async #try(name: string, task: Task): Promise<Answer | undefined> {
    const answer = await this.#handle(name).do(task);
    return answer.absent === true ? undefined : answer;
  }
}

function perSecond({ count, ms }: Answer): number {
  return (count / ms) * 1000;
}

function rate(answer: Answer): string {
  return Math.round(perSecond(answer)).toLocaleString('en');
}
