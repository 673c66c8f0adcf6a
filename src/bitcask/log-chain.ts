/**
 * The logs before and after the one that is written to: the next one, made ahead of need, and the
 * full ones that are being finished, in order. Not here: when one is full (`log-writer.ts`).
 */

import { SerialQueue } from '../base/serial-queue.ts';
import type { DataFile } from './data-file.ts';
import { writeHint, writeHintSync } from './hint-writing.ts';
import { createLog, createLogSync, withFinished, withLog } from './log-file.ts';
import type { LogFile, LogSurroundings, OnRefused } from './log-file.ts';
import type { ManifestKeeper } from './manifest-keeper.ts';

/** After a failure to make the next log, the one in use takes this much before another attempt. */
const RETRY_BYTES = 1 << 20;

/** A log that takes no more entries; its last sequence number, and the clock then. */
interface FullLog {
  readonly log: LogFile;
  readonly sequence: number;
  readonly clock: number;
}

export class LogChain {
  readonly #around: LogSurroundings;
  readonly #keeper: ManifestKeeper;
  readonly #onRefused: OnRefused;
  readonly #finishing = new SerialQueue();
  #next: LogFile | null = null;
  #making: Promise<void> | null = null;
  #lastFailure: unknown = null;
  #retryLength = 0;
  /** Full logs that the manifest still has as open, in order. */
  #full: FullLog[] = [];

  constructor(around: LogSurroundings, keeper: ManifestKeeper, onRefused: OnRefused) {
    this.#around = around;
    this.#keeper = keeper;
    this.#onRefused = onRefused;
  }

  /** The next log, when it is ready: durable, named by the manifest, empty. */
  get next(): LogFile | null {
    return this.#next;
  }

  /** Why the last attempt to make the next log failed; null when it did not. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /**
   * Makes the next log in the background, unless there is one. `length` is that of the log in use:
   * after a failure the next attempt waits until it has grown.
   */
  prepare(length: number): void {
    if (this.#next !== null || this.#making !== null || length < this.#retryLength) return;
    this.#retryLength = length + RETRY_BYTES;
    void this.ready().catch(() => 'tried again when the log has grown');
  }

  /** Resolves when the next log is ready. */
  async ready(): Promise<void> {
    if (this.#next !== null) return;
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    await this.#making;
  }

  /** Makes the next log on the calling thread; false when that cannot be done now. */
  readySync(): boolean {
    if (this.#next !== null) return true;
    if (this.#making !== null || this.#keeper.busy) return false;
    try {
      const log = createLogSync(this.#around, this.#keeper.takeNumber(), this.#onRefused);
      try {
        this.#keeper.changeSync((manifest) => withLog(manifest, log.data));
      } catch (error) {
        // It is not part of the store.
        void this.#discard(log);
        throw error;
      }
      this.#next = log;
      this.#lastFailure = null;
      return true;
    } catch (error) {
      // The log in use can take more; what ended writing is told by it.
      this.#lastFailure = error;
      return false;
    }
  }

  /** The next log takes the place of a full one, which is finished in the background. */
  goOn(full: LogFile, sequence: number, clock: number): LogFile {
    const next = this.#next!;
    this.#next = null;
    this.#retryLength = 0;
    full.data.sealed = true;
    this.#full.push({ log: full, sequence, clock });
    void this.#finishing.run(() => this.#finish()).catch(() => 'tried again at the next one');
    return next;
  }

  /** Finishes on the calling thread what could be left to the background, where that can be. */
  finishSync(): void {
    if (this.#keeper.busy || this.#full.length !== 1) return;
    const [{ log, sequence, clock }] = this.#full as [FullLog];
    try {
      log.append.closeSync();
      writeHintSync(this.#around.dispatch.vfs, log.data, clock);
      this.#keeper.changeSync((manifest) => withFinished(manifest, [log.data], sequence, clock));
      this.#full = [];
    } catch {
      // The manifest still has it as open, which is right too.
    }
  }

  /** Resolves when all full logs are finished, as far as that succeeds. */
  async settled(): Promise<void> {
    await this.#finishing.idle();
  }

  /** The last log is closed and durable: says so in the manifest, and removes what is empty. */
  async close(last: LogFile, sequence: number, clock: number): Promise<void> {
    await this.#making?.catch(() => 'there is no next log then');
    await this.#finishing.idle();
    const next = this.#next;
    const { vfs } = this.#around.dispatch;
    await Promise.all(this.#full.map(({ log }) => log.append.close()));
    await next?.append.close();
    const logs: DataFile[] = [...this.#full.map(({ log }) => log.data), last.data];
    for (const log of logs) await writeHint(vfs, log, clock);
    if (next !== null) logs.push(next.data);
    try {
      await this.#keeper.change((manifest) => withFinished(manifest, logs, sequence, clock));
    } catch (error) {
      // Without effect, the manifest still has them as open, which costs time at the next open.
      if (this.#around.poison.poisoned) throw error;
      return;
    }
    for (const { entries, path } of logs) {
      if (entries === 0) await vfs.unlink(path).catch(() => 'swept when the store is opened');
    }
  }

  /** Writing has ended: gives the descriptors back. Never rejects. */
  async abandon(): Promise<void> {
    await this.#making?.catch(() => 'there is no next log then');
    await this.#finishing.idle();
    const open = this.#full.map(({ log }) => log);
    if (this.#next !== null) open.push(this.#next);
    await Promise.allSettled(open.map(({ append }) => append.close()));
  }

  async #make(): Promise<void> {
    try {
      const log = await createLog(this.#around, this.#keeper.takeNumber(), this.#onRefused);
      try {
        await this.#keeper.change((manifest) => withLog(manifest, log.data));
      } catch (error) {
        // As in `readySync`.
        await this.#discard(log);
        throw error;
      }
      this.#next = log;
      this.#lastFailure = null;
    } catch (error) {
      // Kept for whoever insists on a new log.
      this.#lastFailure = error;
      throw error;
    }
  }

  async #discard({ append, data }: LogFile): Promise<void> {
    await append.close().catch(() => 'it has nothing in it');
    await data.file.close().catch(() => 'it has nothing in it');
    this.#around.files.remove(data);
    // After an unknown outcome the manifest may name it: then it must stay.
    if (this.#around.poison.poisoned) return;
    await this.#around.dispatch.vfs.unlink(data.path).catch(() => 'swept at the next open');
  }

  async #finish(): Promise<void> {
    const full = [...this.#full];
    const last = full.at(-1);
    if (last === undefined) return;
    for (const { log, clock } of full) {
      await log.append.close();
      await writeHint(this.#around.dispatch.vfs, log.data, clock);
    }
    const logs = full.map(({ log }) => log.data);
    const { sequence, clock } = last;
    await this.#keeper.change((manifest) => withFinished(manifest, logs, sequence, clock));
    this.#full = this.#full.filter((one) => !full.includes(one));
  }
}
