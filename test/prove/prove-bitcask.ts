/**
 * The long proof of Bitcask, beside the suite: every story under the models of the default list, with crashes inside
 * recovery; with a fault at each call, after which the process is killed and another one opens what it left; and
 * widely: many disks, each opened and judged once. Prints one line for each piece and fails when anything is found.
 *
 *   npm run prove:bitcask -- [--part stories|deep|faults|wide] [--only TEXT] [--models MODEL,…] [--budget DISKS]
 *                            [--wide DISKS] [--done FILE]
 *
 * `--budget` is for each piece, `--wide` for each story and model. `deep` has crashes inside the recovery of a crash
 * inside recovery, on small stories. `--done` names a file of pieces that have passed: they are not tried again, and
 * what passes is added, so that a long run can be had in parts.
 */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import { DiskKeys } from '../../src/lab/nested/disk-keys.ts';
import type { CrashTest, CrashTestResult, Recover } from '../../src/lab/suite/crash-test.ts';
import { explore } from '../../src/lab/suite/explore-crash-test.ts';
import { crashTestReport } from '../../src/lab/suite/suite-report.ts';
import { BITCASK_STORIES, EXPIRING } from '../lab/bitcask-stories.ts';
import type { BitcaskStory } from '../lab/bitcask-stories.ts';
import { engineCrashTest, faultyCrashTest, openAndJudge } from '../support/engine-story.ts';
import { exploreWidely } from './wide-exploration.ts';

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'stories,deep,faults,wide' },
    only: { type: 'string', default: '' },
    models: { type: 'string', default: DEFAULT_MODELS.join() },
    budget: { type: 'string', default: '2000' },
    wide: { type: 'string', default: '10000' },
    done: { type: 'string', default: '' },
  },
});

const MODELS = values.models.split(',');
/** Small enough for crashes two deep. */
const DEEP: readonly string[] = ['policies', 'killed', 'idle', 'emptied', 'expiring'];

interface Piece {
  readonly name: string;
  /** What was seen, in one line; null when something was found. */
  readonly run: () => Promise<string | null>;
}

function pieces(): Piece[] {
  const parts = values.part.split(',');
  const named = BITCASK_STORIES.filter(({ name }) => name.includes(values.only));
  const tests: { name: string; test: CrashTest }[] = named.map(({ name, subject, story }) => ({
    name,
    test: engineCrashTest(subject, story),
  }));
  if ('expiring'.includes(values.only)) tests.push({ name: 'expiring', test: EXPIRING });
  const made: Piece[] = [];
  if (parts.includes('stories')) {
    for (const { name, test } of tests) made.push(piece(`story ${name}`, { ...test, nested: 1 }));
  }
  if (parts.includes('deep')) {
    for (const { name, test } of tests) {
      if (DEEP.includes(name)) made.push(piece(`deep ${name}`, { ...test, nested: 2 }));
    }
  }
  if (parts.includes('faults')) {
    for (const { name, subject, story } of named) {
      made.push(piece(`faults ${name}`, { ...faultyCrashTest(subject, story), nested: 0 }));
    }
  }
  if (parts.includes('wide')) for (const story of named) made.push(widePiece(story));
  return made;
}

function piece(name: string, test: CrashTest): Piece {
  const run = async (): Promise<string | null> => {
    const result = await explore({ ...test, models: MODELS, budget: Number(values.budget) });
    if (result.verdict !== 'found') return certificateOf(result);
    console.log(crashTestReport(result, process.cwd()));
    return null;
  };
  return { name, run };
}

function certificateOf({ certificate }: CrashTestResult): string {
  const { disksChecked, models, nested, faults } = certificate;
  const points = Math.max(...models.map(({ crashPoints }) => crashPoints));
  const whole = models.filter(({ complete }) => complete).length;
  const inside = nested.map(
    ({ explored, recoveries, disksDistinct }) =>
      `${explored} of ${recoveries} recoveries cut, ${disksDistinct} disks`,
  );
  const cells = [
    `${disksChecked} disks checked`,
    `${points} crash points`,
    `${whole} of ${models.length} models exhaustive`,
    ...inside,
  ];
  if (faults.runs > 0) cells.push(`${faults.runs} runs with a fault, ${faults.threw} threw`);
  return cells.join('; ');
}

function widePiece({ name, subject, story }: BitcaskStory): Piece {
  const run = async (): Promise<string | null> => {
    const keys = new DiskKeys();
    const disks = new Set<string>();
    // Not what merging does in the background after opening: other pieces have that.
    const judge = openAndJudge({ ...subject, options: { ...subject.options, merge: false } });
    const recover: Recover = (vfs, context) => {
      disks.add(keys.keyOf(context.disk.root));
      return judge(vfs, context);
    };
    const test = engineCrashTest(subject, story);
    const explorations = await exploreWidely(test, recover, MODELS, Number(values.wide));
    const found = explorations.flatMap(({ model, violations }) =>
      violations.map(({ message }) => `FOUND ${name}, ${model.name}: ${message}`),
    );
    for (const line of found) console.log(line);
    if (found.length > 0) return null;
    const each = explorations.map(({ model, distinct, rawStates, complete }) => {
      const states = rawStates === null ? '' : ` of ${shortNumber(rawStates)}`;
      return `${model.name} ${distinct}${states}${complete ? '' : ' (sampled)'}`;
    });
    return `${disks.size} distinct disks; ${each.join(', ')}`;
  };
  return { name: `wide ${name}`, run };
}

function shortNumber(count: bigint): string {
  return count > 10n ** 9n ? `10^${String(count).length - 1}` : String(count);
}

/** Names of pieces that a run before has finished with these numbers. */
function donePieces(): Set<string> {
  if (values.done === '' || !existsSync(values.done)) return new Set();
  const lines = readFileSync(values.done, 'utf8').split('\n');
  return new Set(lines.map((line) => line.split(': ')[0] ?? ''));
}

async function main(): Promise<void> {
  const done = donePieces();
  const failed: string[] = [];
  for (const { name, run } of pieces()) {
    if (done.has(name)) continue;
    const start = process.cpuUsage();
    const seen = await run();
    const { user, system } = process.cpuUsage(start);
    const line = `${name}: ${seen ?? 'FOUND'}; ${((user + system) / 1e6).toFixed(0)} s of CPU`;
    console.log(line);
    if (seen === null) failed.push(name);
    else if (values.done !== '') appendFileSync(values.done, `${line}\n`);
  }
  console.log(failed.length === 0 ? 'nothing failed' : `failed: ${failed.join('; ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

await main();
