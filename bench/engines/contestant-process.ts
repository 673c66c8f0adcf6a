/**
 * One contestant in a process of its own, so that its heap, its threads and its peak of memory are
 * its own. It does one task at a time, when it is asked to, and answers with what that took.
 */

import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { Prng } from '../../src/base/prng.ts';
import { contestantNamed } from './contestants.ts';
import { RawLimits } from './raw-limits.ts';
import type { OpenStore, StoreContestant } from './store-contestant.ts';
import type { Answer, Setting, Task } from './tasks.ts';
import { directoryBytes } from './directory-bytes.ts';
import { Workload } from './workload.ts';

/** A store is at rest when its files and its use of the processor have kept still for so long. */
const QUIET_MS = 2000;
const QUIET_STEP_MS = 250;
const SETTLE_MAX_MS = 120_000;
/** The answer of a store that has no such call. */
const ABSENT: Answer = { ms: 0, count: 0, absent: true };

class ContestantProcess {
  readonly #setting: Setting;
  readonly #workload: Workload;
  readonly #contestant: StoreContestant | undefined;
  #store: OpenStore | undefined;
  #raw: RawLimits | undefined;

  constructor(setting: Setting, contestant: StoreContestant | undefined) {
    this.#setting = setting;
    this.#workload = new Workload(setting.valueBytes);
    this.#contestant = contestant;
  }

  async do(task: Task): Promise<Answer> {
    switch (task.do) {
      case 'open':
        return this.#open(task.use);
      case 'load':
        return this.#load(task);
      case 'settle':
        return this.#settle();
      case 'put-sync':
        return this.#putSync(task.from, task.count);
      case 'put':
        return this.#put(task);
      case 'get-sync':
        return this.#getSync(task);
      case 'get':
        return this.#get(task);
      case 'scan':
        return this.#scan();
      case 'close':
        return this.#close();
      case 'raw':
        this.#raw ??= new RawLimits(this.#setting.directory);
        return this.#rawCalls(this.#raw, task);
      default:
        throw new Error(`no such task: ${JSON.stringify(task)}`);
    }
  }

  get #opened(): OpenStore {
    if (this.#store === undefined) throw new Error('the store is not open');
    return this.#store;
  }

  async #open(use: 'load' | 'serve'): Promise<Answer> {
    if (this.#contestant === undefined) throw new Error(`${this.#setting.contestant} has no store`);
    const start = performance.now();
    this.#store = await this.#contestant.open(this.#setting.directory, use);
    return { ms: performance.now() - start, count: 1 };
  }

  async #load(task: { from: number; entries: number; batch: number }): Promise<Answer> {
    const store = this.#opened;
    let ms = 0;
    let worstMs = 0;
    for (let done = 0; done < task.entries; done += task.batch) {
      const count = Math.min(task.batch, task.entries - done);
      const entries = this.#workload.entries(task.from + done, count);
      const start = performance.now();
      await store.load(entries);
      const took = performance.now() - start;
      ms += took;
      worstMs = Math.max(worstMs, took);
    }
    return { ms, count: task.entries, worstMs, peakBytes: process.resourceUsage().maxRSS * 1024 };
  }

  async #settle(): Promise<Answer> {
    const start = performance.now();
    let quietSince = start;
    let bytes = -1;
    let cpu = process.cpuUsage();
    while (performance.now() - quietSince < QUIET_MS && performance.now() - start < SETTLE_MAX_MS) {
      await delay(QUIET_STEP_MS);
      const used = process.cpuUsage(cpu);
      const now = directoryBytes(this.#setting.directory);
      if (now !== bytes || (used.user + used.system) / 1000 > QUIET_STEP_MS / 5) {
        quietSince = performance.now();
      }
      bytes = now;
      cpu = process.cpuUsage();
    }
    return { ms: performance.now() - start, count: 1 };
  }

  #putSync(from: number, count: number): Answer {
    const { putSync } = this.#opened;
    if (putSync === undefined) return ABSENT;
    const entries = this.#workload.entries(from, count);
    let worstMs = 0;
    const start = performance.now();
    for (const [key, value] of entries) {
      const before = performance.now();
      putSync(key, value);
      worstMs = Math.max(worstMs, performance.now() - before);
    }
    return { ms: performance.now() - start, count, worstMs };
  }

  async #put(task: { from: number; count: number; callers: number }): Promise<Answer> {
    const { put } = this.#opened;
    if (put === undefined) return ABSENT;
    const entries = this.#workload.entries(task.from, task.count);
    const start = performance.now();
    await inCallers(task.callers, entries, ([key, value]) => put(key, value));
    return { ms: performance.now() - start, count: task.count };
  }

  #keys(task: { entries: number; count: number; seed: number }): Buffer[] {
    const random = new Prng(task.seed);
    return Array.from({ length: task.count }, () => this.#workload.key(random.below(task.entries)));
  }

  #getSync(task: { entries: number; count: number; seed: number }): Answer {
    const { getSync } = this.#opened;
    if (getSync === undefined) return ABSENT;
    const keys = this.#keys(task);
    let bytes = 0;
    const start = performance.now();
    for (const key of keys) bytes += getSync(key)?.length ?? 0;
    const ms = performance.now() - start;
    this.#expectValues(bytes, task.count);
    return { ms, count: task.count };
  }

  async #get(task: {
    entries: number;
    count: number;
    callers: number;
    seed: number;
  }): Promise<Answer> {
    const { get } = this.#opened;
    if (get === undefined) return ABSENT;
    const keys = this.#keys(task);
    let bytes = 0;
    const start = performance.now();
    await inCallers(task.callers, keys, async (key) => {
      const value = await get(key);
      bytes += value?.length ?? 0;
    });
    const ms = performance.now() - start;
    this.#expectValues(bytes, task.count);
    return { ms, count: task.count };
  }

  /** A figure of reads that found nothing would be worth nothing. */
  #expectValues(bytes: number, count: number): void {
    if (bytes !== count * this.#setting.valueBytes) throw new Error('a key was not found');
  }

  async #scan(): Promise<Answer> {
    const start = performance.now();
    const count = await this.#opened.scan();
    return { ms: performance.now() - start, count };
  }

  async #close(): Promise<Answer> {
    const start = performance.now();
    await this.#store?.close();
    this.#store = undefined;
    this.#raw?.close();
    return { ms: performance.now() - start, count: 1 };
  }

  #rawCalls(raw: RawLimits, task: Extract<Task, { do: 'raw' }>): Answer {
    const start = performance.now();
    const count = raw.run(task.call, task.count);
    return { ms: performance.now() - start, count };
  }
}

/** Runs `each` over the items by so many callers, who take the next item when they are done. */
async function inCallers<T>(
  callers: number,
  items: readonly T[],
  each: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < items.length) await each(items[next++]!);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

async function main(): Promise<void> {
  const setting = JSON.parse(process.argv[2] ?? '') as Setting;
  const contestant =
    setting.contestant === 'raw' ? undefined : await contestantNamed(setting.contestant);
  const worker = new ContestantProcess(setting, contestant);
  process.on('message', (task: Task) => {
    worker.do(task).then(
      (answer) => process.send?.(answer),
      (error: unknown) =>
        process.send?.({ ms: 0, count: 0, error: String(error) } satisfies Answer),
    );
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ ms: 0, count: 0 } satisfies Answer);
}

await main();
