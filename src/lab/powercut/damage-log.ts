/** Collects crash states in which the file system itself was damaged, grouped by what was said of them. */

import { assert } from '../../base/assert.ts';
import type { Sighting } from './obligations.ts';
import type { DamageFinding } from './powercut-result.ts';

/** Where examples go. Messages that differ only in numbers are one finding. */
export class DamageLog {
  readonly #found = new Map<string, { message: string; sightings: Sighting[] }>();

  add(message: string, sighting: Sighting): void {
    const group = message.replace(/\d+/g, '#');
    const known = this.#found.get(group);
    if (known === undefined) this.#found.set(group, { message, sightings: [sighting] });
    else known.sightings.push(sighting);
  }

  findings(): DamageFinding[] {
    return [...this.#found.values()].map(({ message, sightings }) => {
      const untorn = sightings.filter((sighting) => !isTorn(sighting));
      const example = untorn[0] ?? sightings[0];
      assert(example !== undefined, 'a group has at least one sighting');
      return { message, images: sightings.length, imagesWithoutTear: untorn.length, example };
    });
  }
}

/** Whether a write survived in part. */
export function isTorn(sighting: Sighting): boolean {
  return sighting.lost.some((write) => write.keptTo > 0);
}
