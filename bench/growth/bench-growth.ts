/**
 * `npm run bench:growth -- [DIRECTORY] [--engine NAME]… [--entries-max N] [--out DIRECTORY] [--again]`: the cost of
 * each engine as the work grows, from 10,000 to 10,000,000 entries and from 16 bytes to 1 MiB a value; figures as
 * JSON, a table and two charts an engine in `bench/results`. What a file there has already is kept, so that a run that
 * was stopped goes on where it was; `--again` measures anew.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { describeMachine } from '../machine.ts';
import { growthChart } from './growth-chart.ts';
import { measureGrowth } from './growth-run.ts';
import type { GrowthFigures, GrowthPoint } from './growth-run.ts';

const ENGINES = ['lsm', 'bitcask', 'btree'];
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
    out: { type: 'string', default: 'bench/results' },
    again: { type: 'boolean', default: false },
  },
});

function pointsOf(engine: string): { counts: GrowthPoint[]; sizes: GrowthPoint[] } {
  const counts = COUNTS.filter((entries) => entries <= Number(values['entries-max'])).map(
    (entries) => ({ engine, entries, valueBytes: VALUE_BYTES }),
  );
  const sizes = SIZES.map((valueBytes) => ({
    engine,
    entries: Math.min(1_000_000, Math.floor(SIZES_BYTES / (valueBytes + 16))),
    valueBytes,
  }));
  return { counts, sizes };
}

async function main(): Promise<void> {
  mkdirSync(values.out, { recursive: true });
  const parent = positionals[0] ?? tmpdir();
  mkdirSync(parent, { recursive: true });
  const path = join(values.out, 'growth.json');
  const known = values.again || !existsSync(path) ? [] : readFigures(path);
  const directory = mkdtempSync(join(parent, 'holdfast-growth-'));
  const figureOf = async (point: GrowthPoint): Promise<GrowthFigures> => {
    const before = known.find((one) => isOf(one, point));
    if (before !== undefined) return before;
    const now = await measureGrowth(point, directory);
    known.push(now);
    writeFileSync(
      path,
      `${JSON.stringify({ about: describeMachine(parent), figures: known }, undefined, 2)}\n`,
    );
    process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${rowOf(now)}\n`);
    return now;
  };
  const tables: string[] = [];
  try {
    for (const engine of values.engine) {
      const { counts, sizes } = pointsOf(engine);
      const grown: GrowthFigures[] = [];
      for (const point of counts) grown.push(await figureOf(point));
      const sized: GrowthFigures[] = [];
      for (const point of sizes) sized.push(await figureOf(point));
      tables.push(`## ${engine}\n\n${tableOf([...grown, ...sized])}`);
      const charts = [
        ['entries', 'entries of 16 + 100 bytes', grown, (one: GrowthFigures) => one.entries],
        ['values', 'bytes a value, 128 MiB in all', sized, (one: GrowthFigures) => one.valueBytes],
      ] as const;
      for (const [what, label, figures, x] of charts) {
        const svg = growthChart(`${engine}: ${label}`, { label, x, figures });
        writeFileSync(join(values.out, `growth-${engine}-${what}.svg`), svg);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const about = `${describeMachine(parent)}; one pass. The first gets are read from the disk itself where the run is root.`;
  const text = [`# Cost as the work grows`, about, ...tables].join('\n\n');
  writeFileSync(join(values.out, 'growth.md'), `${text}\n`);
  process.stdout.write(`${text}\n`);
}

function readFigures(path: string): GrowthFigures[] {
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
  'open ms',
  'first gets ms',
  'getSync/s',
  'get/s',
  'scan/s',
  'putSync/s',
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
    one.openMs,
    one.coldGetMs,
    one.getSync,
    one.get,
    one.scan,
    one.putSync,
  ];
  return `| ${cells.map(short).join(' | ')} |`;
}

function short(figure: number): string {
  if (figure >= 1000) return Math.round(figure).toLocaleString('en');
  return String(Number(figure.toPrecision(3)));
}

await main();
