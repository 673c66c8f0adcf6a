/**
 * `npm run bench:growth -- [DIRECTORY] [--engine NAME]… [--entries-max N] [--seconds N] [--out DIRECTORY] [--again]`: the
 * cost of each engine as the work grows, from 10,000 to 10,000,000 entries and from 16 bytes to 1 MiB a value; figures
 * as JSON, a table and two charts an engine in `bench/results`. Small stores come first, and all is written after each
 * of them: a run that was stopped goes on where it was, `--again` measures anew. A store that takes longer than
 * `--seconds` is left out, and named.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { describeMachine } from '../machine.ts';
import { growthChart, short as brief } from './growth-chart.ts';
import { TooLong, measureGrowth } from './growth-run.ts';
import type { GrowthFigures, GrowthPoint } from './growth-run.ts';

const ENGINES = ['lsm', 'bitcask', 'btree'];
const TITLES: Readonly<Record<string, string>> = {
  lsm: 'LSM',
  bitcask: 'Bitcask',
  btree: 'B+tree',
};
const COUNTS = [10_000, 100_000, 1_000_000, 10_000_000];
const VALUE_BYTES = 100;
const SIZES = [16, 128, 1024, 16_384, 131_072, 1_048_576];
/** What the stores of the sizes hold, so that they differ by the size of a value only. */
const SIZES_BYTES = 128 << 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: 'string', multiple: true, default: ENGINES },
    'entries-max': { type: 'string', default: String(COUNTS.at(-1)) },
    seconds: { type: 'string', default: '900' },
    out: { type: 'string', default: 'bench/results' },
    again: { type: 'boolean', default: false },
  },
});

/** Points of every engine, the quick ones first. */
function pointsOf(engines: readonly string[]): GrowthPoint[] {
  const counts = COUNTS.filter((entries) => entries <= Number(values['entries-max']));
  const points = engines.flatMap((engine) => [
    ...counts.map((entries) => ({ engine, entries, valueBytes: VALUE_BYTES })),
    ...SIZES.map((valueBytes) => ({ engine, entries: entriesOf(valueBytes), valueBytes })),
  ]);
  return points.toSorted((a, b) => a.entries - b.entries);
}

function entriesOf(valueBytes: number): number {
  return Math.min(1_000_000, Math.floor(SIZES_BYTES / (valueBytes + 16)));
}

async function main(): Promise<void> {
  mkdirSync(values.out, { recursive: true });
  const parent = positionals[0] ?? tmpdir();
  mkdirSync(parent, { recursive: true });
  const about = `${describeMachine(parent)}; one pass`;
  const known = values.again ? [] : readFigures();
  const late: GrowthPoint[] = [];
  const directory = mkdtempSync(join(parent, 'holdfast-growth-'));
  try {
    for (const point of pointsOf(values.engine)) {
      if (known.some((one) => isOf(one, point))) continue;
      try {
        const now = await measureGrowth(point, directory, Number(values.seconds));
        known.push(now);
        process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${rowOf(now)}\n`);
      } catch (error) {
        if (!(error instanceof TooLong)) throw error;
        late.push(point);
        process.stderr.write(`${nameOf(point)}: ${error.message}\n`);
      }
      writeResults(about, known, late);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  process.stdout.write(writeResults(about, known, late));
}

function nameOf({ engine, entries, valueBytes }: GrowthPoint): string {
  return `${engine}, ${entries.toLocaleString('en')} entries of ${valueBytes} bytes`;
}

/** The file of figures, a table, and two charts of each engine. */
function writeResults(
  about: string,
  known: readonly GrowthFigures[],
  late: readonly GrowthPoint[],
): string {
  writeFileSync(fileOfFigures(), `${JSON.stringify({ about, figures: known }, undefined, 2)}\n`);
  const tables = ENGINES.flatMap((engine) => {
    const own = known.filter((one) => one.engine === engine);
    const grown = own.filter(({ valueBytes }) => valueBytes === VALUE_BYTES);
    const sized = own.filter(({ valueBytes }) => valueBytes !== VALUE_BYTES);
    writeCharts(engine, grown, sized);
    const byEntries = grown.toSorted((a, b) => a.entries - b.entries);
    const bySize = sized.toSorted((a, b) => a.valueBytes - b.valueBytes);
    const rows = [...byEntries, ...bySize];
    return rows.length === 0 ? [] : [`## ${engine}\n\n${tableOf(rows)}`];
  });
  const left = late.map((point) => `- ${nameOf(point)}: more than ${values.seconds} s`);
  const text = [
    '# Cost as the work grows',
    `${about}. Before it is opened the page cache is dropped where the run is root: then what is cold comes from the disk.`,
    ...(left.length === 0 ? [] : [`Left out:\n\n${left.join('\n')}`]),
    ...tables,
  ].join('\n\n');
  writeFileSync(join(values.out, 'growth.md'), `${text}\n`);
  return `${text}\n`;
}

function writeCharts(
  engine: string,
  grown: readonly GrowthFigures[],
  sized: readonly GrowthFigures[],
): void {
  const entries = {
    label: 'entries of 16 + 100 bytes',
    x: (one: GrowthFigures) => one.entries,
    tick: brief,
    figures: grown,
  };
  const sizes = {
    label: 'bytes of a value',
    x: (one: GrowthFigures) => one.valueBytes,
    tick: bytesText,
    figures: sized,
  };
  const charts = [
    ['entries', 'as entries of 16 + 100 bytes grow in number', entries],
    ['values', 'as values grow, 128 MiB in all, at most a million', sizes],
  ] as const;
  for (const [what, title, series] of charts) {
    if (series.figures.length === 0) continue;
    const path = join(values.out, `growth-${engine}-${what}.svg`);
    writeFileSync(path, growthChart(`${TITLES[engine] ?? engine}: ${title}`, series));
  }
}

function bytesText(bytes: number): string {
  if (bytes >= 1 << 20) return `${bytes / (1 << 20)} Mi`;
  return bytes >= 1024 ? `${bytes / 1024} Ki` : String(bytes);
}

function fileOfFigures(): string {
  return join(values.out, 'growth.json');
}

function readFigures(): GrowthFigures[] {
  const path = fileOfFigures();
  if (!existsSync(path)) return [];
  return (JSON.parse(readFileSync(path, 'utf8')) as { figures: GrowthFigures[] }).figures;
}

function isOf(figures: GrowthFigures, { engine, entries, valueBytes }: GrowthPoint): boolean {
  return (
    figures.engine === engine && figures.entries === entries && figures.valueBytes === valueBytes
  );
}

const COLUMNS = [
  'entries',
  'value bytes',
  'load/s',
  'stall ms',
  'peak MB',
  'disk MB',
  'putSync/s',
  'put × 64/s',
  'getSync/s',
  'get/s',
  'scan/s',
  'open ms',
  'first gets ms',
  'first scan/s',
];

function tableOf(figures: readonly GrowthFigures[]): string {
  return [
    `| ${COLUMNS.join(' | ')} |`,
    `|${COLUMNS.map(() => '---:').join('|')}|`,
    ...figures.map(rowOf),
  ].join('\n');
}

function rowOf(one: GrowthFigures): string {
  const cells = [
    one.entries,
    one.valueBytes,
    one.load,
    one.stallMs,
    one.peakBytes / 1e6,
    one.diskBytes / 1e6,
    one.putSync,
    one.put,
    one.getSync,
    one.get,
    one.scan,
    one.openMs,
    one.coldGetMs,
    one.coldScan,
  ];
  return `| ${cells.map(short).join(' | ')} |`;
}

function short(figure: number): string {
  if (figure >= 1000) return Math.round(figure).toLocaleString('en');
  return String(Number(figure.toPrecision(3)));
}

await main();
