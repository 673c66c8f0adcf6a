/**
 * Prefix of acknowledged: for logs, queues and key-value stores seen as a list of records. What recovery lists
 * starts with every acknowledged record, in order, and goes on only with what was written next: no hole, no
 * reordering, nothing of the future and nothing that was never written.
 */

import { HoldfastError, UsageError } from '../../base/errors.ts';
import type { MarkOperation } from '../record/operation.ts';
import { acknowledgedLines } from './acknowledged-lines.ts';
import type { Checker, CrashedDisk, Verdict } from './checker.ts';
import { printable } from './printable.ts';

export interface PrefixOracleOptions {
  /**
   * What recovery finds on the disk, oldest first. A throw or rejection is a violation: the disk does not open.
   * `ProcessLines` makes one of a command.
   */
  readonly list: (disk: CrashedDisk) => readonly string[] | Promise<readonly string[]>;
  /** All records that the program writes, in order. Without it, anything may follow the acknowledged ones. */
  readonly issued?: readonly string[];
  /** The records acknowledged by these marks, in order. Default: each mark text and line of output is one. */
  readonly acknowledged?: (marks: readonly MarkOperation[]) => readonly string[];
  readonly concurrency?: number;
  readonly close?: () => Promise<void>;
}

const PASSED: Verdict = { ok: true };

export class PrefixOracle implements Checker {
  readonly name = 'prefix of acknowledged';
  readonly concurrency: number;
  readonly #options: PrefixOracleOptions;

  constructor(options: PrefixOracleOptions) {
    this.#options = options;
    this.concurrency = options.concurrency ?? 1;
  }

  /** @throws UsageError `HOLDFAST_USAGE` when a record was acknowledged that `issued` does not have there. */
  check(disk: CrashedDisk): Verdict | Promise<Verdict> {
    const owed = (this.#options.acknowledged ?? acknowledgedLines)(disk.marks);
    this.#requireIssued(owed);
    let found: readonly string[] | Promise<readonly string[]>;
    try {
      found = this.#options.list(disk);
    } catch (error) {
      // What recovery throws on a crashed disk is the finding.
      return unreadable(error);
    }
    if (!(found instanceof Promise)) return this.#compare(owed, found);
    return found.then((records) => this.#compare(owed, records), unreadable);
  }

  async close(): Promise<void> {
    await this.#options.close?.();
  }

  #compare(owed: readonly string[], found: readonly string[]): Verdict {
    for (const [index, record] of owed.entries()) {
      const other = found[index];
      if (other === record) continue;
      if (other === undefined) {
        return failed(`acknowledged record ${index + 1} is gone: ${show(record)}`);
      }
      return failed(
        `record ${index + 1} is ${show(other)} and was acknowledged as ${show(record)}`,
      );
    }
    const { issued } = this.#options;
    if (issued === undefined) return PASSED;
    for (let index = owed.length; index < found.length; index++) {
      const [record, wanted] = [found[index], issued[index]];
      if (record === wanted) continue;
      const should = wanted === undefined ? 'nothing' : show(wanted);
      return failed(`record ${index + 1} is ${show(record ?? '')} where ${should} was written`);
    }
    return PASSED;
  }

  #requireIssued(owed: readonly string[]): void {
    const { issued } = this.#options;
    if (issued === undefined) return;
    const wrong = owed.findIndex((record, index) => record !== issued[index]);
    if (wrong === -1) return;
    throw new UsageError(
      `the program acknowledged ${show(owed[wrong] ?? '')} as record ${wrong + 1}, which it was not to write`,
    );
  }
}

/** A checker's own errors are passed on; anything else is what recovery said. */
export function unreadable(error: unknown): Verdict {
  if (error instanceof HoldfastError && error.code !== 'HOLDFAST_CORRUPTION') throw error;
  const message = error instanceof Error ? error.message : String(error);
  return failed(`recovery fails: ${printable(message.split('\n', 1).join(''))}`);
}

function failed(message: string): Verdict {
  return { ok: false, message };
}

function show(record: string): string {
  return JSON.stringify(printable(record.length > 60 ? `${record.slice(0, 59)}…` : record));
}
