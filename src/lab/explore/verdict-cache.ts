/** Verdicts of disks that were checked, so that no disk is checked twice under the same promises. */

import { hash } from 'node:crypto';

import type { Verdict } from '../check/checker.ts';

/** A short name of a disk: long keys are replaced by their digest. */
export function shortKey(key: string): string {
  return key.length <= 40 ? key : hash('sha1', key, 'base64');
}

export class VerdictCache {
  readonly #verdicts = new Map<string, Verdict>();

  get size(): number {
    return this.#verdicts.size;
  }

  get(disk: string, markCount: number): Verdict | undefined {
    return this.#verdicts.get(`${markCount} ${disk}`);
  }

  set(disk: string, markCount: number, verdict: Verdict): void {
    this.#verdicts.set(`${markCount} ${disk}`, verdict);
  }
}
