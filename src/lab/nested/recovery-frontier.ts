/**
 * Disks whose recovery changes something: the places from which the power can fail again, inside recovery. Each
 * is kept once for each model, with what leads to it, until its turn comes.
 */

import { Prng } from '../../base/prng.ts';
import type { CrashedDisk } from '../check/checker.ts';
import type { CrashModel } from '../model/crash-model.ts';

/** A disk and where it was met; `Source` is what explored it. */
export interface RecoveryPoint<Source> {
  readonly model: CrashModel;
  readonly disk: CrashedDisk;
  /** Equal for equal disks under equal marks. */
  readonly key: string;
  readonly source: Source;
}

export class RecoveryFrontier<Source> {
  readonly #known = new Set<string>();
  #waiting: RecoveryPoint<Source>[] = [];

  /** Keeps the point unless its disk came before, at this depth or a smaller one. */
  add(point: RecoveryPoint<Source>, scope: string): void {
    const identity = `${scope} ${point.model.name} ${point.key}`;
    if (this.#known.has(identity)) return;
    this.#known.add(identity);
    this.#waiting.push(point);
  }

  /** All that wait, in an order drawn by the seed where they are more than `pointsMax`: the first so many count. */
  take(pointsMax: number, seed: number): { points: RecoveryPoint<Source>[]; total: number } {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length <= pointsMax) return { points: waiting, total: waiting.length };
    const drawn = new Prng(seed).shuffled(waiting).slice(0, pointsMax);
    return { points: drawn, total: waiting.length };
  }
}
