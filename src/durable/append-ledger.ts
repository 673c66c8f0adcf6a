/**
 * The books of an append file: how far it is accepted, written and durable, which groups wait for
 * what, and who is told when that changes. Makes no call of the operating system; `append-pool` and
 * `append-calling` do.
 *
 *   [0, durable)         on stable storage
 *   [durable, written)   with the operating system
 *   [written, accepted)  in memory: the group in flight, then the queue
 *
 * Each of the three carries a mark: a number that the last record up to there brought along.
 *
 * Past `written` the file holds nothing that anyone was told of: parts of groups in flight, or
 * zeros.
 */

import { assert } from '../base/assert.ts';
import { AppendGroup } from './append-group.ts';
import type { AppendSettings } from './append-options.ts';
import type { AppendSource } from './append-source.ts';
import { AppendWindow } from './append-window.ts';
import type { Poison } from './poison.ts';
import type { SyncPolicy } from './sync-policy.ts';

export class AppendLedger {
  readonly poison: Poison;
  readonly window: AppendWindow;
  /** The group that the thread pool is writing. */
  inFlight: AppendGroup | null = null;

  #durable: number;
  #written: number;
  #accepted: number;
  #durableMark = 0;
  #writtenMark = 0;
  #acceptedMark = 0;
  /** Groups that no write has begun for, in order. The last one still takes records. */
  #queue: AppendGroup[] = [];
  /** Groups that are written and resolve when they are durable. */
  #unsynced: AppendGroup[] = [];
  #spare: Uint8Array | undefined;
  readonly #onDurable: (group: AppendGroup) => void;
  readonly #onProgress: () => void;

  /** `onSyncDue` asks for a sync soon; `onDurable` hears of each group before its callers do. */
  constructor(
    length: number,
    settings: AppendSettings,
    onSyncDue: () => void,
    onDurable: (group: AppendGroup) => void,
  ) {
    this.poison = settings.poison;
    this.window = new AppendWindow(settings.bounds, settings.clock, onSyncDue);
    this.#durable = length;
    this.#written = length;
    this.#accepted = length;
    this.#onDurable = onDurable;
    this.#onProgress = settings.onProgress;
  }

  get durable(): number {
    return this.#durable;
  }

  get written(): number {
    return this.#written;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get durableMark(): number {
    return this.#durableMark;
  }

  get writtenMark(): number {
    return this.#writtenMark;
  }

  get acceptedMark(): number {
    return this.#acceptedMark;
  }

  /** Whether written groups wait for a sync. */
  get awaitsSync(): boolean {
    return this.#unsynced.length > 0;
  }

  /** The first group of the queue. */
  get next(): AppendGroup | undefined {
    return this.#queue[0];
  }

  /**
   * Accepts a record (or none, when `source` is null) into the last group.
   */
  accept(source: AppendSource | null, policy: SyncPolicy, mark: number): AppendGroup {
    let group = this.#queue[this.#queue.length - 1];
    if (group === undefined || !group.hasRoomFor(source?.length ?? 0)) {
      group = new AppendGroup(this.#accepted, this.#spare);
      this.#spare = undefined;
      this.#queue.push(group);
    }
    if (source === null) group.require(policy);
    else {
      group.add(source, policy, mark);
      this.#accepted += source.length;
      this.#acceptedMark = mark;
    }
    return group;
  }

  /** Takes the first group out of the queue. */
  shift(): AppendGroup | undefined {
    return this.#queue.shift();
  }

  /** The bytes of a group are with the operating system, and all before them. */
  wrote(group: AppendGroup): void {
    assert(group.end <= this.#accepted, 'nothing is written that was not accepted');
    if (group.end <= this.#written) return;
    this.#written = group.end;
    this.#writtenMark = group.mark;
    this.#onProgress();
  }

  /** A record that never was in memory has been written behind everything else. */
  wroteBehind(length: number, mark: number): void {
    assert(this.#written === this.#accepted, 'a record is written in its turn');
    this.#written += length;
    this.#accepted = this.#written;
    this.#writtenMark = mark;
    this.#acceptedMark = mark;
    this.#onProgress();
  }

  /**
   * Everything below `end`, whose mark is `mark`, is durable: resolves the groups that waited for
   * it.
   */
  durableTo(end: number, mark: number): void {
    assert(end <= this.#written, 'nothing is durable that was not written');
    if (end > this.#durable) {
      this.#durable = end;
      this.#durableMark = mark;
      this.#onProgress();
    }
    if (this.#unsynced.length === 0) return;
    const waiting = this.#unsynced;
    this.#unsynced = waiting.filter((group) => group.end > this.#durable);
    for (const group of waiting) if (group.end <= this.#durable) this.#resolveDurable(group);
  }

  /**
   * Settles a group that is written, or keeps it until `durableTo`. True when a sync must follow.
   */
  settle(group: AppendGroup): boolean {
    this.#spare ??= group.spare;
    if (group.end <= this.#durable) {
      this.#resolveDurable(group);
    } else if (this.poison.poisoned) {
      group.reject(this.poison.error('unknown'));
    } else if (this.#mustWait(group)) {
      this.#unsynced.push(group);
      return true;
    } else {
      group.resolve();
    }
    return false;
  }

  /**
   * Takes back everything that is not written, and returns the groups of the queue for their
   * callers to be told.
   */
  takeBack(): AppendGroup[] {
    const queue = this.#queue;
    this.#queue = [];
    this.#accepted = this.#written;
    this.#acceptedMark = this.#writtenMark;
    return queue;
  }

  /**
   * Fail-stop: whoever waits hears of it, those in the queue with `queueOutcome`. The group in
   * flight is told when its call returns.
   */
  fail(cause: unknown, queueOutcome: 'old' | 'unknown' = 'old'): void {
    this.poison.poison(cause);
    this.window.stopTimer();
    const unsynced = this.#unsynced;
    this.#unsynced = [];
    for (const group of unsynced) group.reject(this.poison.error('unknown'));
    this.rejectQueue(this.poison.error(queueOutcome));
  }

  /** Tells all who are in the queue why nothing more is done for them. */
  rejectQueue(reason: Error): void {
    const queue = this.#queue;
    this.#queue = [];
    const { inFlight } = this;
    const flies = inFlight !== null && inFlight.end > this.#written;
    this.#accepted = flies ? inFlight.end : this.#written;
    this.#acceptedMark = flies ? inFlight.mark : this.#writtenMark;
    for (const group of queue) group.reject(reason);
  }

  #resolveDurable(group: AppendGroup): void {
    this.#onDurable(group);
    group.resolve();
  }

  /**
   * Whether a written group resolves only when it is durable: by policy, or because the window has
   * no room.
   */
  #mustWait(group: AppendGroup): boolean {
    if (group.policy === 'batch') this.window.add(group.records, group.length);
    return group.policy === 'sync' || (group.policy === 'batch' && this.window.full);
  }
}
