/**
 * The mutation run of the write-ahead log: every sync, directory sync, and order of names taken away in turn, in the
 * programs and in recovery. What is taken away is a place in the code; a story that does without it says nothing as
 * long as another one does not, so a place is done when one story needs it. Fails when a place is left that no story needs and that `wal-survivors.ts` does not
 * have, with its reason.
 *
 *   npm run prove:wal:mutations -- [--into DIR] [--only TEXT] [--budget DISKS] [--seconds CPU]
 *
 * With `--into` the results of each story stay there, and another run goes on where this one was.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { crashTestOf, WAL_STORIES, type WalStory } from '../lab/wal-stories.ts';
import { WAL_SURVIVORS } from '../lab/wal-survivors.ts';
import { MUTATION_KINDS, mutationRun, type Mutant } from '../support/mutation-run.ts';

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    budget: { type: 'string', default: '300' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});

const KINDS = [...MUTATION_KINDS, 'reordered'] as const;
/** The weakest first: it catches nearly all. */
const MODELS = ['posix', 'ext4'];
const PROGRAMS = ['workload', 'recover'] as const;
type Program = (typeof PROGRAMS)[number];

/** Names of temporary files differ from run to run. */
const RANDOM_NAME = /\S*\.holdfast-\S*\.tmp/;

/** What became of the mutants of one place. */
interface Place {
  mutants: number;
  caught: number;
  /** Stories in which one of them survived. */
  readonly survivedIn: string[];
}

async function main(): Promise<void> {
  const places = new Map<string, Place>();
  let pieces = 0;
  const stories = WAL_STORIES.filter(({ name }) => name.includes(values.only));
  if (values.into !== '') mkdirSync(values.into, { recursive: true });
  for (const program of PROGRAMS) {
    for (const story of stories) {
      const mutants = await mutantsOf(story, program, places);
      if (mutants === null) continue;
      pieces++;
      for (const mutant of mutants) note(places, mutant, `${story.name}, ${program}`);
    }
  }
  sum(places);
  console.log(`${pieces} of ${stories.length * PROGRAMS.length} pieces`);
}

/** From an earlier run, or made now; null when the time is over. */
async function mutantsOf(
  story: WalStory,
  program: Program,
  places: ReadonlyMap<string, Place>,
): Promise<Mutant[] | null> {
  const index = String(WAL_STORIES.indexOf(story)).padStart(2, '0');
  const path = values.into === '' ? null : join(values.into, `${index}-${program}.json`);
  if (path !== null && existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Mutant[];
  if (process.cpuUsage().user / 1e6 > Number(values.seconds)) return null;
  // What recovery syncs is missed only by a crash inside it, or after it.
  const nested = program === 'recover' ? 1 : 0;
  const test: CrashTest = { ...crashTestOf(story), nested, budget: Number(values.budget) };
  // A place that a story needs is not taken away again, nor one that is listed when two stories have agreed.
  const skip = (mutant: Pick<Mutant, 'kind' | 'what'>): boolean => {
    const place = places.get(placeOf(mutant));
    if (place === undefined) return false;
    const listed = Object.hasOwn(WAL_SURVIVORS, placeOf(mutant));
    return place.caught > 0 || (listed && place.mutants >= 2);
  };
  const mutants = await mutationRun(test, { models: MODELS, program, kinds: KINDS, skip });
  const caught = mutants.filter(({ caughtBy }) => caughtBy !== null);
  console.log(`${story.name}, ${program}: ${caught.length} of ${mutants.length} caught`);
  if (path !== null) {
    writeFileSync(`${path}.part`, JSON.stringify(mutants));
    renameSync(`${path}.part`, path);
  }
  return mutants;
}

function placeOf({ kind, what }: Pick<Mutant, 'kind' | 'what'>): string {
  return `${kind}: ${what}`.replace(RANDOM_NAME, 'TEMPORARY');
}

function note(places: Map<string, Place>, mutant: Mutant, where: string): void {
  const name = placeOf(mutant);
  const place = places.get(name) ?? { mutants: 0, caught: 0, survivedIn: [] };
  places.set(name, place);
  place.mutants++;
  if (mutant.caughtBy !== null) place.caught++;
  else if (place.survivedIn.at(-1) !== where) place.survivedIn.push(where);
}

function sum(places: ReadonlyMap<string, Place>): void {
  let [mutants, caught, needed] = [0, 0, 0];
  const unexpected: string[] = [];
  for (const [name, place] of [...places].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    mutants += place.mutants;
    caught += place.caught;
    if (place.caught > 0) needed++;
    const listed = Object.hasOwn(WAL_SURVIVORS, name);
    if (place.caught === 0 && !listed) unexpected.push(name);
    const verdict = place.caught > 0 ? 'needed' : listed ? 'listed' : 'SURVIVED';
    console.log(`  ${verdict} ${name}: ${place.caught} of ${place.mutants} caught`);
    if (place.caught === 0) console.log(`    ${place.survivedIn.join('; ')}`);
  }
  console.log(
    `${mutants} mutants of ${places.size} places, ${caught} caught, ${needed} places needed`,
  );
  if (unexpected.length === 0) return;
  console.log(`not listed:\n  ${unexpected.join('\n  ')}`);
  process.exitCode = 1;
}

await main();
