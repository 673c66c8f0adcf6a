/**
 * A wide proof in pieces: one for each story and model, whose results stay in a directory, so that a run that was
 * interrupted, or is split over several, goes on where it was; and the sum of all of them. What is proved, the caller says.
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
import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import type { CrashTest, Recover } from '../../src/lab/suite/crash-test.ts';
import { exploreWidely } from './wide-exploration.ts';
import { WideTally, type ClassOf } from './wide-judge.ts';

/** What is tried widely. */
export interface WideSubject<Story extends { readonly name: string }> {
  readonly stories: readonly Story[];
  readonly testOf: (story: Story) => CrashTest;
  /** What the next process does, without more. */
  readonly recoverOf: (story: Story) => Recover;
  /** What recovery acts on: disks of which it says the same are a class. */
  readonly classOf: ClassOf;
}

const { values } = parseArgs({
  options: {
    into: { type: 'string' },
    wide: { type: 'string', default: '20000' },
    only: { type: 'string', default: '' },
    model: { type: 'string', default: '' },
    seconds: { type: 'string', default: '250' },
    sum: { type: 'boolean', default: false },
  },
});

/** What a piece leaves, beside the names of its disks. */
interface PieceResult {
  readonly story: string;
  readonly model: string;
  readonly disks: number;
  readonly looks: number;
  readonly classes: number;
  readonly probed: number;
  readonly crashPoints: number;
  /** Those that the others follow from, and so many of them were walked. */
  readonly decidingPoints: number;
  readonly walkedPoints: number;
  readonly states: string;
  readonly whole: boolean;
  readonly failures: readonly string[];
  readonly seconds: number;
}

const NAME_BYTES = 8;

async function explorePiece<Story extends { readonly name: string }>(
  subject: WideSubject<Story>,
  story: Story,
  model: string,
  base: string,
): Promise<PieceResult> {
  const start = process.cpuUsage().user;
  const tally = new WideTally();
  const counted = { tally, classOf: subject.classOf };
  const disks = Number(values.wide);
  const test = subject.testOf(story);
  const recover = subject.recoverOf(story);
  const [one] = await exploreWidely(test, recover, [model], disks, counted);
  if (one === undefined) throw new Error(`no exploration of ${model}`);
  const result: PieceResult = {
    story: story.name,
    model,
    disks: tally.disks,
    looks: tally.asked,
    classes: tally.recovered - tally.probed,
    probed: tally.probed,
    crashPoints: one.crashPoints,
    decidingPoints: one.decidingPoints,
    walkedPoints: one.walkedPoints,
    states: String(one.rawStates ?? 'not counted'),
    whole: one.complete,
    failures: one.violations.map(({ message }) => message),
    seconds: (process.cpuUsage().user - start) / 1e6,
  };
  writeFileSync(`${base}.disks`, Buffer.from([...tally.names].join(''), 'hex'));
  writeFileSync(`${base}.part`, JSON.stringify(result));
  // The result last: a piece that is there is whole.
  renameSync(`${base}.part`, `${base}.json`);
  return result;
}

async function exploreAll<Story extends { readonly name: string }>(
  subject: WideSubject<Story>,
  directory: string,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const [index, story] of subject.stories.entries()) {
    if (!story.name.includes(values.only)) continue;
    for (const model of DEFAULT_MODELS) {
      const base = join(directory, `${String(index).padStart(2, '0')}-${model}`);
      if (values.model !== '' && values.model !== model) continue;
      if (existsSync(`${base}.json`)) continue;
      if (process.cpuUsage().user / 1e6 > Number(values.seconds)) return;
      console.log(lineOf(await explorePiece(subject, story, model, base)));
    }
  }
}

function lineOf(piece: PieceResult): string {
  const { story, model, disks, looks, classes, probed, crashPoints, states, seconds } = piece;
  const cells = [story, model, crashPoints, states, disks, looks, classes, probed];
  const share = `${piece.walkedPoints} of ${piece.decidingPoints} points`;
  const end = [
    piece.whole ? 'all' : `sampled, ${share}`,
    ...piece.failures.map((each) => `FOUND ${each}`),
  ];
  return `| ${[...cells, seconds.toFixed(1), ...end].join(' | ')} |`;
}

/** A line for each story, and the different disks of all of them. */
function sum(directory: string): void {
  const names = new Set<string>();
  const stories = new Map<string, PieceResult[]>();
  const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
  for (const file of files.toSorted()) {
    const piece = JSON.parse(readFileSync(join(directory, file), 'utf8')) as PieceResult;
    stories.set(piece.story, [...(stories.get(piece.story) ?? []), piece]);
    const bytes = readFileSync(join(directory, file.replace(/json$/, 'disks')));
    for (let at = 0; at < bytes.length; at += NAME_BYTES) {
      names.add(bytes.toString('latin1', at, at + NAME_BYTES));
    }
  }
  for (const [story, pieces] of stories) console.log(storyLine(story, pieces));
  const all = [...stories.values()].flat();
  const failures = all.flatMap((piece) => piece.failures);
  const models = new Set(all.map((piece) => piece.model));
  console.log(
    `${names.size} different disks; stories: ${stories.size}, models: ${[...models].join(', ')}, ` +
      `pieces: ${all.length}; ${total(all, 'looks')} looked at with what was promised, ` +
      `${total(all, 'classes')} classes recovered to the end, ${total(all, 'probed')} more to compare; ` +
      (failures.length === 0 ? 'none failed' : `FAILED: ${failures.join('; ')}`),
  );
  if (failures.length > 0) process.exitCode = 1;
}

/** `| story | crash points | disks of each model | looked at | classes | exhaustive | failed |` */
function storyLine(story: string, pieces: readonly PieceResult[]): string {
  const points = Math.max(...pieces.map(({ crashPoints }) => crashPoints));
  const disks = pieces.map((piece) => `${piece.model} ${piece.disks}${piece.whole ? '' : '+'}`);
  const failed = pieces.flatMap(({ failures }) => failures).length;
  const cells = [story, points, disks.join(', '), total(pieces, 'looks'), total(pieces, 'classes')];
  return `| ${[...cells, failed === 0 ? 'none' : failed].join(' | ')} |`;
}

function total(pieces: readonly PieceResult[], what: 'looks' | 'classes' | 'probed'): number {
  return pieces.reduce((all, piece) => all + piece[what], 0);
}

/** Does what the words of the command line say: explores what is missing, or adds up what is there. */
export async function runWidePieces<Story extends { readonly name: string }>(
  subject: WideSubject<Story>,
): Promise<void> {
  if (values.into === undefined) throw new Error('--into DIR: where the results go');
  if (values.sum) sum(values.into);
  else await exploreAll(subject, values.into);
}
