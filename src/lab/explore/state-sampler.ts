/**
 * Picks states where there are too many to walk. Subsets drawn evenly all look half lost, so the draw is over
 * kinds of loss first: one thing lost, one file, one directory, everything that was not synced, everything but
 * one thing, and then chance with a small, an even and a large part lost.
 */

import type { Prng } from '../../base/prng.ts';
import type { ChoiceSubject, StateChooser } from './crash-space.ts';
import type { CrashState } from './crash-state.ts';
import { stateOf } from './crash-state.ts';

const STRATA = ['one', 'file', 'directory', 'all', 'all-but-one', 'few', 'half', 'most'] as const;
type Stratum = (typeof STRATA)[number];

const CHANCE_IN_16: Readonly<Record<'few' | 'half' | 'most', number>> = {
  few: 2,
  half: 8,
  most: 14,
};

export class StateSampler implements StateChooser {
  readonly #prng: Prng;
  #run = -1;
  #stratum: Stratum = 'one';
  /** Choices of the run before: from these the one that stands out is drawn. */
  #subjects: ChoiceSubject[] = [];
  #special = 0;
  #target = '';
  #taken: { subject: ChoiceSubject; taken: number }[] = [];
  #asked: ChoiceSubject[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** REQUIRES: called before every run. */
  begin(): void {
    this.#run++;
    this.#stratum = STRATA[this.#run % STRATA.length] ?? 'half';
    if (this.#asked.length > 0) this.#subjects = this.#asked;
    this.#asked = [];
    this.#taken = [];
    this.#special = this.#prng.below(Math.max(1, this.#subjects.length));
    const subject = this.#subjects[this.#special];
    this.#target = subject === undefined ? '' : ownerOf(subject, this.#stratum);
  }

  choose(count: number, subject: ChoiceSubject): number {
    const index = this.#asked.length;
    this.#asked.push(subject);
    if (!this.#loses(index, subject)) return 0;
    const taken = 1 + this.#prng.below(count - 1);
    this.#taken.push({ subject, taken });
    return taken;
  }

  state(position: number): CrashState {
    return stateOf(position, this.#taken);
  }

  #loses(index: number, subject: ChoiceSubject): boolean {
    switch (this.#stratum) {
      case 'one':
        return index === this.#special;
      case 'all':
        return true;
      case 'all-but-one':
        return index !== this.#special;
      case 'file':
      case 'directory':
        return ownerOf(subject, this.#stratum) === this.#target;
      default:
        return this.#prng.below(16) < CHANCE_IN_16[this.#stratum];
    }
  }
}

/** What the choice belongs to, for strata that lose all of one thing. */
function ownerOf(subject: ChoiceSubject, stratum: Stratum): string {
  if (subject.kind === 'block') return `inode ${subject.history.inode}`;
  const { size, block, attribute, entries } = subject.change;
  const inode = size?.inode ?? block?.inode ?? attribute?.inode;
  if (inode !== undefined) return `inode ${inode}`;
  const [entry] = entries;
  if (stratum === 'file') return `inode ${entry?.inode ?? ''}`;
  return `directory ${entry?.directory ?? ''}`;
}
