/**
 * Commits batches in the order of the calls. All that wait at the same moment become one record of
 * the log: their changes are made in memory, where readers do not see them yet; the record goes to
 * the log; then readers see them. A record that the log refuses is taken back, and nothing of it
 * was ever seen. Not here: the pages (`pager`) and when they reach their file (`checkpointer`).
 */

import { assert } from '../base/assert.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import { BatchOrder } from './batch-order.ts';
import type { FreeList } from './free-list.ts';
import { PageMissing } from './pager.ts';
import type { Pager } from './pager.ts';
import type { RedoLog } from './redo-log.ts';
import type { TreeWriter } from './tree-writer.ts';
import { ValueUnplaced } from './value-placer.ts';
import type { ValuePlacer } from './value-placer.ts';

/** A record is ended when it has this many bytes; one batch may go beyond. */
const GROUP_BYTES = 1 << 20;
/** And when it changes pages of so many bytes, of which it may have images: the log has a limit. */
const GROUP_PAGE_BYTES = 32 << 20;

/** A batch that waits for its turn or for the log. */
interface Waiting {
  /** A batch, or a change of the tree's own, which is begun again where a page is missing. */
  readonly batch: WriteBatch | (() => void);
  readonly policy: SyncPolicy;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What makes room before more is written. */
export interface Relief {
  /** Resolves when a commit may begin; undefined: now. */
  before(): Promise<void> | undefined;
  /** As `before`, on the calling thread. */
  beforeSync(): void;
  /** Called between two records, when readers see everything. */
  between(): void;
}

export class CommitQueue {
  readonly #pager: Pager;
  readonly #freeList: FreeList;
  readonly #writer: TreeWriter;
  readonly #placer: ValuePlacer;
  readonly #log: RedoLog;
  readonly #relief: Relief;
  #waiting: Waiting[] = [];
  /** The batches of the record being made or under way. */
  #group: Waiting[] = [];
  /** How many of them are in the record, and operations of the one after. */
  #applied = 0;
  #operations = 0;
  readonly #order = new BatchOrder();
  /** Sequence number of the record that is with the log and not published; 0: none. */
  #flying = 0;
  #running: Promise<void> | null = null;
  #visible: number;

  constructor(writer: TreeWriter, log: RedoLog, relief: Relief) {
    this.#pager = writer.pager;
    this.#freeList = writer.freeList;
    this.#writer = writer;
    this.#placer = writer.placer;
    this.#log = log;
    this.#relief = relief;
    this.#visible = log.lastSequence;
  }

  /** Sequence number of the state that readers see. */
  get visible(): number {
    return this.#visible;
  }

  /** Commits a change of the pages that changes nothing for readers. Durable with the next sync. */
  change(run: () => void): Promise<void> {
    return this.#enqueue(run, 'none');
  }

  /** As `Engine.write`. */
  write(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    return this.#enqueue(batch, policy);
  }

  #enqueue(batch: WriteBatch | (() => void), policy: SyncPolicy): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, policy, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** As `Engine.writeSync`. */
  writeSync(batch: WriteBatch, policy: SyncPolicy): void {
    this.settleSync();
    this.#relief.beforeSync();
    let failed: { readonly error: unknown } | null = null;
    this.#group = [
      {
        batch,
        policy,
        resolve: () => {},
        reject: (error) => {
          failed = { error };
        },
      },
    ];
    this.#finishGroupSync();
    if (failed !== null) throw (failed as { readonly error: unknown }).error;
  }

  /**
   * Ends everything that was called for before, on the calling thread. @throws where the log refuses
   * to sync the record that is with it
   */
  settleSync(): void {
    if (this.#flying > 0) {
      // Where this fails, the caller's turn has not come: the write under way has the last word on the
      // record, which may still land, and `#fly` hears of it.
      this.#log.syncSync();
      this.#landed();
    }
    if (this.#group.length > 0) this.#finishGroupSync();
    while (this.#waiting.length > 0) {
      this.#relief.beforeSync();
      this.#takeGroup();
      this.#finishGroupSync();
    }
  }

  /** Resolves when everything that was called for is done, well or not. */
  async settle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    // Calls of the same turn share a record.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#group.length > 0) {
      try {
        await this.#relief.before();
      } catch (error) {
        this.#rejectWaiting(error);
        continue;
      }
      if (this.#group.length === 0) this.#takeGroup();
      if (this.#group.length === 0) continue;
      await this.#applyLater();
      await this.#fly();
    }
    // In the same turn as the look at what waits: nobody comes in between.
    this.#running = null;
  }

  #takeGroup(): void {
    let bytes = 0;
    let count = 0;
    for (; count < this.#waiting.length && bytes < GROUP_BYTES; count++) {
      const { batch } = this.#waiting[count]!;
      const more = batch instanceof WriteBatch ? batch.byteLength : 0;
      // A large one has a record to itself: the log may refuse it, and nobody else with it.
      if (count > 0 && more > GROUP_BYTES) break;
      bytes += more;
    }
    this.#group = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#applied = 0;
    this.#operations = 0;
    if (count > 0) this.#pager.beginRecord();
  }

  /** Makes the changes of the group, bringing the pages they need and placing long values. */
  async #applyLater(): Promise<void> {
    for (;;) {
      const group = this.#group;
      let missing: PageMissing | ValueUnplaced;
      try {
        this.#apply();
        return;
      } catch (error) {
        if (!(error instanceof PageMissing || error instanceof ValueUnplaced)) {
          this.#exclude(error);
          continue;
        }
        missing = error;
      }
      try {
        if (!(missing instanceof PageMissing)) await this.#placer.place();
        else if (!this.#pager.bringNow(missing)) await this.#pager.bring(missing);
      } catch (error) {
        // A synchronous call may have ended the group meanwhile.
        if (group === this.#group) this.#exclude(error);
      }
    }
  }

  /** Goes on with the group where it was; @throws PageMissing, HOLDFAST_CORRUPTION */
  #apply(): void {
    const group = this.#group;
    for (; this.#applied < group.length; this.#applied++) {
      if (
        this.#applied > 0 &&
        this.#operations === 0 &&
        this.#pager.editedBytes > GROUP_PAGE_BYTES
      ) {
        this.#waiting = [...group.splice(this.#applied), ...this.#waiting];
        return;
      }
      const { batch } = group[this.#applied]!;
      if (!(batch instanceof WriteBatch)) {
        batch();
        continue;
      }
      for (; this.#operations < batch.count; this.#operations++) {
        this.#order.show(batch, this.#operations, this.#writer);
      }
      this.#operations = 0;
    }
  }

  /** Takes the group's changes back and the batch that failed out of it. */
  #exclude(error: unknown): void {
    this.#undo();
    const [failed] = this.#group.splice(this.#applied, 1);
    this.#applied = 0;
    this.#operations = 0;
    this.#pager.beginRecord();
    failed?.reject(error);
  }

  /** Gives the record to the log and waits for it. */
  async #fly(): Promise<void> {
    const group = this.#group;
    if (group.length === 0) {
      // All of it failed, or was ended on the calling thread.
      this.#ended();
      return;
    }
    try {
      if (this.#placer.unsettled) await this.#placer.settle();
      // A synchronous call may have ended it meanwhile, and told its callers.
      if (group !== this.#group) return;
      await this.#append(group);
      if (group === this.#group && this.#flying > 0) this.#landed();
      else if (group === this.#group) this.#ended();
    } catch (error) {
      if (group === this.#group) this.#refused();
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }

  #append(group: readonly Waiting[]): Promise<void> {
    this.#writer.finish();
    const policy = strongest(group);
    if (this.#pager.record.empty && !this.#pager.hasPending) return this.#log.settled(policy);
    this.#flying = this.#log.lastSequence + 1;
    return this.#log.append(this.#pager.endRecord(this.#flying), policy);
  }

  /** Applies the group and gives it to the log, on the calling thread. */
  #finishGroupSync(): void {
    const group = this.#group;
    if (!this.#pager.recording) this.#pager.beginRecord();
    this.#applySync();
    if (this.#group.length === 0) {
      this.#ended();
      return;
    }
    this.#writer.finish();
    const policy = strongest(group);
    try {
      this.#placer.settleSync();
      if (this.#pager.record.empty && !this.#pager.hasPending) {
        this.#log.settledSync(policy);
        this.#ended();
      } else {
        this.#flying = this.#log.lastSequence + 1;
        this.#log.appendSync(this.#pager.endRecord(this.#flying), policy);
        this.#landed();
      }
    } catch (error) {
      this.#refused();
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }

  #applySync(): void {
    for (;;) {
      try {
        this.#pager.bringing(() => this.#apply());
        return;
      } catch (error) {
        if (error instanceof ValueUnplaced) this.#placeSync();
        else this.#exclude(error);
      }
    }
  }

  #placeSync(): void {
    try {
      this.#placer.placeSync();
    } catch (error) {
      this.#exclude(error);
    }
  }

  /** The log has the record: readers see it. */
  #landed(): void {
    assert(this.#flying > this.#visible, 'states follow each other');
    this.#visible = this.#flying;
    this.#pager.publish();
    this.#freeList.published(this.#visible);
    this.#ended();
  }

  /** The log has not taken the record: nothing of it was seen, and nothing is left. */
  #refused(): void {
    this.#undo();
    this.#ended();
  }

  #ended(): void {
    this.#pager.dropRecord();
    this.#flying = 0;
    this.#group = [];
    this.#order.clear();
    this.#applied = 0;
    this.#operations = 0;
    this.#relief.between();
  }

  #rejectWaiting(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
  }

  #undo(): void {
    this.#pager.undo();
    this.#freeList.forget();
    this.#writer.forget();
  }
}

function strongest(group: readonly Waiting[]): SyncPolicy {
  let policy: SyncPolicy = 'none';
  for (const waiting of group) {
    if (waiting.policy === 'sync') return 'sync';
    if (waiting.policy === 'batch') policy = 'batch';
  }
  return policy;
}
