/**
 * The doctor's answer as text for people: what the place is, what follows for Holdfast's promises, and why.
 */

import type { DoctorAnswer } from '../../durable/doctor/assess-place.ts';
import { describeDevices, describeFileSystem } from '../../durable/doctor/describe-place.ts';
import {
  pageOf,
  type ClaimId,
  type Judged,
  type PromiseId,
  type Verdict,
} from '../../durable/doctor/doctor-answer.ts';
import type { Examination } from '../../durable/doctor/examine.ts';
import type { Measurement } from '../../durable/doctor/measure-syncs.ts';
import { formatTable, printable, type Paint, type Palette } from '../output.ts';

const CLAIM_WORDS: Readonly<Record<ClaimId, string>> = {
  bytes: 'the bytes of a file, once it is synced',
  names: 'new and removed names, once their directory is synced',
  renames: 'a rename leaves the old or the new file, never neither',
  order: 'what was synced first is not lost before what came later',
  locks: 'a directory has one owner at a time',
};

const PROMISE_WORDS: Readonly<Record<PromiseId, string>> = {
  P1: 'durable means durable',
  P2: 'prefix',
  P3: 'whole or absent',
  P4: 'no silent damage',
  P5: 'no resurrection',
  P6: 'recovery trusts only the disk',
  P7: 'fail-stop',
  P8: 'one owner',
};

const HEADLINES: Readonly<Record<Verdict, string>> = {
  holds: 'Every promise of Holdfast holds here (standing assumptions: docs/assumptions.md).',
  assumed: 'The promises hold here only if something is true that cannot be seen from here.',
  fails: 'Promises are broken here: a power cut can take what was reported as durable.',
};

const STILL_PROMISED = 'Still promised: no value is returned whose bytes were never written.';

/** The whole answer; ends with a newline. */
export function doctorText({ facts, answer, measurement }: Examination, palette: Palette): string {
  const place = [
    [palette.bold('Directory'), printable(facts.directory)],
    [palette.bold('File system'), printable(describeFileSystem(facts))],
    ...describeDevices(facts).map((line) => [palette.bold('Device'), printable(line)]),
    [palette.bold('Crash model'), modelText(answer)],
  ];
  return [
    formatTable(place),
    headline(answer, palette) + reasonsText(answer, palette),
    judgedText(answer, palette),
    notesText(answer, palette),
    measurement === null ? '' : measurementText(measurement, palette),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function modelText({ model }: DoctorAnswer): string {
  return model.otherwise === null ? model.name : `${model.name}, at worst ${model.otherwise}`;
}

function paintFor(verdict: Verdict, palette: Palette): Paint {
  return { holds: palette.green, assumed: palette.yellow, fails: palette.red }[verdict];
}

/** The verdict in one or two sentences. */
function headline({ verdict, reasons }: DoctorAnswer, palette: Palette): string {
  const line = `${paintFor(verdict, palette)(verdict.toUpperCase())}: ${HEADLINES[verdict]}\n`;
  const lost = reasons.some((one) => one.verdict === 'fails' && one.leavesNothing !== true);
  return lost ? `${line}${STILL_PROMISED}\n` : line;
}

function reasonsText({ reasons }: DoctorAnswer, palette: Palette): string {
  return reasons
    .map(({ text, id }, index) => {
      const number = `  ${index + 1}. `;
      const lines = wrap(printable(text), 92 - number.length);
      const body = lines.join(`\n${' '.repeat(number.length)}`);
      return `${number}${body}\n${' '.repeat(number.length)}${palette.dim(pageOf(id))}\n`;
    })
    .join('');
}

function judgedText(answer: DoctorAnswer, palette: Palette): string {
  const rows: string[][] = [];
  const add = (group: Group, text: string): void => {
    wrap(text, 70).forEach((line, index) => {
      rows.push([index === 0 ? `  ${verdictText(group[0], answer, palette)}` : '', line]);
    });
  };
  for (const claim of answer.claims) add([claim], CLAIM_WORDS[claim.id]);
  for (const group of groupEqual(answer.policies)) {
    add(group, `policies: ${group.map(({ id }) => id).join(', ')}`);
  }
  for (const group of groupEqual(answer.promises)) {
    add(group, group.map(({ id }) => `${id} ${PROMISE_WORDS[id]}`).join(', '));
  }
  return formatTable(rows);
}

/** The verdict with the numbers of its reasons: `assumed (1, 3)`. */
function verdictText(one: Judged<string>, { reasons }: DoctorAnswer, palette: Palette): string {
  const numbers = reasons.flatMap(({ id }, index) =>
    one.reasons.includes(id) ? [String(index + 1)] : [],
  );
  const paint = paintFor(one.verdict, palette);
  return numbers.length === 0
    ? paint(one.verdict)
    : `${paint(one.verdict)} (${numbers.join(', ')})`;
}

type Group<Id extends string = string> = [Judged<Id>, ...Judged<Id>[]];

/** Those next to each other with the same verdict for the same reasons share a line. */
function groupEqual<Id extends string>(judged: readonly Judged<Id>[]): Group<Id>[] {
  const groups: Group<Id>[] = [];
  for (const one of judged) {
    const last = groups.at(-1);
    if (last !== undefined && keyOf(last[0]) === keyOf(one)) last.push(one);
    else groups.push([one]);
  }
  return groups;
}

function keyOf(one: Judged<string>): string {
  return `${one.verdict} ${one.reasons.join(' ')}`;
}

function notesText({ notes }: DoctorAnswer, palette: Palette): string {
  if (notes.length === 0) return '';
  const lines = notes.map(({ text }) => `  ${wrap(printable(text), 90).join('\n  ')}\n`);
  return `${palette.bold('Also')}\n${lines.join('')}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function measurementText(measurement: Measurement, palette: Palette): string {
  const rows = measurement.methods.map(({ label, medianUs, slowUs, refused }) => [
    `  ${label}`,
    medianUs === null ? (refused ?? '-') : microText(medianUs),
    microText(slowUs),
    medianUs === null ? '' : String(Math.round(1e6 / medianUs)),
  ]);
  const head = ['  4 KiB writes, one after the other', 'median', 'slowest tenth', 'per second'];
  const seconds = (measurement.elapsedMs / 1000).toFixed(1);
  return (
    `${palette.bold('Measured')} in ${seconds} s, ${measurement.rounds} ${measurement.rounds === 1 ? 'round' : 'rounds'}\n` +
    formatTable([head, ...rows], ['left', 'right', 'right', 'right']) +
    hopText(measurement)
  );
}

/** What a round trip through the thread pool adds to a call. */
function hopText({ methods }: Measurement): string {
  const median = (id: string): number | null =>
    methods.find((method) => method.id === id)?.medianUs ?? null;
  const awaited = median('read-awaited');
  const synchronous = median('read');
  if (awaited === null || synchronous === null) return '';
  return `  An awaited call costs ${microText(awaited - synchronous)} more than a synchronous one.\n`;
}

function microText(us: number | null): string {
  if (us === null) return '';
  if (us >= 10_000) return `${(us / 1000).toFixed(0)} ms`;
  if (us >= 1000) return `${(us / 1000).toFixed(1)} ms`;
  return us >= 10 ? `${us.toFixed(0)} µs` : `${us.toFixed(1)} µs`;
}
