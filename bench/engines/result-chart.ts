/**
 * The chart of a run: one block a row, one bar a contestant, as long as its share of the row's best.
 * Plain SVG, readable on light and dark ground.
 */

import type { Figures } from './figures.ts';
import { ROWS } from './floors.ts';
import type { Row } from './floors.ts';

const WIDTH = 900;
const LABEL = 190;
const FIGURE = 110;
const BAR = 14;
const LINE = 19;
const GAP = 34;

export function chart(figures: Figures, title: string): string {
  const blocks: string[] = [];
  let y = 56;
  for (const row of ROWS) {
    const names = figures.contestants(row.name);
    if (names.length === 0) continue;
    blocks.push(block(figures, row, names, y));
    y += names.length * LINE + GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img"`,
    ` aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="12">`,
    '<style>',
    'svg{background:#fff;color:#1b1f24}.own{fill:#0b62b8}.other{fill:#9aa4ae}text{fill:currentColor}',
    '@media(prefers-color-scheme:dark){svg{background:#14181d;color:#e6e9ec}.own{fill:#5ea9f5}.other{fill:#6b7580}}',
    '</style>',
    `<text x="16" y="28" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...blocks,
    '</svg>',
    '',
  ].join('\n');
}

function block(figures: Figures, row: Row, names: readonly string[], top: number): string {
  const more = row.unit === 'per second';
  const known = names
    .map((name) => ({ name, figure: figures.median(row.name, name) ?? 0 }))
    .toSorted((a, b) => (more ? b.figure - a.figure : a.figure - b.figure));
  const longest = Math.max(...known.map(({ figure }) => figure), Number.MIN_VALUE);
  const room = WIDTH - LABEL - FIGURE - 32;
  const how = more ? 'per second, longer is better' : `${unitOf(row)}, shorter is better`;
  const bars = known.map(({ name, figure }, index) => {
    const y = top + 8 + index * LINE;
    const length = Math.max(1, (figure / longest) * room);
    const kind = name.startsWith('holdfast') ? 'own' : 'other';
    return [
      `<text x="${LABEL}" y="${y + 11}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${kind}" x="${LABEL + 8}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>`,
      `<text x="${(LABEL + 14 + length).toFixed(1)}" y="${y + 11}">${number(figure, row)}</text>`,
    ].join('');
  });
  const head = `<text x="16" y="${top}" font-weight="600">${escaped(row.title)}</text>`;
  const unit = `<text x="${WIDTH - 16}" y="${top}" text-anchor="end" opacity=".7">${how}</text>`;
  return [head, unit, ...bars].join('\n');
}

function unitOf(row: Row): string {
  return row.unit === 'bytes' ? 'MB' : row.unit;
}

function number(figure: number, row: Row): string {
  const value = row.unit === 'bytes' ? figure / 1e6 : figure;
  return value >= 100
    ? Math.round(value).toLocaleString('en')
    : value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
