/**
 * The books of an append file: how far it is accepted, written and durable, which groups wait for
 * what, and who is told when that changes. Makes no call of the operating system; `append-pool` and
 * `append-calling` do.
 *
 *   [0, durable)         on stable storage
 *   [durable, written)   with the operating system
 *   [written, accepted)  in memory: the group in flight, then the queue
 *
 * Past `written` the file holds nothing that anyone was told of: parts of groups in flight, or
 * zeros.
 */

import { assert } from '../base/assert.ts';
import { AppendGroup } from './append-group.ts';
import type { AppendSettings } from './append-options.ts';
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
  /** Groups that no write has begun for, in order. The last one still takes records. */
  #queue: AppendGroup[] = [];
  /** Groups that are written and resolve when they are durable. */
  #unsynced: AppendGroup[] = [];
  #spare: Uint8Array | undefined;
  readonly #onDurable: (group: AppendGroup) => void;

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

  /** Whether written groups wait for a sync. */
  get awaitsSync(): boolean {
    return this.#unsynced.length > 0;
  }

  /** The first group of the queue. */
  get next(): AppendGroup | undefined {
    return this.#queue[0];
  }

  /**
   * Accepts a record (or none, when `bytes` is null) into the last group. True when that group is
   * new.
   */
  accept(bytes: Uint8Array | null, policy: SyncPolicy): { group: AppendGroup; isNew: boolean } {
    let group = this.#queue.at(-1);
    const isNew = group?.hasRoomFor(bytes?.length ?? 0) !== true;
    if (group === undefined || isNew) {
      group = new AppendGroup(this.#accepted, this.#spare);
      this.#spare = undefined;
      this.#queue.push(group);
    }
    if (bytes === null) group.require(policy);
    else {
      group.add(bytes, policy);
      this.#accepted += bytes.length;
    }
    return { group, isNew };
  }

  /** Takes the first group out of the queue. */
  shift(): AppendGroup | undefined {
    return this.#queue.shift();
  }

  /** Everything below `end` is with the operating system. */
  writtenTo(end: number): void {
    assert(end <= this.#accepted, 'nothing is written that was not accepted');
    this.#written = Math.max(this.#written, end);
  }

  /** A record that never was in memory has been written behind everything else. */
  writtenBehind(length: number): void {
    assert(this.#written === this.#accepted, 'a record is written in its turn');
    this.#written += length;
    this.#accepted = this.#written;
  }

  /** Everything below `end` is durable: resolves the groups that waited for it. */
  durableTo(end: number): void {
    assert(end <= this.#written, 'nothing is durable that was not written');
    this.#durable = Math.max(this.#durable, end);
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
    this.#accepted = Math.max(this.#written, this.inFlight?.end ?? 0);
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
