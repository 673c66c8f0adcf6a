/**
 * For counters, versions, sequence numbers and positions: what recovery reads is at least what was acknowledged
 * last, and at most the highest that was ever written. It never goes back.
 */

import type { MarkOperation } from '../record/operation.ts';
import { acknowledgedLines } from './acknowledged-lines.ts';
import type { Checker, CrashedDisk, Verdict } from './checker.ts';
import { unreadable } from './prefix-oracle.ts';

export interface MonotoneOracleOptions {
  /** What recovery reads. A throw or rejection is a violation: the disk does not open. */
  readonly read: (disk: CrashedDisk) => bigint | number | Promise<bigint | number>;
  /**
   * The value acknowledged last by these marks; null for none. Default: the last whole number in the last mark
   * text or line of output that has one.
   */
  readonly acknowledged?: (marks: readonly MarkOperation[]) => bigint | number | null;
  /** The highest value that the program ever writes; a greater one was made up. */
  readonly highest?: bigint | number;
  readonly concurrency?: number;
  readonly close?: () => Promise<void>;
}

export class MonotoneOracle implements Checker {
  readonly name = 'monotone';
  readonly concurrency: number;
  readonly #options: MonotoneOracleOptions;

  constructor(options: MonotoneOracleOptions) {
    this.#options = options;
    this.concurrency = options.concurrency ?? 1;
  }

  check(disk: CrashedDisk): Verdict | Promise<Verdict> {
    let found: bigint | number | Promise<bigint | number>;
    try {
      found = this.#options.read(disk);
    } catch (error) {
      // What recovery throws on a crashed disk is the finding.
      return unreadable(error);
    }
    if (!(found instanceof Promise)) return this.#judge(disk, found);
    return found.then((value) => this.#judge(disk, value), unreadable);
  }

  async close(): Promise<void> {
    await this.#options.close?.();
  }

  #judge(disk: CrashedDisk, value: bigint | number): Verdict {
    const { acknowledged = lastNumber, highest } = this.#options;
    if (typeof value === 'number' && Number.isNaN(value)) {
      return { ok: false, message: 'recovery reads no number' };
    }
    const least = acknowledged(disk.marks);
    if (least !== null && value < least) {
      return { ok: false, message: `went back to ${value} after ${least} was acknowledged` };
    }
    if (highest !== undefined && value > highest) {
      return {
        ok: false,
        message: `shows ${value}, more than the ${highest} that was ever written`,
      };
    }
    return { ok: true };
  }
}

function lastNumber(marks: readonly MarkOperation[]): bigint | null {
  const line = acknowledgedLines(marks).findLast((text) => /\d/.test(text));
  const digits = line?.match(/-?\d+/g)?.at(-1);
  return digits === undefined ? null : BigInt(digits);
}
