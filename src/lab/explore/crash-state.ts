/**
 * One crash state as plain data: where the power failed, which changes were lost, and which blocks hold something
 * else than their newest content. What is not named survived. It is short, it can be shrunk item by item, and
 * with the trace and the model's name it reproduces the disk.
 */

import { UsageError } from '../../base/errors.ts';
import type { Change } from '../model/change.ts';
import { outcomeDigest } from './block-domain.ts';
import { ChoicePath, type ChoicePlace } from './choice-path.ts';
import type { ChoiceSubject, CrashSpace, StateChooser } from './crash-space.ts';

export interface BlockChoice {
  readonly inode: number;
  readonly block: number;
  /** Digest of what the block holds (`outcomeDigest`). */
  readonly outcome: string;
}

export interface CrashState {
  readonly position: number;
  /** Ids of lost changes; those that the model's order takes along need not be named. */
  readonly lost: readonly number[];
  readonly blocks: readonly BlockChoice[];
  /** Changes that overlapped with another one: which of them was the last. */
  readonly orders: readonly { readonly change: number; readonly order: number }[];
}

/** Walks all states and remembers the decisions of the current one. */
export class StateWalker implements StateChooser {
  readonly #path: ChoicePath;
  /** By depth. */
  readonly #subjects: ChoiceSubject[] = [];
  #unsteady = false;

  /** @param place where an earlier walk ended. */
  constructor(place: ChoicePlace = []) {
    this.#path = new ChoicePath(place);
  }

  /** Choices of the current state so far. */
  get depth(): number {
    return this.#path.depth;
  }

  /** The first choice that differs from the state before. */
  get changed(): number {
    return this.#path.changed;
  }

  /** True when a state was not decided in the way in which it was before: the walk is no proof then. */
  get unsteady(): boolean {
    return this.#unsteady || this.#path.unsteady;
  }

  /** Where a later walk can go on. REQUIRES: `next` was called, and returned true, since the last `begin`. */
  get place(): ChoicePlace {
    return this.#path.place;
  }

  /** REQUIRES: the first `depth` choices are still what they were. */
  begin(depth = 0): void {
    this.#path.begin(depth);
  }

  choose(count: number, subject: ChoiceSubject): number {
    const { depth } = this.#path;
    const before = depth < this.#path.changed ? this.#subjects[depth] : undefined;
    if (before !== undefined && !isSameSubject(before, subject)) this.#unsteady = true;
    this.#subjects[depth] = subject;
    return this.#path.choose(count);
  }

  next(): boolean {
    return this.#path.next();
  }

  state(position: number): CrashState {
    const choices = this.#subjects
      .slice(0, this.depth)
      .map((subject, depth) => ({ subject, taken: this.#path.takenAt(depth) }));
    return stateOf(position, choices);
  }
}

function isSameSubject(a: ChoiceSubject, b: ChoiceSubject): boolean {
  if (a.kind === 'block') return b.kind === 'block' && a.history === b.history;
  return b.kind === a.kind && a.change === b.change;
}

/** Choices other than 0, as a crash state. */
export function stateOf(
  position: number,
  choices: readonly { readonly subject: ChoiceSubject; readonly taken: number }[],
): CrashState {
  const lost: number[] = [];
  const blocks: BlockChoice[] = [];
  const orders: { change: number; order: number }[] = [];
  for (const { subject, taken } of choices) {
    if (taken === 0) continue;
    if (subject.kind === 'change') lost.push(subject.change.id);
    else if (subject.kind === 'order') orders.push({ change: subject.change.id, order: taken });
    else {
      const outcome = subject.outcomes[taken];
      if (outcome === undefined) continue;
      const { inode, block } = subject.history;
      blocks.push({ inode, block, outcome: outcomeDigest(outcome) });
    }
  }
  return { position, lost, blocks, orders };
}

/** Makes a space show this state: lost changes first, all else survives. */
export function applyState(space: CrashSpace, state: CrashState): void {
  space.begin(new GivenState(state));
  for (const id of state.lost) {
    const change: Change | undefined = space.history.changes[id];
    if (change !== undefined && space.known(change) === null) space.decide(change, false);
  }
}

class GivenState implements StateChooser {
  readonly #state: CrashState;

  constructor(state: CrashState) {
    this.#state = state;
  }

  choose(count: number, subject: ChoiceSubject): number {
    if (subject.kind === 'change') return 0;
    if (subject.kind === 'order') {
      const given = this.#state.orders.find(({ change }) => change === subject.change.id);
      return Math.min(given?.order ?? 0, count - 1);
    }
    const { inode, block } = subject.history;
    const given = this.#state.blocks.find(
      (choice) => choice.inode === inode && choice.block === block,
    );
    if (given === undefined) return 0;
    const { outcomes } = subject;
    return Math.max(
      0,
      outcomes.findIndex((outcome) => outcomeDigest(outcome) === given.outcome),
    );
  }
}

/** One printable word without spaces. */
export function encodeState(state: CrashState): string {
  const blocks = state.blocks.map(({ inode, block, outcome }) => `${inode}.${block}.${outcome}`);
  const orders = state.orders.map(({ change, order }) => `${change}.${order}`);
  return [state.position, state.lost.join(','), blocks.join(','), orders.join(',')].join(';');
}

const STATE_SHAPE = stateShape();

function stateShape(): RegExp {
  const listOf = (item: string): string => `(${item}(,${item})*)?`;
  const change = String.raw`\d+`;
  const block = String.raw`\d+\.\d+\.[0-9a-f]{16}`;
  const order = String.raw`\d+\.\d+`;
  return new RegExp(`^\\d+;${listOf(change)};${listOf(block)};${listOf(order)}$`);
}

function fieldsOf(part: string): string[][] {
  return part === '' ? [] : part.split(',').map((item) => item.split('.'));
}

/** @throws UsageError when the text is not a state. */
export function decodeState(text: string): CrashState {
  if (!STATE_SHAPE.test(text)) throw new UsageError(`"${text}" is not a crash state`);
  const [position = '', lost = '', blocks = '', orders = ''] = text.split(';');
  return {
    position: Number(position),
    lost: fieldsOf(lost).map(([id]) => Number(id)),
    blocks: fieldsOf(blocks).map(([inode, index, outcome = '']) => {
      return { inode: Number(inode), block: Number(index), outcome };
    }),
    orders: fieldsOf(orders).map(([change, order]) => {
      return { change: Number(change), order: Number(order) };
    }),
  };
}
