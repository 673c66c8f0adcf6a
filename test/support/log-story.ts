/**
 * A program that uses a write-ahead log and says everything it is promised, as marks (`promise-oracle.ts`). Each time
 * it opens the log it reads all of it and throws when a promise is broken: it is workload, recovery and check in one.
 */

import assert from 'node:assert/strict';

import { CorruptionError, FileChangeError } from '../../src/base/errors.ts';
import { PoisonedError } from '../../src/durable/poison.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import type { WalEntry } from '../../src/wal/wal-entry.ts';
import type { WalOptions } from '../../src/wal/wal-options.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';
import { aloneWith } from './alone-options.ts';
import { KillableVfs } from './killable-vfs.ts';
import { countOf, labelOf, operationsOf } from './log-commit.ts';
import { ManualClock } from './manual-clock.ts';
import { demandsOf, judgeLog, type Demands } from './promise-oracle.ts';

/** Where the log is, unless the story says otherwise. */
const DIRECTORY = '/log';

export interface StoryOptions extends Pick<WalOptions, 'sync' | 'segmentBytes' | 'preallocate'> {
  /** Records of the window of policy `batch`. */
  readonly window?: number;
  readonly platform?: 'linux' | 'darwin';
  readonly directory?: string;
  /** The power never failed: everything that resolved is there, under whichever policy. Default: false. */
  readonly powered?: boolean;
  /** Calls may fail: what a failure means is taken as a user would take it. Otherwise every failure is thrown. */
  readonly faults?: boolean;
}

export class LogStory {
  readonly clock: ManualClock = new ManualClock();
  readonly #vfs: Vfs;
  readonly #options: StoryOptions;
  readonly #tell: (text: string) => void;
  readonly #marks: string[];
  /** Labels that were issued and not refused, with their last sequence number once that is known. */
  readonly #sequences = new Map<string, number | null>();
  /** Those that resolved under `batch`, in commit order, for its window. */
  #inWindow: string[] = [];
  #process: KillableVfs;
  #log: WriteAheadLog | null = null;
  #generation = 0;
  #names = 0;
  #closed = false;

  /** `marks`: what had been said before. */
  constructor(
    vfs: Vfs,
    mark: (text: string) => void,
    options: StoryOptions = {},
    marks: readonly string[] = [],
  ) {
    this.#vfs = vfs;
    this.#tell = mark;
    this.#options = options;
    this.#marks = [...marks];
    this.#process = new KillableVfs(vfs);
    this.#generation = marks.filter((text) => text.startsWith('opened')).length;
    if (options.faults === true && marks.length === 0) this.#mark('faults');
  }

  get log(): WriteAheadLog {
    if (this.#log === null) throw new Error('the story has no open log');
    return this.#log;
  }

  /** Opens the log, reads all of it and judges it. */
  async open(): Promise<void> {
    const { log, entries } = await this.#again(async () => {
      const opened = await WriteAheadLog.open(this.#directory, this.#walOptions());
      const found: WalEntry[] = [];
      for await (const some of opened.replay(opened.firstSequence - 1)) found.push(...some);
      return { log: opened, entries: found };
    });
    this.#opened(log, entries);
  }

  /** A process that makes the directory of the log and is killed before it can do anything else. */
  async dieInFirstOpen(): Promise<void> {
    void this.open();
    const isThere = (): boolean => {
      const name = this.#directory.slice(1);
      return this.#vfs.readDirectorySync('/').some((entry) => entry.name === name);
    };
    for (let turn = 0; turn < 1000 && !isThere(); turn++) await Promise.resolve();
    assert.ok(isThere(), 'the directory has been made');
    this.kill();
  }

  openSync(): void {
    const log = WriteAheadLog.openSync(this.#directory, this.#walOptions());
    this.#opened(log, [...log.replaySync(log.firstSequence - 1)]);
  }

  /** One commit; resolves when it is settled, also when it was refused. Of kind `'w'` it is a piece of a log. */
  async append(
    policy: SyncPolicy = 'sync',
    count: number = 1,
    size: number = 4,
    kind: '' | 'w' = '',
  ): Promise<void> {
    const by = this.#process;
    const label = this.#issue(`${count}x${size}${kind}`);
    const operations = operationsOf(label);
    const [single, ...others] = operations;
    try {
      const sequence =
        single !== undefined && others.length === 0
          ? await this.log.append(single, policy)
          : await this.log.appendBatch(operations, policy);
      this.#resolved(label, policy, sequence, by);
    } catch (error) {
      this.#rejected(label, error, by);
    }
  }

  appendSync(
    policy: SyncPolicy = 'sync',
    count: number = 1,
    size: number = 4,
    kind: '' | 'w' = '',
  ): void {
    const by = this.#process;
    const label = this.#issue(`${count}x${size}${kind}`);
    const operations = operationsOf(label);
    const [single, ...others] = operations;
    try {
      const sequence =
        single !== undefined && others.length === 0
          ? this.log.appendSync(single, policy)
          : this.log.appendBatchSync(operations, policy);
      this.#resolved(label, policy, sequence, by);
    } catch (error) {
      this.#rejected(label, error, by);
    }
  }

  /** A checkpoint that says that nothing up to the last commit is needed. */
  async checkpoint(): Promise<void> {
    const upTo = this.log.lastSequence;
    const by = this.#process;
    const label = this.#issue(`upto${upTo}`);
    try {
      const sequence = await this.log.checkpoint(upTo, Buffer.from(label, 'latin1'));
      this.#resolved(label, 'sync', sequence, by);
    } catch (error) {
      this.#rejected(label, error, by);
    }
  }

  async sync(): Promise<void> {
    const before = this.#issued;
    if (await this.#attempt(() => this.log.sync())) this.#durable(before);
  }

  syncSync(): void {
    const before = this.#issued;
    try {
      this.log.syncSync();
      this.#durable(before);
    } catch (error) {
      this.#expect(error);
    }
  }

  async rotate(): Promise<void> {
    const before = this.#issued;
    if (await this.#attempt(() => this.log.rotate())) this.#durable(before);
  }

  /** Lets the log go up to this sequence number, by default all of it. */
  async truncate(upTo: number = this.log.lastSequence): Promise<void> {
    const { chain } = this.#demands;
    this.#mark(`removing ${chain.filter((label) => this.#sequenceOf(label) <= upTo).length}`);
    if (!(await this.#attempt(() => this.log.truncate(upTo)))) return;
    const { firstSequence } = this.log;
    const gone = chain.filter((label) => this.#sequenceOf(label) < firstSequence).length;
    this.#mark(`removed ${gone}`);
  }

  async close(): Promise<void> {
    const before = this.#issued;
    if (!(await this.#attempt(() => this.log.close()))) return;
    this.#durable(before);
    this.#closed = true;
  }

  closeSync(): void {
    const before = this.#issued;
    try {
      this.log.closeSync();
      this.#durable(before);
      this.#closed = true;
    } catch (error) {
      this.#expect(error);
    }
  }

  /** Reads behind a sequence number in both ways. @throws Error unless it is what was appended, and all of it */
  async readBack(after: number): Promise<void> {
    const wanted = [...this.#sequences].filter(([, sequence]) => (sequence ?? 0) > after);
    const now = [...this.log.replaySync(after)];
    const later: WalEntry[] = [];
    for await (const some of this.log.replay(after)) later.push(...some);
    for (const found of [now, later]) {
      const labels = found.map((entry) => `${labelOf(entry)} ${entry.sequence}`);
      assert.deepEqual(
        labels,
        wanted.map(([label, sequence]) => `${label} ${sequence}`),
      );
    }
  }

  /** Nothing that the process asks for from now on is done. What it wrote stays with the system. */
  kill(): void {
    this.#process.kill();
    this.#process = new KillableVfs(this.#vfs);
    this.#log = null;
  }

  /** After a failure that ended writing: another process opens the log. */
  async heal(): Promise<void> {
    if (this.#log !== null && !this.#log.poisoned) return;
    this.kill();
    await this.open();
  }

  /** Time passes: windows of policy `batch` close, and an idle log gets its watermark. */
  async pass(ms: number): Promise<void> {
    this.clock.pass(ms);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  get #directory(): string {
    return this.#options.directory ?? DIRECTORY;
  }

  get #demands(): Demands {
    return demandsOf(this.#marks);
  }

  get #issued(): string[] {
    return [...this.#sequences.keys()];
  }

  #walOptions(): WalOptions {
    const { sync, segmentBytes, preallocate = false, window, platform = 'linux' } = this.#options;
    return {
      ...aloneWith(this.#process, { clock: this.clock, platform }),
      preallocate,
      ...(sync === undefined ? {} : { sync }),
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      ...(window === undefined ? {} : { batch: { records: window } }),
    };
  }

  #mark(text: string): void {
    this.#marks.push(text);
    this.#tell(text);
  }

  #issue(shape: string): string {
    const label = `${this.#generation}.${this.#names++}:${shape}`;
    this.#sequences.set(label, null);
    this.#mark(`issue ${label}`);
    return label;
  }

  #resolved(label: string, policy: SyncPolicy, sequence: number, by: KillableVfs): void {
    // Whom it was told to is dead.
    if (by !== this.#process) return;
    this.#sequences.set(label, sequence);
    this.#mark(`kept ${label} ${sequence}`);
    if (policy === 'sync') this.#mark(`durable ${label}`);
    if (policy !== 'batch' || this.#options.window === undefined) return;
    this.#inWindow.push(label);
    const durable = this.#inWindow.at(-this.#options.window);
    if (durable !== undefined) this.#mark(`durable ${durable}`);
  }

  #rejected(label: string, error: unknown, by: KillableVfs): void {
    if (by !== this.#process) return;
    this.#expect(error);
    const told = error instanceof FileChangeError || error instanceof PoisonedError;
    if (!told || error.outcome !== 'old') return;
    this.#sequences.delete(label);
    this.#mark(`refused ${label}`);
  }

  /** Everything issued before, as far as it was not refused meanwhile, has been promised durable. */
  #durable(before: readonly string[]): void {
    const last = before.findLast((label) => this.#sequences.has(label));
    if (last !== undefined && this.#demands.chain.includes(last)) this.#mark(`durable ${last}`);
  }

  /** Whether it resolved, and somebody lives whom that was told to. */
  async #attempt(call: () => Promise<unknown>): Promise<boolean> {
    const by = this.#process;
    try {
      await call();
      return by === this.#process;
    } catch (error) {
      if (by === this.#process) this.#expect(error);
      return false;
    }
  }

  /** A failure that comes once: what cannot be opened because of it can be opened then. */
  async #again<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.#expect(error);
      this.kill();
      return await call();
    }
  }

  /** @throws the error, unless it is what a failed call of the system has to become. */
  #expect(error: unknown): void {
    const known = error instanceof FileChangeError || error instanceof PoisonedError;
    const system = errorCode(error) !== undefined && !(error instanceof CorruptionError);
    if (this.#options.faults !== true || !(known || system)) throw error;
  }

  #sequenceOf(label: string): number {
    return this.#sequences.get(label) ?? Infinity;
  }

  /** Judges what an opened log shows, and says that it was served. */
  #opened(log: WriteAheadLog, entries: readonly WalEntry[]): void {
    const labels = entries.map(labelOf);
    const demands = this.#demands;
    const first = firstShown(demands, labels);
    const wrong = judgeLog(demands, { first, labels });
    wrong.push(...this.#wrongNumbers(log, entries, demands), ...this.#missing(demands, labels));
    const { dropped, trustedSequence, lastSequence } = log.recovery;
    if (this.#closed && (dropped.length > 0 || trustedSequence !== lastSequence)) {
      wrong.push(`P4: closed, and only ${trustedSequence} trusted, ${dropped.length} dropped`);
    }
    if (wrong.length > 0) throw new Error(wrong.join('; '));
    this.#log = log;
    this.#closed = false;
    this.#inWindow = [];
    this.#generation++;
    this.#names = 0;
    this.#sequences.clear();
    for (const label of demands.chain.slice(0, first)) this.#sequences.set(label, 0);
    entries.forEach(({ sequence }, index) => this.#sequences.set(labels[index] ?? '', sequence));
    this.#mark(['opened', first, ...labels].join(' '));
  }

  /** What a process kill has taken: nothing that resolved. */
  #missing({ chain, removing }: Demands, labels: readonly string[]): string[] {
    if (this.#options.powered !== true) return [];
    const kept = new Set(this.#marks.map((mark) => /^kept (\S+)/.exec(mark)?.[1]));
    return chain
      .filter((label, index) => index >= removing && kept.has(label) && !labels.includes(label))
      .map((label) => `P1: '${label}' had resolved and is gone although the power never failed`);
  }

  #wrongNumbers(
    log: WriteAheadLog,
    entries: readonly WalEntry[],
    { chain, durable }: Demands,
  ): string[] {
    const wrong: string[] = [];
    const told = new Map(
      this.#marks
        .filter((mark) => mark.startsWith('kept '))
        .map((mark): [string, number] => [mark.split(' ')[1] ?? '', Number(mark.split(' ')[2])]),
    );
    let next = log.firstSequence;
    entries.forEach((entry) => {
      const { sequence } = entry;
      const label = labelOf(entry);
      next += countOf(label);
      if (sequence !== next - 1) wrong.push(`P2: '${label}' is ${sequence}, not ${next - 1}`);
      const was = told.get(label);
      if (was !== undefined && was !== sequence) wrong.push(`P2: '${label}' was ${was} before`);
    });
    const owed = Math.max(0, ...chain.slice(0, durable).map((label) => told.get(label) ?? 0));
    if (log.lastSequence < owed) wrong.push(`P5: numbers up to ${owed} would be given again`);
    if (log.lastSequence !== next - 1) wrong.push(`P2: the last is ${log.lastSequence}`);
    if (log.durableSequence !== log.lastSequence) wrong.push('P6: served and not durable');
    return wrong;
  }
}

/** Which commit of the chain is the first that shows. */
function firstShown(demands: Demands, labels: readonly string[]): number {
  const [first] = labels;
  if (first === undefined) return Math.min(demands.removing, demands.chain.length);
  return Math.max(0, demands.chain.indexOf(first));
}
