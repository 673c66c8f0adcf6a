/**
 * The chart of one engine: a panel a figure, a line over the number of entries and one over the size of values, both
 * axes by powers of ten. Plain SVG, readable on light and dark ground.
 */

import type { GrowthFigures } from './growth-run.ts';

const PANEL_WIDTH = 290;
const PANEL_HEIGHT = 200;
const MARGIN = { top: 44, left: 52, right: 8, bottom: 38 };
/** Between the axes and the first and last point, so that no figure lies on a label. */
const INSET = 26;
const COLUMNS = 3;
const TITLE_HEIGHT = 48;

/** What is drawn: a title, and the figure. */
interface Panel {
  readonly title: string;
  readonly of: (figures: GrowthFigures) => number;
}

const PANELS: readonly Panel[] = [
  { title: 'load, entries/s', of: ({ load }) => load },
  { title: 'worst stall of the load, ms', of: ({ stallMs }) => stallMs },
  { title: 'peak memory of the load, MB', of: ({ peakBytes }) => peakBytes / 1e6 },
  { title: 'durable put, blocking, /s', of: ({ putSync }) => putSync },
  { title: 'durable put, 64 callers, /s', of: ({ put }) => put },
  {
    title: 'disk, bytes per byte of entry',
    of: ({ diskBytes, entries, valueBytes }) => diskBytes / (entries * (valueBytes + 16)),
  },
  { title: 'get, blocking, warm, /s', of: ({ getSync }) => getSync },
  { title: 'get, awaited, warm, /s', of: ({ get }) => get },
  { title: 'scan, warm, entries/s', of: ({ scan }) => scan },
  { title: 'open, cold, ms', of: ({ openMs }) => openMs },
  { title: 'first gets, cold, ms each', of: ({ coldGetMs }) => coldGetMs },
  { title: 'first scan, cold, entries/s', of: ({ coldScan }) => coldScan },
];

/** Points of one line, in the order of `x`. */
export interface Series {
  readonly label: string;
  readonly x: (figures: GrowthFigures) => number;
  /** How a place on that axis is written. */
  readonly tick: (x: number) => string;
  readonly figures: readonly GrowthFigures[];
}

export function growthChart(title: string, series: Series): string {
  const rows = Math.ceil(PANELS.length / COLUMNS);
  const width = COLUMNS * PANEL_WIDTH;
  const height = TITLE_HEIGHT + rows * PANEL_HEIGHT;
  const panels = PANELS.map((panel, index) => {
    const left = (index % COLUMNS) * PANEL_WIDTH;
    const top = TITLE_HEIGHT + Math.floor(index / COLUMNS) * PANEL_HEIGHT;
    return `<g transform="translate(${left} ${top})">${drawn(panel, series)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"`,
    ` aria-label="${title}" font-family="system-ui, sans-serif" font-size="11">`,
    '<style>',
    'svg{background:#fff;color:#1b1f24}.line{stroke:#0b62b8}.dot{fill:#0b62b8}text{fill:currentColor}.axis{stroke:#c9d1d9}.figure{stroke:#fff;stroke-width:3px;paint-order:stroke}',
    '@media(prefers-color-scheme:dark){svg{background:#14181d;color:#e6e9ec}.line{stroke:#5ea9f5}.dot{fill:#5ea9f5}.axis{stroke:#3a424b}.figure{stroke:#14181d}}',
    '</style>',
    `<text x="16" y="28" font-size="15" font-weight="600">${title}</text>`,
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

function drawn({ title, of }: Panel, { figures, x, label, tick }: Series): string {
  const points = figures
    .map((one) => [Math.log10(x(one)), of(one)] as const)
    .toSorted(([a], [b]) => a - b);
  const across = bounds(points.map(([at]) => at));
  const values = points.map(([, value]) => Math.log10(Math.max(value, Number.MIN_VALUE)));
  const up = bounds([Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))]);
  const room = {
    width: PANEL_WIDTH - MARGIN.left - MARGIN.right,
    height: PANEL_HEIGHT - MARGIN.top - MARGIN.bottom,
  };
  const placeX = (at: number): number =>
    MARGIN.left + INSET + share(at, across) * (room.width - 2 * INSET);
  const placeY = (at: number): number => MARGIN.top + (1 - share(at, up)) * room.height;
  const grid: string[] = [];
  for (let power = up.low; power <= up.high; power++) {
    const y = placeY(power).toFixed(1);
    grid.push(
      `<line class="axis" x1="${MARGIN.left}" x2="${MARGIN.left + room.width}" y1="${y}" y2="${y}"/>`,
      `<text x="${MARGIN.left - 6}" y="${Number(y) + 4}" text-anchor="end">${short(10 ** power)}</text>`,
    );
  }
  const at = points.map(([px], index) => [placeX(px), placeY(values[index]!)] as const);
  const line = at.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
  const dots = at.map(([px, py], index) => {
    const shown = short(points[index]![1]);
    const y = py - MARGIN.top < 14 ? py + 16 : py - 7;
    return `<circle class="dot" cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3"/><text class="figure" x="${px.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="middle">${shown}</text>`;
  });
  const ticks = points.map(
    ([px]) =>
      `<text x="${placeX(px).toFixed(1)}" y="${PANEL_HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${tick(Math.round(10 ** px))}</text>`,
  );
  return [
    `<text x="16" y="18" font-weight="600">${title}</text>`,
    `<text x="${PANEL_WIDTH - MARGIN.right}" y="${PANEL_HEIGHT - 4}" text-anchor="end" opacity=".7">${label}</text>`,
    ...grid,
    `<polyline class="line" fill="none" stroke-width="2" points="${line}"/>`,
    ...dots,
    ...ticks,
  ].join('');
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

function bounds(values: readonly number[]): Bounds {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { low, high: high > low ? high : low + 1 };
}

function share(at: number, { low, high }: Bounds): number {
  return (at - low) / (high - low);
}

/** Three digits, with k and M. */
export function short(value: number): string {
  if (value >= 999_500) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1000) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}
