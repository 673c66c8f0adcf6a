/**
 * How far a run came over a trace, as text: what `--resume` keeps in a file (`docs/formats/explored.md`). Equal
 * disks have equal keys in every process, so a later run goes on as if it were the same one.
 */

import { hash } from 'node:crypto';

import { UsageError } from '../base/errors.ts';
import type { ExploredPart, ExploredPoint } from './explore/explored-part.ts';
import { decodeState, encodeState } from './explore/crash-state.ts';
import type { PlacedViolation } from './explore/violation-list.ts';
import type { CrashModel } from './model/crash-model.ts';

const FORMAT = 'holdfast-explored';
const VERSION = 1;

/** What an exploration is of: only an equal one can be gone on with. */
export interface ExploredSubject {
  readonly traceDigest: string;
  readonly checker: string;
  readonly seed: number;
}

/** One text, ending with a digest of itself. */
export function encodeExplored(
  subject: ExploredSubject,
  parts: readonly { readonly model: CrashModel; readonly part: ExploredPart }[],
): string {
  const lines = [JSON.stringify({ format: FORMAT, version: VERSION, ...subject })];
  for (const { model, part } of parts) {
    const violations = part.violations.map(({ place, message, state }) => {
      return [place, message, encodeState(state)];
    });
    const plain = { ...part, violations };
    lines.push(JSON.stringify({ model: model.name, answers: answersOf(model), part: plain }));
  }
  const text = lines.map((line) => `${line}\n`).join('');
  return `${text}${JSON.stringify({ end: hash('sha256', text) })}\n`;
}

/**
 * The parts by model, for those of `models` that are in it.
 * @throws UsageError when the text is no such file, is damaged, or is of another exploration
 */
export function decodeExplored(
  text: string,
  wanted: ExploredSubject,
  models: readonly CrashModel[],
  path: string,
): Map<string, ExploredPart> {
  const end = text.lastIndexOf('{"end":');
  const body = text.slice(0, Math.max(0, end));
  if (!text.startsWith(`{"format":"${FORMAT}"`)) {
    throw new UsageError(
      `${path} does not say how far an exploration came: give --resume a new name`,
    );
  }
  if (text.slice(end).trim() !== JSON.stringify({ end: hash('sha256', body) })) {
    throw new UsageError(`${path} is damaged: remove it to begin anew`);
  }
  const [head = '', ...rest] = body.trimEnd().split('\n');
  requireSame(JSON.parse(head) as Readonly<Record<string, unknown>>, wanted, path);
  const parts = new Map<string, ExploredPart>();
  for (const line of rest) {
    const { model, answers, part } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const known = models.find(({ name }) => name === model);
    if (known === undefined) continue;
    if (answers !== answersOf(known) || !isPart(part)) {
      throw new UsageError(
        `${path} was explored with another ${known.name}: remove it to begin anew`,
      );
    }
    const violations = part.violations.map(([place, message, state]): PlacedViolation => {
      return { place, message, state: decodeState(state) };
    });
    parts.set(known.name, { ...part, violations });
  }
  return parts;
}

function requireSame(
  head: Readonly<Record<string, unknown>>,
  wanted: ExploredSubject,
  path: string,
): void {
  if (head['version'] !== VERSION) {
    throw new UsageError(`${path} is of another version of Holdfast: remove it to begin anew`);
  }
  if (head['traceDigest'] !== wanted.traceDigest) {
    throw new UsageError(
      `${path} is of another trace: go on with "holdfast explore" and the trace that was kept, or remove it`,
    );
  }
  if (head['checker'] !== wanted.checker) {
    throw new UsageError(`${path} was explored with another check (${String(head['checker'])})`);
  }
  if (head['seed'] !== wanted.seed) {
    throw new UsageError(`${path} was explored with seed ${String(head['seed'])}`);
  }
}

/** What the model says, apart from its name and its words. */
function answersOf(model: CrashModel): string {
  const { name: _name, summary: _summary, kernel: _kernel, ...answers } = model;
  const sorted = Object.entries(answers).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(sorted)).slice(0, 16);
}

type PlainPart = Omit<ExploredPart, 'violations'> & {
  readonly violations: readonly (readonly [number, string, string])[];
};

/** Whether the shape is right; the digest has said that it is what was written. */
function isPart(part: unknown): part is PlainPart {
  if (typeof part !== 'object' || part === null) return false;
  const fields = part as Readonly<Record<string, unknown>>;
  const counts = ['walked', 'sampled', 'checked', 'reused', 'visited', 'runs'];
  return (
    counts.every((name) => Number.isSafeInteger(fields[name])) &&
    isList(fields['points'], isPoint) &&
    isList(fields['seen'], (seen) => isTuple(seen, ['string', 'number', 'number'])) &&
    isList(fields['violations'], (one) => isTuple(one, ['number', 'string', 'string']))
  );
}

function isPoint(value: unknown): value is ExploredPoint {
  if (typeof value !== 'object' || value === null) return false;
  const { position, place, distinct } = value as Readonly<Record<string, unknown>>;
  const isPlace = place === null || isList(place, (one) => isTuple(one, ['number', 'number']));
  return Number.isInteger(position) && Number.isInteger(distinct) && isPlace;
}

function isList(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isTuple(value: unknown, types: readonly string[]): boolean {
  return (
    Array.isArray(value) &&
    value.length === types.length &&
    value.every((item, index) => typeof item === types[index])
  );
}
