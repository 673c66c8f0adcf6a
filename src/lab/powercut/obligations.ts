/**
 * Which trees were found, and with which acknowledgements each must be checked: per tree only the longest lists
 * of marks, since one list that begins with another asks for everything that the other asks for.
 */

import type { FileTreeDirectory } from '../../vfs/file-tree.ts';
import type { MarkOperation } from '../record/operation.ts';
import type { CrashImage, LostWrite } from './crash-images.ts';

/** Where a tree was seen: enough to say what the power cut took. */
export interface Sighting {
  readonly run: number;
  readonly epoch: number;
  /** Entries in the block log at the crash. */
  readonly position: number;
  readonly inFlight: number;
  readonly lost: readonly LostWrite[];
}

/** One check to make. */
export interface Obligation {
  readonly tree: FileTreeDirectory;
  readonly marks: readonly MarkOperation[];
  /** The sighting that lost least. */
  readonly sighting: Sighting;
}

interface PendingObligation {
  readonly texts: readonly string[];
  readonly obligation: Obligation;
}

/** Collects trees with what they are checked against. */
export class Obligations {
  readonly #byTree = new Map<string, PendingObligation[]>();

  /** Different trees seen. */
  get treeCount(): number {
    return this.#byTree.size;
  }

  /** Notes that a tree was seen when `marks` stood. */
  add(treeKey: string, found: Obligation): void {
    const texts = found.marks.map((mark) => `${mark.source}:${mark.text}`);
    const known = this.#byTree.get(treeKey) ?? [];
    const stronger = known.findIndex((other) => beginsWith(other.texts, texts));
    if (stronger !== -1) {
      const other = known[stronger];
      const same = other !== undefined && other.texts.length === texts.length;
      if (same && lostLess(found.sighting, other.obligation.sighting)) {
        known[stronger] = { texts, obligation: found };
      }
      return;
    }
    const others = known.filter((other) => !beginsWith(texts, other.texts));
    this.#byTree.set(treeKey, [...others, { texts, obligation: found }]);
  }

  /** Every check to make. */
  *[Symbol.iterator](): Generator<Obligation, void> {
    for (const pending of this.#byTree.values()) {
      for (const { obligation } of pending) yield obligation;
    }
  }
}

/** What an image says of where it was seen. */
export function sightingOf(run: number, image: CrashImage): Sighting {
  const { epoch, position, inFlight, lost } = image;
  return { run, epoch, position, inFlight, lost };
}

function beginsWith(texts: readonly string[], start: readonly string[]): boolean {
  return start.length <= texts.length && start.every((text, place) => texts[place] === text);
}

/** Prefers whole losses to torn ones, then fewer of them. */
function lostLess(left: Sighting, right: Sighting): boolean {
  const weight = ({ lost }: Sighting): number =>
    lost.length + lost.filter((write) => write.keptTo > 0).length * 1000;
  return weight(left) < weight(right);
}
