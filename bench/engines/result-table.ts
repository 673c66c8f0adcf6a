/** The tables of a run, in Markdown: engines beside their aims, every contestant, the raw limits. */

import type { Figures } from './figures.ts';
import { BEST_RIVAL, ENGINES, FURTHER_AIMS, RAW_OVERWRITE, ROWS } from './floors.ts';
import type { Row, RowName } from './floors.ts';

/** One engine in one row: what was measured, and whether it is what was aimed at. */
export interface Outcome {
  readonly engine: string;
  /** The ratio to the base, or the figure itself where there is no base. */
  readonly reached: number;
  readonly aim: number;
  /** How far: 1 is the aim, more is better. */
  readonly share: number;
}

/** What each engine reached in a row. */
export function outcomes(figures: Figures, row: Row): readonly Outcome[] {
  return ENGINES.flatMap((engine, index) => {
    const name = `holdfast ${engine}`;
    const reached = reachedBy(figures, row, name);
    const aim = row.aims[index];
    if (reached === undefined || aim === undefined) return [];
    const share = row.unit === 'per second' ? reached / aim : aim / reached;
    return [{ engine, reached, aim, share }];
  });
}

function reachedBy(figures: Figures, { name: row, base }: Row, name: string): number | undefined {
  if (base === undefined) return figures.median(row, name);
  return base === BEST_RIVAL ? besideBest(figures, row, name) : figures.ratio(row, name, base);
}

/** Both by their bare loops: two contestants' turns are minutes apart, and the disk another one. */
function besideBest(figures: Figures, row: RowName, name: string): number | undefined {
  const own = figures.ratio(row, name, RAW_OVERWRITE);
  const rivals = figures
    .contestants(row)
    .filter((rival) => !rival.startsWith('holdfast'))
    .map((rival) => figures.ratio(row, rival, RAW_OVERWRITE) ?? 0);
  return own === undefined || rivals.length === 0 ? undefined : own / Math.max(...rivals);
}

export function aimTable(figures: Figures): string {
  const rows = ROWS.flatMap((row) => [
    row,
    ...FURTHER_AIMS.filter(({ name }) => name === row.name),
  ]);
  const lines = rows.map((row) => {
    const cells = ENGINES.map((engine) => {
      const found = outcomes(figures, row).find((outcome) => outcome.engine === engine);
      if (found === undefined) return '–';
      const { reached, aim, share } = found;
      const bound = `${row.unit === 'per second' ? '≥' : '≤'} ${short(aim)}`;
      return `${share >= 1 ? '' : '**'}${short(reached)}${share >= 1 ? '' : '**'} (${bound})`;
    });
    return `| ${row.title} | ${row.base ?? row.unit} | ${cells.join(' | ')} |`;
  });
  return [
    '| | against | LSM | Bitcask | B+tree |',
    '|---|---|---|---|---|',
    ...lines,
    '',
    'Bold: short of the aim, which stands in brackets.',
  ].join('\n');
}

export function contestantTable(figures: Figures): string {
  const names = [...new Set(ROWS.flatMap((row) => figures.contestants(row.name)))].toSorted(
    (a, b) =>
      Number(b.startsWith('holdfast')) - Number(a.startsWith('holdfast')) || a.localeCompare(b),
  );
  const lines = ROWS.map((row) => {
    const cells = names.map((name) => shown(figures.median(row.name, name), row));
    return `| ${row.title}, ${row.unit === 'bytes' ? 'MB' : row.unit} | ${cells.join(' | ')} |`;
  });
  return [`| | ${names.join(' | ')} |`, `|---|${names.map(() => '---').join('|')}|`, ...lines].join(
    '\n',
  );
}

export function limitTable(figures: Figures): string {
  const lines = figures.contestants('limit').map((name) => {
    const figure = figures.median('limit', name) ?? 0;
    const text = name.includes('sequential')
      ? `${short(figure / 1e6)} MB/s`
      : `${short(figure)} a second`;
    return `| ${name} | ${text} |`;
  });
  return ['| bare loop | |', '|---|---|', ...lines].join('\n');
}

function shown(figure: number | undefined, row: Row): string {
  if (figure === undefined) return '–';
  return short(row.unit === 'bytes' ? figure / 1e6 : figure);
}

/** Three digits are as many as such figures bear. */
function short(figure: number): string {
  if (figure >= 1000) return Math.round(Number(figure.toPrecision(4))).toLocaleString('en');
  return String(Number(figure.toPrecision(3)));
}
