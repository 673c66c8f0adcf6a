/**
 * The pieces of a long proof: each leaves its result, and the names of its disks, in a directory, so that a run that was
 * interrupted, or is split over several, goes on where it was. What a piece is, and how pieces are added up, the proofs
 * say (`wide-pieces`, `nested-pieces`).
 *
 *   --into DIR  where the results are
 *   --only TEXT (of a story's name), --model MODEL,…  what is tried; all models: the default list
 *   --wide DISKS  about so many disks of a workload
 *   --seconds CPU  no piece is begun after that
 *   --sum  tries nothing, and says what DIR has
 */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** The words that all such proofs have, for `parseArgs`. */
export const PIECE_OPTIONS = {
  into: { type: 'string' },
  only: { type: 'string', default: '' },
  model: { type: 'string', default: '' },
  wide: { type: 'string', default: '2000' },
  seconds: { type: 'string', default: 'Infinity' },
  sum: { type: 'boolean', default: false },
} as const;

/** Bytes of the name of a disk. */
const NAME_BYTES = 8;

/** What every piece leaves. */
export interface PieceResult {
  readonly story: string;
  readonly model: string;
  /** What was found, a line each. */
  readonly failures: readonly string[];
  /** Of a processor. */
  readonly seconds: number;
}

/** What the keeper does not know by itself. */
export type Explored<Result extends PieceResult> = Omit<Result, 'seconds'>;

export interface Piece<Result extends PieceResult> {
  /** Of its files. */
  readonly name: string;
  /** Its result, and the names of its disks in hexadecimal digits. */
  readonly explore: () => Promise<readonly [Explored<Result>, Iterable<string>]>;
}

/** A piece that is there. */
export interface KeptPiece<Result extends PieceResult> {
  readonly result: Result;
  readonly names: Buffer;
}

export class PieceKeeper<Result extends PieceResult> {
  readonly #directory: string;

  /** @throws Error where no directory is given */
  constructor(directory: string | undefined) {
    if (directory === undefined) throw new Error('--into DIR: where the results go');
    this.#directory = directory;
  }

  /** Explores the pieces that are not there, and says a line of each; none is begun after `seconds`. */
  async exploreAll(
    pieces: Iterable<Piece<Result>>,
    { seconds, lineOf }: { readonly seconds: number; readonly lineOf: (result: Result) => string },
  ): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    for (const { name, explore } of pieces) {
      const base = join(this.#directory, name);
      if (existsSync(`${base}.json`)) continue;
      const start = process.cpuUsage().user / 1e6;
      if (start > seconds) return;
      const [explored, names] = await explore();
      // What was explored has all of a result but the time.
      const result = { ...explored, seconds: process.cpuUsage().user / 1e6 - start } as Result;
      writeFileSync(`${base}.disks`, Buffer.from([...names].join(''), 'hex'));
      writeFileSync(`${base}.part`, JSON.stringify(result));
      // The result last: a piece that is there is whole.
      renameSync(`${base}.part`, `${base}.json`);
      console.log(lineOf(result));
    }
  }

  /** All that are there, by name. */
  all(): KeptPiece<Result>[] {
    const files = readdirSync(this.#directory).filter((name) => name.endsWith('.json'));
    return files.toSorted().map((file) => {
      const path = join(this.#directory, file);
      const result = JSON.parse(readFileSync(path, 'utf8')) as Result;
      return { result, names: readFileSync(path.replace(/json$/, 'disks')) };
    });
  }
}

/** How many different disks pieces have together. */
export function differentDisks(pieces: readonly Pick<KeptPiece<PieceResult>, 'names'>[]): number {
  const different = new Set<string>();
  for (const { names } of pieces) {
    for (let at = 0; at < names.length; at += NAME_BYTES) {
      different.add(names.toString('latin1', at, at + NAME_BYTES));
    }
  }
  return different.size;
}

/** By story, in the order in which they come. */
export function byStory<Result extends PieceResult>(
  results: readonly Result[],
): ReadonlyMap<string, readonly Result[]> {
  const stories = new Map<string, Result[]>();
  for (const result of results) {
    const { story } = result;
    stories.set(story, [...(stories.get(story) ?? []), result]);
  }
  return stories;
}

export function modelsOf(results: readonly PieceResult[]): string {
  return [...new Set(results.map(({ model }) => model))].join(', ');
}

/** What failed; then the exit status of the process says so too. */
export function failuresOf(results: readonly PieceResult[]): string {
  const failures = results.flatMap((result) => result.failures);
  if (failures.length === 0) return 'none failed';
  process.exitCode = 1;
  return `FAILED: ${failures.join('; ')}`;
}

/** How many failed, for the last cell of a story. */
export function failedCell(results: readonly PieceResult[]): string {
  const failed = results.flatMap(({ failures }) => failures).length;
  return failed === 0 ? 'none' : String(failed);
}

/** What was found, for the last cells of a piece. */
export function foundCells({ failures }: PieceResult): string[] {
  return failures.map((failure) => `FOUND ${failure}`);
}
