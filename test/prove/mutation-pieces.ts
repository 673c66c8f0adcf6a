/**
 * A mutation run in pieces: every sync, directory sync, durable open and order of names taken away in turn, in the
 * programs of stories and in their recoveries. What is taken away is a place in the code, known by the functions that
 * make the call. A story that does without it says nothing as long as another one does not: a place is done when one
 * story needs it, and is not tried in others. Fails when a place is left that no story needs and that the list of
 * survivors does not have, with its reason. Whose stories, the caller says.
 *
 *   --into DIR  the results of each story and program stay there, mutant by mutant, and another run goes on
 *   --only TEXT, --program workload|recover, --budget DISKS (of each mutant and model)
 *   --seconds CPU  no mutant is begun after that
 *   --sum  tries nothing, and says what DIR has
 */

import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { findsFailure } from '../../src/lab/suite/explore-crash-test.ts';
import { MUTATION_KINDS, placeMutationRun } from '../support/mutation-run.ts';
import type { MutantName, PlaceMutant, PlaceRunOptions } from '../support/mutation-run.ts';

export type MutatedProgram = 'workload' | 'recover';

/** What is mutated. */
export interface MutationSubject<Story extends { readonly name: string }> {
  readonly stories: readonly Story[];
  /** The test in which mutants of a program are looked for, with so many disks. */
  readonly testOf: (story: Story, program: MutatedProgram, budget: number) => CrashTest;
  /** How a failure of the test is looked for, where the suite's way is not meant. */
  readonly findsOf?: (story: Story, program: MutatedProgram) => PlaceRunOptions['finds'];
  /** The weakest first: it catches nearly all. @default posix, ext4 */
  readonly models?: readonly string[];
  /** What differs from file to file in what is said of a place, and what is said instead. */
  readonly names?: readonly (readonly [RegExp, string])[];
  /** Places that no story needs, each with the reason. */
  readonly survivors: Readonly<Record<string, string>>;
  /** @default 300 */
  readonly budget?: number;
}

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    program: { type: 'string', default: 'workload,recover' },
    budget: { type: 'string', default: '' },
    seconds: { type: 'string', default: 'Infinity' },
    sum: { type: 'boolean', default: false },
  },
});

const BUDGET_DEFAULT = 300;
const BUDGET_FIRST = 40;
const KINDS = [...MUTATION_KINDS, 'reordered'] as const;
const PROGRAMS: readonly MutatedProgram[] = ['workload', 'recover'];
const MODELS = ['posix', 'ext4'];
/** Names of temporary files differ from run to run. */
const TEMPORARY = /\S*\.holdfast-\S*\.tmp/g;
/** Stories that have to agree that a listed place is not needed. */
const AGREEING = 2;

/** What became of the mutants of one place. */
interface Place {
  mutants: number;
  caught: number;
  /** Pieces in which one of them survived. */
  readonly survivedIn: string[];
}

/** The mutants of one program of one story. */
interface Piece {
  readonly name: string;
  /** A line for each mutant, and a last one when the piece is whole. */
  readonly path: string | null;
  readonly mutants: PlaceMutant[];
  whole: boolean;
}

const WHOLE = '"whole"';

/** Runs what the arguments of the process ask for; the exit status is 1 when a place survived. */
export async function runMutationPieces<Story extends { readonly name: string }>(
  subject: MutationSubject<Story>,
): Promise<void> {
  const run = new MutationPieces(subject);
  if (!values.sum) await run.tryAll();
  run.sum();
}

/** No mutant is begun any more. */
class TimeOver extends Error {}

class MutationPieces<Story extends { readonly name: string }> {
  readonly #subject: MutationSubject<Story>;
  readonly #pieces = new Map<string, Piece>();
  readonly #places = new Map<string, Place>();

  constructor(subject: MutationSubject<Story>) {
    this.#subject = subject;
    if (values.into !== '') mkdirSync(values.into, { recursive: true });
    // All that is known, so that nothing is tried that an earlier run has found needed.
    for (const [index, story] of subject.stories.entries()) {
      for (const program of PROGRAMS) this.#load(story, program, index);
    }
  }

  async tryAll(): Promise<void> {
    const programs = PROGRAMS.filter((program) => values.program.split(',').includes(program));
    for (const program of programs) {
      for (const story of this.#subject.stories) {
        const piece = this.#pieces.get(nameOf(story, program))!;
        if (piece.whole || !story.name.includes(values.only)) continue;
        try {
          await this.#try(piece, story, program);
        } catch (error) {
          if (error instanceof TimeOver) return;
          throw error;
        }
      }
    }
  }

  #load(story: Story, program: MutatedProgram, index: number): void {
    const name = nameOf(story, program);
    const file = `${String(index).padStart(2, '0')}-${program}.jsonl`;
    const path = values.into === '' ? null : join(values.into, file);
    const piece: Piece = { name, path, mutants: [], whole: false };
    this.#pieces.set(name, piece);
    if (path === null || !existsSync(path)) return;
    const [first = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n');
    if (first !== JSON.stringify(name)) throw new Error(`${path} is of ${first}, not of ${name}`);
    piece.whole = lines.at(-1) === WHOLE;
    for (const line of lines) {
      if (line !== WHOLE) this.#note(piece, JSON.parse(line) as PlaceMutant);
    }
  }

  async #try(piece: Piece, story: Story, program: MutatedProgram): Promise<void> {
    const { testOf, findsOf, models = MODELS, budget = BUDGET_DEFAULT } = this.#subject;
    checkTime();
    const test = testOf(story, program, values.budget === '' ? budget : Number(values.budget));
    const { path } = piece;
    if (path !== null && !existsSync(path)) writeFileSync(path, `${JSON.stringify(piece.name)}\n`);
    const finds = findsOf?.(story, program) ?? findsSoon;
    await placeMutationRun(test, {
      models,
      program,
      kinds: KINDS,
      placeOf: (what) => this.#placeOf(what),
      skip: (mutant) => this.#isKnown(piece, mutant),
      onMutant: (mutant) => {
        if (path !== null) appendFileSync(path, `${JSON.stringify(mutant)}\n`);
        this.#note(piece, mutant);
        checkTime();
      },
      finds,
    });
    piece.whole = true;
    if (path !== null) appendFileSync(path, `${WHOLE}\n`);
    const caught = piece.mutants.filter(({ caughtBy }) => caughtBy !== null).length;
    console.log(`${piece.name}: ${caught} of ${piece.mutants.length} caught`);
  }

  #placeOf(what: string): string {
    const names = [[TEMPORARY, 'TEMPORARY'] as const, ...(this.#subject.names ?? [])];
    return names.reduce((said, [pattern, name]) => said.replace(pattern, name), what);
  }

  /** A place that a story needs is not taken away again, nor one that is listed when stories have agreed. */
  #isKnown(piece: Piece, mutant: MutantName): boolean {
    if (piece.mutants.some(({ kind, what }) => kind === mutant.kind && what === mutant.what)) {
      return true;
    }
    const name = `${mutant.kind}: ${mutant.what}`;
    const place = this.#places.get(name);
    if (place === undefined) return false;
    const isListed = Object.hasOwn(this.#subject.survivors, name);
    return place.caught > 0 || (isListed && place.mutants >= AGREEING);
  }

  #note(piece: Piece, { kind, what, caughtBy }: PlaceMutant): void {
    const named = this.#placeOf(what);
    piece.mutants.push({ kind, what: named, caughtBy });
    const name = `${kind}: ${named}`;
    const place = this.#places.get(name) ?? { mutants: 0, caught: 0, survivedIn: [] };
    this.#places.set(name, place);
    place.mutants++;
    if (caughtBy !== null) place.caught++;
    else place.survivedIn.push(piece.name);
  }

  sum(): void {
    const { survivors } = this.#subject;
    let [mutants, caught, needed] = [0, 0, 0];
    const unexpected: string[] = [];
    for (const [name, place] of [...this.#places].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      mutants += place.mutants;
      caught += place.caught;
      if (place.caught > 0) needed++;
      const isListed = Object.hasOwn(survivors, name);
      if (place.caught === 0 && !isListed) unexpected.push(name);
      const verdict = place.caught > 0 ? 'needed' : isListed ? 'listed' : 'SURVIVED';
      const needless = place.caught > 0 && isListed ? ' (and listed)' : '';
      console.log(`  ${verdict}${needless} ${name}: ${place.caught} of ${place.mutants} caught`);
      if (place.caught === 0) console.log(`    ${place.survivedIn.join('; ')}`);
    }
    const whole = [...this.#pieces.values()].filter((piece) => piece.whole).length;
    const unmet = Object.keys(survivors).filter((name) => !this.#places.has(name));
    if (unmet.length > 0 && whole === this.#pieces.size)
      console.log(`listed and not met:\n  ${unmet.join('\n  ')}`);
    console.log(
      `${mutants} mutants of ${this.#places.size} places, ${caught} caught, ${needed} places needed; ` +
        `${whole} of ${this.#pieces.size} pieces`,
    );
    if (unexpected.length === 0) return;
    console.log(`not listed:\n  ${unexpected.join('\n  ')}`);
    process.exitCode = 1;
  }
}

function nameOf({ name }: { readonly name: string }, program: MutatedProgram): string {
  return `${name}, ${program}`;
}

/** On a few disks first, which catch nearly all. */
async function findsSoon(test: CrashTest): Promise<boolean> {
  return (await findsFailure({ ...test, budget: BUDGET_FIRST })) || (await findsFailure(test));
}

function checkTime(): void {
  if (process.cpuUsage().user / 1e6 > Number(values.seconds)) throw new TimeOver();
}
