/**
 * What a model allows of a litmus program, by plain enumeration (the programs are small), and whether a tree that
 * a kernel left is among it.
 *
 * Comparison is exact in names, kinds, modes, sizes and bytes, with two generosities, counted apart:
 * 1. A model tears a block at one sector boundary. A device that was writing several requests may leave more
 *    boundaries in one file; so sectors may be mixed between allowed disks that agree in everything but bytes.
 * 2. Where the model shows garbage, a sector may hold anything.
 */

import { ContentStore } from '../explore/content-store.ts';
import { CrashSpace } from '../explore/crash-space.ts';
import { StateWalker } from '../explore/crash-state.ts';
import { buildCrashTree } from '../explore/crash-tree.ts';
import { prepareHistory, type PreparedHistory } from '../explore/prepared-history.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { Trace } from '../record/operation.ts';
import type { LitmusProgram } from './litmus-program.ts';
import { litmusTrace, positionAfter } from './litmus-trace.ts';
import { litmusEntries, type LitmusEntry, outcomeOf, treeText } from './litmus-tree.ts';

/** `'mixed'`: only with the generosities above. */
export type Membership = 'allowed' | 'mixed' | 'forbidden';

const SECTOR_BYTES = 512;

/** The disks that a model allows at one moment of a program. */
export interface AllowedDisks {
  /** Outcomes in words, sorted. */
  readonly outcomes: readonly string[];
  /** How many different disks. */
  readonly size: number;
  contains(entries: readonly LitmusEntry[]): Membership;
}

/** One program under one model. */
export class LitmusModel {
  readonly #program: LitmusProgram;
  readonly #trace: Trace;
  readonly #prepared: PreparedHistory;
  readonly #known = new Map<number, DiskSet>();

  constructor(program: LitmusProgram, model: CrashModel) {
    this.#program = program;
    this.#trace = litmusTrace(program);
    this.#prepared = prepareHistory(this.#trace, model, new ContentStore());
  }

  /** What a crash may leave when the first `returned` steps had returned and no other. */
  after(returned: number): AllowedDisks {
    let disks = this.#known.get(returned);
    if (disks === undefined) {
      const { history, cache } = this.#prepared;
      const space = new CrashSpace(history, positionAfter(this.#trace, returned), cache);
      this.#known.set(returned, (disks = new DiskSet(this.#program, space)));
    }
    return disks;
  }
}

/** The sectors that files of one shape may hold, one set for each file and sector. */
type SectorSets = Set<string>[][];

class DiskSet implements AllowedDisks {
  readonly outcomes: readonly string[];
  readonly #texts = new Set<string>();
  readonly #sectors = new Map<string, SectorSets>();

  constructor(program: LitmusProgram, space: CrashSpace) {
    const outcomes = new Set<string>();
    const seen = new Set<string>();
    const walker = new StateWalker();
    do {
      walker.begin();
      space.begin(walker);
      const { root, key } = buildCrashTree(space);
      if (seen.has(key)) continue;
      seen.add(key);
      const entries = litmusEntries(root);
      this.#texts.add(treeText(entries));
      this.#addSectors(entries);
      outcomes.add(outcomeOf(program, entries));
    } while (walker.next());
    this.outcomes = [...outcomes].toSorted();
  }

  get size(): number {
    return this.#texts.size;
  }

  contains(entries: readonly LitmusEntry[]): Membership {
    if (this.#texts.has(treeText(entries))) return 'allowed';
    const sets = this.#sectors.get(shapeText(entries));
    if (sets === undefined) return 'forbidden';
    const mixes = filesOf(entries).every((letters, file) =>
      sectorsOf(letters).every((sector, index) => {
        const allowed = sets[file]?.[index];
        return allowed !== undefined && (allowed.has(sector) || allowsGarbage(allowed));
      }),
    );
    return mixes ? 'mixed' : 'forbidden';
  }

  #addSectors(entries: readonly LitmusEntry[]): void {
    const shape = shapeText(entries);
    let sets = this.#sectors.get(shape);
    if (sets === undefined) this.#sectors.set(shape, (sets = []));
    filesOf(entries).forEach((letters, file) => {
      const sectors = (sets[file] ??= []);
      sectorsOf(letters).forEach((sector, index) => (sectors[index] ??= new Set()).add(sector));
    });
  }
}

function allowsGarbage(sectors: ReadonlySet<string>): boolean {
  for (const sector of sectors) if (sector.startsWith('?')) return true;
  return false;
}

function shapeText(entries: readonly LitmusEntry[]): string {
  return entries.map(({ path, shape }) => `${path}: ${shape}`).join('\n');
}

function filesOf(entries: readonly LitmusEntry[]): string[] {
  return entries.flatMap(({ letters }) => (letters === null ? [] : [letters]));
}

function sectorsOf(letters: string): string[] {
  const sectors: string[] = [];
  for (let from = 0; from < letters.length; from += SECTOR_BYTES) {
    sectors.push(letters.slice(from, from + SECTOR_BYTES));
  }
  return sectors;
}
