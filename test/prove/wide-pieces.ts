/**
 * A wide proof in pieces (`piece-keeper`, which has the words): one for each story and model; and the sum of all of them.
 * What is proved, the caller says.
 */

import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import type { CrashTest, Recover } from '../../src/lab/suite/crash-test.ts';
import {
  byStory,
  differentDisks,
  failedCell,
  failuresOf,
  foundCells,
  modelsOf,
  PIECE_OPTIONS,
  PieceKeeper,
  type Explored,
  type Piece,
  type PieceResult,
} from './piece-keeper.ts';
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
    ...PIECE_OPTIONS,
    wide: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '250' },
  },
});

/** What a piece leaves, beside the names of its disks. */
interface WideResult extends PieceResult {
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
}

async function explorePiece<Story extends { readonly name: string }>(
  subject: WideSubject<Story>,
  story: Story,
  model: string,
): Promise<readonly [Explored<WideResult>, Iterable<string>]> {
  const tally = new WideTally();
  const counted = { tally, classOf: subject.classOf };
  const disks = Number(values.wide);
  const test = subject.testOf(story);
  const recover = subject.recoverOf(story);
  const [one] = await exploreWidely(test, recover, [model], disks, counted);
  if (one === undefined) throw new Error(`no exploration of ${model}`);
  const explored = {
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
  };
  return [explored, tally.names];
}

/** What is there to be tried. */
function* piecesOf<Story extends { readonly name: string }>(
  subject: WideSubject<Story>,
): Generator<Piece<WideResult>> {
  const models = values.model === '' ? DEFAULT_MODELS : values.model.split(',');
  for (const [index, story] of subject.stories.entries()) {
    if (!story.name.includes(values.only)) continue;
    for (const model of models) {
      const name = `${String(index).padStart(2, '0')}-${model}`;
      yield { name, explore: () => explorePiece(subject, story, model) };
    }
  }
}

function lineOf(piece: WideResult): string {
  const { story, model, disks, looks, classes, probed, crashPoints, states, seconds } = piece;
  const cells = [story, model, crashPoints, states, disks, looks, classes, probed];
  const share = `${piece.walkedPoints} of ${piece.decidingPoints} points`;
  const end = [piece.whole ? 'all' : `sampled, ${share}`, ...foundCells(piece)];
  return `| ${[...cells, seconds.toFixed(1), ...end].join(' | ')} |`;
}

/** A line for each story, and the different disks of all of them. */
function sum(keeper: PieceKeeper<WideResult>): void {
  const kept = keeper.all();
  const all = kept.map(({ result }) => result);
  const stories = byStory(all);
  for (const [story, results] of stories) console.log(storyLine(story, results));
  console.log(
    `${differentDisks(kept)} different disks; stories: ${stories.size}, models: ${modelsOf(all)}, ` +
      `pieces: ${all.length}; ${total(all, 'looks')} looked at with what was promised, ` +
      `${total(all, 'classes')} classes recovered to the end, ${total(all, 'probed')} more to compare; ` +
      failuresOf(all),
  );
}

/** `| story | crash points | disks of each model | looked at | classes | exhaustive | failed |` */
function storyLine(story: string, pieces: readonly WideResult[]): string {
  const points = Math.max(...pieces.map(({ crashPoints }) => crashPoints));
  const disks = pieces.map((piece) => `${piece.model} ${piece.disks}${piece.whole ? '' : '+'}`);
  const cells = [story, points, disks.join(', '), total(pieces, 'looks'), total(pieces, 'classes')];
  return `| ${[...cells, failedCell(pieces)].join(' | ')} |`;
}

function total(pieces: readonly WideResult[], what: 'looks' | 'classes' | 'probed'): number {
  return pieces.reduce((all, piece) => all + piece[what], 0);
}

/** Does what the words of the command line say: explores what is missing, or adds up what is there. */
export async function runWidePieces<Story extends { readonly name: string }>(
  subject: WideSubject<Story>,
): Promise<void> {
  const keeper = new PieceKeeper<WideResult>(values.into);
  if (values.sum) sum(keeper);
  else await keeper.exploreAll(piecesOf(subject), { seconds: Number(values.seconds), lineOf });
}
