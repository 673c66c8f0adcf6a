/**
 * Crashes inside recovery and faults, both widely, in pieces (`piece-keeper`, which has the other words): one for each
 * story and model; and the sum of all of them. What is proved, the caller says.
 *
 *   --part nested|faults  what is tried
 *   --wide DISKS  about so many disks of a workload, whose classes the recoveries begin from
 *   --recoveries N,M,…  recoveries that are cut at most, for each depth
 *   --faults N  runs with each kind of fault, at most
 *   --disks DISKS  about so many disks of a recovery, or of a run with a fault
 */

import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { exploreFaults } from './faulted-exploration.ts';
import { evenly, NestedExploration, type CutRecoveries } from './nested-exploration.ts';
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
  type KeptPiece,
  type Piece,
  type PieceResult,
} from './piece-keeper.ts';
import type { Judging, WideTally } from './wide-judge.ts';

/** What is tried. */
export interface NestedSubject<Story extends { readonly name: string }> {
  readonly stories: readonly Story[];
  /** With the recovery that is cut, and the check of what it leaves uncut. */
  readonly testOf: (story: Story) => CrashTest;
  /** The story when calls may fail; null: it is not for that. */
  readonly faultyOf: (story: Story) => CrashTest | null;
  readonly judgingOf: (story: Story) => Judging;
}

const { values } = parseArgs({
  options: {
    ...PIECE_OPTIONS,
    part: { type: 'string', default: 'nested,faults' },
    recoveries: { type: 'string', default: '500,50' },
    faults: { type: 'string', default: 'Infinity' },
    disks: { type: 'string', default: '60' },
  },
});

type Part = 'nested' | 'faults';
const PARTS: readonly Part[] = ['nested', 'faults'];
/** The weakest first. */
const MODELS = ['posix', 'ext4', ...DEFAULT_MODELS].filter(
  (model, index, all) => all.indexOf(model) === index,
);

/** What was cut: a workload, the recoveries of one depth, or runs with a fault. */
interface Row {
  readonly what: string;
  /** So many of so many, and those of which every disk was looked at. */
  readonly cut: number;
  readonly of: number;
  readonly whole: number;
  readonly disks: number;
  readonly looks: number;
  readonly classes: number;
  readonly probed: number;
}

/** What a piece leaves, beside the names of its disks. */
interface NestedResult extends PieceResult {
  readonly part: Part;
  readonly rows: readonly Row[];
}

/** What a piece found. */
interface Found {
  readonly rows: readonly Row[];
  readonly failures: readonly string[];
  /** Those of the crashes inside recoveries, or of the runs with a fault. */
  readonly names: ReadonlySet<string>;
}

function rowOf(what: string, counts: Pick<Row, 'cut' | 'of' | 'whole'>, tally: WideTally): Row {
  const { cut, of, whole } = counts;
  const { disks, asked, recovered, probed } = tally;
  return { what, cut, of, whole, disks, looks: asked, classes: recovered - probed, probed };
}

async function exploreNested(test: CrashTest, judging: Judging, model: string): Promise<Found> {
  const nested = await NestedExploration.of(test, judging, model, Number(values.wide));
  const { base } = nested;
  const rows = [rowOf('workload', { cut: 1, of: 1, whole: Number(base.complete) }, nested.tally)];
  const failures = base.violations.map(({ message }) => message);
  const names = new Set<string>();
  let { classes } = nested;
  for (const [index, most] of values.recoveries.split(',').map(Number).entries()) {
    const depth = `depth ${index + 1}`;
    const chosen = evenly(classes, most);
    const cut: CutRecoveries = await nested.cut(test, chosen, { disks: Number(values.disks) });
    rows.push(rowOf(depth, { ...cut, of: classes.length }, cut.tally));
    failures.push(...cut.failures.map((failure) => `${depth}, ${failure}`));
    for (const name of cut.tally.names) names.add(name);
    classes = cut.classes;
  }
  return { rows, failures, names };
}

async function exploreFaulted(test: CrashTest, judging: Judging, model: string): Promise<Found> {
  const limits = { runs: Number(values.faults), disks: Number(values.disks) };
  const { runs, of, whole, tally, failures } = await exploreFaults(test, judging, model, limits);
  return { rows: [rowOf('faults', { cut: runs, of, whole }, tally)], failures, names: tally.names };
}

async function explorePiece<Story extends { readonly name: string }>(
  { judgingOf }: NestedSubject<Story>,
  part: Part,
  story: Story,
  { test, model }: { readonly test: CrashTest; readonly model: string },
): Promise<readonly [Explored<NestedResult>, Iterable<string>]> {
  const explore = part === 'nested' ? exploreNested : exploreFaulted;
  const { rows, failures, names } = await explore(test, judgingOf(story), model);
  return [{ part, story: story.name, model, rows, failures }, names];
}

/** What is there to be tried, the weakest models first. */
function* piecesOf<Story extends { readonly name: string }>(
  subject: NestedSubject<Story>,
): Generator<Piece<NestedResult>> {
  const models = values.model === '' ? MODELS : values.model.split(',');
  for (const part of PARTS.filter((each) => values.part.split(',').includes(each))) {
    const testOf = part === 'nested' ? subject.testOf : subject.faultyOf;
    for (const model of models) {
      for (const [index, story] of subject.stories.entries()) {
        if (!story.name.includes(values.only)) continue;
        const test = testOf(story);
        if (test === null) continue;
        const name = `${part}-${String(index).padStart(2, '0')}-${model}`;
        yield { name, explore: () => explorePiece(subject, part, story, { test, model }) };
      }
    }
  }
}

function lineOf(result: NestedResult): string {
  const { story, model, rows, seconds } = result;
  const cells = [story, model, ...rows.map(rowText), `${seconds.toFixed(1)} s`];
  return `| ${[...cells, ...foundCells(result)].join(' | ')} |`;
}

function rowText({ what, cut, of, whole, disks, looks, classes, probed }: Row): string {
  return (
    `${what} ${cut}/${of} (${whole} whole): ${disks} disks, ${looks} looks, ${classes} classes, ` +
    `${probed} probed`
  );
}

/** For each part: a line for each story, and the sum of all. */
function sum(keeper: PieceKeeper<NestedResult>): void {
  const kept = keeper.all();
  for (const part of PARTS) {
    const ofPart = kept.filter(({ result }) => result.part === part);
    if (ofPart.length > 0) sumPart(part, ofPart);
  }
}

function sumPart(part: Part, kept: readonly KeptPiece<NestedResult>[]): void {
  const all = kept.map(({ result }) => result);
  for (const [story, results] of byStory(all)) console.log(storyLine(story, results));
  const seconds = all.reduce((total, each) => total + each.seconds, 0);
  console.log(
    `${part}: ${all.length} pieces, models ${modelsOf(all)}; ${differentDisks(kept)} different disks; ` +
      `${totalsOf(all).map(rowText).join('; ')}; ${seconds.toFixed(0)} s; ${failuresOf(all)}`,
  );
}

/** `| story | models | cut and disks, for each kind of rows but the workload's | looks | classes | failed |` */
function storyLine(story: string, results: readonly NestedResult[]): string {
  const models = results.map(({ model }) => model).join(', ');
  const kinds = totalsOf(results).filter(({ what }) => what !== 'workload');
  const cells = kinds.flatMap(({ cut, of, disks }) => [
    cut === of ? cut : `${cut} of ${of}`,
    disks,
  ]);
  const looks = kinds.reduce((all, kind) => all + kind.looks, 0);
  const classes = kinds.reduce((all, kind) => all + kind.classes, 0);
  const end = [looks, classes, failedCell(results)];
  return `| ${[story, models, ...cells, ...end].join(' | ')} |`;
}

/** The rows of several pieces, those of one kind together. */
function totalsOf(results: readonly NestedResult[]): Row[] {
  const rows = results.flatMap((result) => result.rows);
  return [...new Set(rows.map(({ what }) => what))].map((what) => {
    const total = (key: Exclude<keyof Row, 'what'>): number =>
      rows.reduce((all, row) => all + (row.what === what ? row[key] : 0), 0);
    return {
      what,
      cut: total('cut'),
      of: total('of'),
      whole: total('whole'),
      disks: total('disks'),
      looks: total('looks'),
      classes: total('classes'),
      probed: total('probed'),
    };
  });
}

/** Does what the words of the command line say: explores what is missing, or adds up what is there. */
export async function runNestedPieces<Story extends { readonly name: string }>(
  subject: NestedSubject<Story>,
): Promise<void> {
  const keeper = new PieceKeeper<NestedResult>(values.into);
  if (values.sum) sum(keeper);
  else await keeper.exploreAll(piecesOf(subject), { seconds: Number(values.seconds), lineOf });
}
