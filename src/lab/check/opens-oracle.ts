/**
 * Opens at all: recovery that throws or does not end is a violation, whatever it finds. It is the least that can be
 * asked, and needs nothing but a function that opens. For a command, `ProcessChecker` asks the same: its standard
 * input is empty, so a recovery that asks a person gets no answer.
 */

import type { Checker, CrashedDisk, Verdict } from './checker.ts';
import { unreadable } from './prefix-oracle.ts';

export interface OpensOracleOptions {
  /** Opens the disk as the program would, and closes what it opened. */
  readonly open: (disk: CrashedDisk) => unknown;
  /** Milliseconds until a recovery that has not resolved counts as hanging. Default 30,000. */
  readonly timeLimitMs?: number;
}

const PASSED: Verdict = { ok: true };

export class OpensOracle implements Checker {
  readonly name = 'opens at all';
  readonly #open: (disk: CrashedDisk) => unknown;
  readonly #timeLimitMs: number;

  constructor(options: OpensOracleOptions) {
    this.#open = options.open;
    this.#timeLimitMs = options.timeLimitMs ?? 30_000;
  }

  check(disk: CrashedDisk): Verdict | Promise<Verdict> {
    try {
      const opened = this.#open(disk);
      return opened instanceof Promise ? this.#within(opened) : PASSED;
    } catch (error) {
      // What recovery throws on a crashed disk is the finding.
      return unreadable(error);
    }
  }

  async #within(opened: Promise<unknown>): Promise<Verdict> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Verdict>((resolve) => {
      timer = setTimeout(() => {
        resolve({ ok: false, message: `recovery did not end within ${this.#timeLimitMs} ms` });
      }, this.#timeLimitMs);
    });
    const settled = opened.then((): Verdict => PASSED, unreadable);
    try {
      return await Promise.race([settled, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
