/**
 * Crashes inside recovery and faults, both widely, in pieces: one for each story and model, whose results stay in a
 * directory, so that a run that was interrupted, or is split over several, goes on where it was; and the sum of all of
 * them. What is proved, the caller says.
 *
 *   --into DIR  where the results are
 *   --part nested|faults, --only TEXT (of a story's name), --model MODEL,…  what is tried; all models: the default list
 *   --wide DISKS  about so many disks of a workload, whose classes the recoveries begin from
 *   --recoveries N,M,…  recoveries that are cut at most, for each depth
 *   --faults N  runs with each kind of fault, at most
 *   --disks DISKS  about so many disks of a recovery, or of a run with a fault
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
import { parseArgs } from 'node:util';

import { DEFAULT_MODELS } from '../../src/lab/model/model-list.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { exploreFaults } from './faulted-exploration.ts';
import { evenly, NestedExploration, type CutRecoveries } from './nested-exploration.ts';
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
    into: { type: 'string' },
    part: { type: 'string', default: 'nested,faults' },
    only: { type: 'string', default: '' },
    model: { type: 'string', default: '' },
    wide: { type: 'string', default: '2000' },
    recoveries: { type: 'string', default: '500,50' },
    faults: { type: 'string', default: 'Infinity' },
    disks: { type: 'string', default: '60' },
    seconds: { type: 'string', default: 'Infinity' },
    sum: { type: 'boolean', default: false },
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
interface PieceResult {
  readonly part: Part;
  readonly story: string;
  readonly model: string;
  readonly rows: readonly Row[];
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** What a piece found. */
interface Found {
  readonly rows: readonly Row[];
  readonly failures: readonly string[];
  /** Those of the crashes inside recoveries, or of the runs with a fault. */
  readonly names: ReadonlySet<string>;
}

const NAME_BYTES = 8;

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

/** What is there to be tried, the weakest models first. */
function* pieces<Story extends { readonly name: string }>(
  { stories, testOf, faultyOf, judgingOf }: NestedSubject<Story>,
  directory: string,
): Generator<{
  story: string;
  part: Part;
  model: string;
  base: string;
  run: () => Promise<Found>;
}> {
  const models = values.model === '' ? MODELS : values.model.split(',');
  for (const part of PARTS.filter((each) => values.part.split(',').includes(each))) {
    for (const model of models) {
      for (const [index, story] of stories.entries()) {
        if (!story.name.includes(values.only)) continue;
        const test = part === 'nested' ? testOf(story) : faultyOf(story);
        if (test === null) continue;
        const base = join(directory, `${part}-${String(index).padStart(2, '0')}-${model}`);
        const explored = part === 'nested' ? exploreNested : exploreFaulted;
        const run = (): Promise<Found> => explored(test, judgingOf(story), model);
        yield { story: story.name, part, model, base, run };
      }
    }
  }
}

async function exploreAll<Story extends { readonly name: string }>(
  subject: NestedSubject<Story>,
  directory: string,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const { story, part, model, base, run } of pieces(subject, directory)) {
    if (existsSync(`${base}.json`)) continue;
    if (process.cpuUsage().user / 1e6 > Number(values.seconds)) return;
    const start = process.cpuUsage().user;
    const { rows, failures, names } = await run();
    const seconds = (process.cpuUsage().user - start) / 1e6;
    const result: PieceResult = { part, story, model, rows, failures, seconds };
    writeFileSync(`${base}.disks`, Buffer.from([...names].join(''), 'hex'));
    writeFileSync(`${base}.part`, JSON.stringify(result));
    // The result last: a piece that is there is whole.
    renameSync(`${base}.part`, `${base}.json`);
    console.log(lineOf(result));
  }
}

function lineOf({ story, model, rows, failures, seconds }: PieceResult): string {
  const found = failures.map((failure) => `FOUND ${failure}`);
  return `| ${[story, model, ...rows.map(rowText), `${seconds.toFixed(1)} s`, ...found].join(' | ')} |`;
}

function rowText({ what, cut, of, whole, disks, looks, classes, probed }: Row): string {
  return (
    `${what} ${cut}/${of} (${whole} whole): ${disks} disks, ${looks} looks, ${classes} classes, ` +
    `${probed} probed`
  );
}

/** For each part: a line for each story, and the sum of all. */
function sum(directory: string): void {
  const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
  const results = files.toSorted().map((file) => {
    const result = JSON.parse(readFileSync(join(directory, file), 'utf8')) as PieceResult;
    return { result, names: readFileSync(join(directory, file.replace(/json$/, 'disks'))) };
  });
  for (const part of PARTS) {
    const ofPart = results.filter(({ result }) => result.part === part);
    if (ofPart.length === 0) continue;
    const all = ofPart.map(({ result }) => result);
    for (const story of new Set(all.map((each) => each.story))) {
      console.log(
        storyLine(
          story,
          all.filter((each) => each.story === story),
        ),
      );
    }
    const names = new Set<string>();
    for (const each of ofPart) {
      for (let at = 0; at < each.names.length; at += NAME_BYTES) {
        names.add(each.names.toString('latin1', at, at + NAME_BYTES));
      }
    }
    const failures = all.flatMap((each) => each.failures);
    const models = new Set(all.map(({ model }) => model));
    const seconds = all.reduce((total, each) => total + each.seconds, 0);
    console.log(
      `${part}: ${all.length} pieces, models ${[...models].join(', ')}; ${names.size} different disks; ` +
        `${totalsOf(all).map(rowText).join('; ')}; ${seconds.toFixed(0)} s; ` +
        (failures.length === 0 ? 'none failed' : `FAILED: ${failures.join('; ')}`),
    );
    if (failures.length > 0) process.exitCode = 1;
  }
}

/** `| story | models | cut and disks, for each kind of rows but the workload's | looks | classes | failed |` */
function storyLine(story: string, results: readonly PieceResult[]): string {
  const models = results.map(({ model }) => model).join(', ');
  const kinds = totalsOf(results).filter(({ what }) => what !== 'workload');
  const cells = kinds.flatMap(({ cut, of, disks }) => [
    cut === of ? cut : `${cut} of ${of}`,
    disks,
  ]);
  const looks = kinds.reduce((all, kind) => all + kind.looks, 0);
  const classes = kinds.reduce((all, kind) => all + kind.classes, 0);
  const failed = results.flatMap(({ failures }) => failures).length;
  const end = [looks, classes, failed === 0 ? 'none' : failed];
  return `| ${[story, models, ...cells, ...end].join(' | ')} |`;
}

/** The rows of several pieces, those of one kind together. */
function totalsOf(results: readonly PieceResult[]): Row[] {
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
  if (values.into === undefined) throw new Error('--into DIR: where the results go');
  if (values.sum) sum(values.into);
  else await exploreAll(subject, values.into);
}
