/**
 * From a failing crash state to its culprit: the smallest set of lost changes that still fails. Outcomes of
 * blocks are made plainer (newest, older, zeros, torn, garbage), lost changes are restored one by one, a cut of
 * the stream is moved as late as it will go, and the crash as early.
 */

import type { Checker, Verdict } from '../check/checker.ts';
import type { PreparedHistory } from '../explore/prepared-history.ts';
import { marksAt } from '../explore/marks-at.ts';
import { eventTimes } from '../explore/crash-positions.ts';
import { CrashSpace } from '../explore/crash-space.ts';
import type { ExploreDeadline } from '../explore/explore-budget.ts';
import { Turns } from '../explore/turns.ts';
import { outcomeDigest } from '../explore/block-domain.ts';
import type { BlockChoice, CrashState } from '../explore/crash-state.ts';
import { applyState } from '../explore/crash-state.ts';
import { buildCrashTree } from '../explore/crash-tree.ts';
import type { VerdictCache } from '../explore/verdict-cache.ts';
import { shortKey } from '../explore/verdict-cache.ts';

export interface StateProbe {
  /** A space that shows the state. */
  readonly space: CrashSpace;
  readonly verdict: Verdict;
  readonly disk: string;
}

export interface StateTesterOptions {
  readonly checker: Checker;
  readonly verdicts: VerdictCache;
  readonly deadline?: ExploreDeadline | undefined | null;
}

/** Builds a state's disk and has it checked, verdicts remembered. */
export class StateTester {
  readonly prepared: PreparedHistory;
  readonly #checker: Checker;
  readonly #verdicts: VerdictCache;
  readonly #deadline: ExploreDeadline | null;
  readonly #spaces = new Map<number, CrashSpace>();
  readonly #turns = new Turns();

  constructor(
    prepared: PreparedHistory,
    { checker, verdicts, deadline = null }: StateTesterOptions,
  ) {
    this.prepared = prepared;
    this.#checker = checker;
    this.#verdicts = verdicts;
    this.#deadline = deadline;
  }

  space(position: number): CrashSpace {
    let space = this.#spaces.get(position);
    if (space === undefined) {
      space = new CrashSpace(this.prepared.history, position, this.prepared.cache);
      this.#spaces.set(position, space);
    }
    return space;
  }

  async probe(state: CrashState): Promise<StateProbe> {
    const turn = this.#turns.next();
    if (turn !== null) await turn;
    const space = this.space(state.position);
    applyState(space, state);
    const { root, key } = buildCrashTree(space);
    const disk = shortKey(key);
    const marks = marksAt(this.prepared.history.trace, state.position);
    let verdict = this.#verdicts.get(disk, marks.length);
    if (verdict === undefined) {
      verdict = await this.#checker.check({ root, marks });
      this.#verdicts.set(disk, marks.length, verdict);
    }
    return { space, verdict, disk };
  }

  /** After an interrupt nothing fails any more: what looks for a smaller state that does ends with the one it has. */
  async fails(state: CrashState): Promise<boolean> {
    if (this.#deadline?.interrupted === true) return false;
    return !(await this.probe(state)).verdict.ok;
  }
}

/** REQUIRES: `state` fails. @returns a state that fails and from which nothing can be restored. */
export async function shrinkState(tester: StateTester, state: CrashState): Promise<CrashState> {
  let current = state;
  for (let size = Infinity; weight(current) < size;) {
    size = weight(current);
    current = await shrinkBlocks(tester, current);
    current = await shrinkLost(tester, current);
  }
  current = await latestCut(tester, current);
  return await earliestCrash(tester, current);
}

function weight(state: CrashState): number {
  return state.lost.length + state.blocks.length + state.orders.length;
}

async function shrinkBlocks(tester: StateTester, state: CrashState): Promise<CrashState> {
  let current = state;
  for (const choice of state.blocks) {
    const others = current.blocks.filter((other) => other !== choice);
    for (const plainer of [[], ...(await plainerChoices(tester, current, choice))]) {
      const candidate = { ...current, blocks: [...others, ...plainer] };
      if (await tester.fails(candidate)) {
        current = candidate;
        break;
      }
    }
  }
  return current;
}

/** Outcomes that stand before this one in the block's domain, the plainest first. */
async function plainerChoices(
  tester: StateTester,
  state: CrashState,
  choice: BlockChoice,
): Promise<BlockChoice[][]> {
  const { space } = await tester.probe(state);
  for (const { history, outcomes } of space.decidedBlocks) {
    if (history.inode !== choice.inode || history.block !== choice.block) continue;
    const digests = outcomes.map(outcomeDigest);
    return digests
      .slice(1, Math.max(1, digests.indexOf(choice.outcome)))
      .map((outcome) => [{ ...choice, outcome }]);
  }
  return [];
}

async function shrinkLost(tester: StateTester, state: CrashState): Promise<CrashState> {
  let current = state;
  for (const id of state.lost) {
    const candidate = { ...current, lost: current.lost.filter((other) => other !== id) };
    if (await tester.fails(candidate)) current = candidate;
  }
  for (const order of state.orders) {
    const candidate = { ...current, orders: current.orders.filter((other) => other !== order) };
    if (await tester.fails(candidate)) current = candidate;
  }
  return current;
}

/** In a stream, losing a change takes all later ones along: restore as many of the first ones as possible. */
async function latestCut(tester: StateTester, state: CrashState): Promise<CrashState> {
  const { changes } = tester.prepared.history;
  let current = state;
  for (const id of state.lost) {
    if (changes[id]?.order !== 'stream') continue;
    let cut = id;
    for (let later = id + 1; later < changes.length; later++) {
      if (changes[later]?.order !== 'stream') continue;
      const candidate = {
        ...current,
        lost: current.lost.map((other) => (other === cut ? later : other)),
      };
      if (!(await tester.fails(candidate))) break;
      current = candidate;
      cut = later;
    }
  }
  return current;
}

/** The same loss at the earliest crash that shows it: what had just happened is what contradicts the loss. */
async function earliestCrash(tester: StateTester, state: CrashState): Promise<CrashState> {
  const { history } = tester.prepared;
  const times = eventTimes(history.trace);
  const first = Math.max(
    0,
    ...state.lost.map((id) => history.changes[id]?.start ?? 0),
    ...state.blocks.map(({ inode, block }) => {
      const events = history.files.get(inode)?.blocks.get(block)?.events ?? [];
      return events.findLast(({ start }) => start <= state.position)?.start ?? 0;
    }),
  );
  for (const position of times) {
    if (position < first) continue;
    if (position >= state.position) break;
    const candidate = { ...state, position };
    if (await tester.fails(candidate)) return candidate;
  }
  return state;
}

/** The earliest crash that fails although nothing is lost: the program itself passes through such a state. */
export async function firstInOrderFailure(
  tester: StateTester,
  upTo: number,
): Promise<CrashState | null> {
  for (const position of eventTimes(tester.prepared.history.trace)) {
    if (position > upTo) break;
    const state = { position, lost: [], blocks: [], orders: [] };
    if (await tester.fails(state)) return state;
  }
  return null;
}
