/**
 * The exact number of states that a model allows, counted without walking them: the product over parts that do
 * not bind each other. A state is a set of surviving changes that the model's order allows, with one content for
 * each block below each file's size; whether anybody can see the difference does not matter here.
 *
 * Parts: the stream with the files whose sizes enter it (a sum over its cuts), each file of a free model (a sum
 * over the size that survived last and the truncations before it), each free name or attribute with what follows
 * it.
 */

import type { InodeNumber, Trace } from '../record/operation.ts';
import type { Change, FileHistory } from '../model/change.ts';
import { ChoicePath } from './choice-path.ts';
import { mayOutgrow } from './journalled-content.ts';
import { CrashSpace } from './crash-space.ts';
import { ExploreDeadline } from './explore-budget.ts';
import type { PreparedHistory } from './prepared-history.ts';
import { Turns } from './turns.ts';

const NO_DEADLINE = new ExploreDeadline(null);

/** Cuts of a stream, or truncations of a file, beyond which counting gives up. */
const SUMMANDS_MAX = 50_000;

/** Crash points: after each operation that changes or syncs something. */
export function crashPointPositions(trace: Trace): number[] {
  return trace.operations.flatMap(({ kind, start, end }) =>
    kind === 'mark' || kind === 'close' || kind === 'unmodelled' ? [] : [end ?? start],
  );
}

/** A count in small steps, between which others may have a turn or the count be given up. */
type Steps<Result> = Generator<void, Result>;

/** States over all crash points; null when the parts are too many to sum up, or the deadline passed. */
export async function countAllStates(
  prepared: PreparedHistory,
  deadline: ExploreDeadline = NO_DEADLINE,
): Promise<bigint | null> {
  return await untilDeadline(allStates(prepared), deadline);
}

/** States at one crash point; null when the parts are too many to sum up, or the deadline passed. */
export async function countStates(
  prepared: PreparedHistory,
  position: number,
  deadline: ExploreDeadline = NO_DEADLINE,
): Promise<bigint | null> {
  return await untilDeadline(statesAt(prepared, position), deadline);
}

async function untilDeadline<Result>(
  steps: Steps<Result>,
  deadline: ExploreDeadline,
): Promise<Result | null> {
  const turns = new Turns();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (deadline.passed) return null;
    const turn = turns.next();
    if (turn !== null) await turn;
  }
}

function* allStates(prepared: PreparedHistory): Steps<bigint | null> {
  let total = 0n;
  const counts = new Map<string, bigint | null>();
  for (const position of crashPointPositions(prepared.history.trace)) {
    yield;
    const signature = openSignature(prepared, position);
    let count = counts.get(signature);
    if (count === undefined) {
      count = yield* statesAt(prepared, position);
      counts.set(signature, count);
    }
    if (count === null) return null;
    total += count;
  }
  return total;
}

/** Equal where nothing was issued and nothing got out of danger in between. */
function openSignature({ history, floorTimes }: PreparedHistory, position: number): string {
  const { operations } = history.trace;
  let issued = 0;
  for (const { kind, start } of operations) {
    const changes = kind !== 'mark' && kind !== 'close' && kind !== 'sync' && kind !== 'sync-all';
    if (changes && start <= position) issued++;
  }
  return `${issued} ${floorTimes.filter((time) => time <= position).length}`;
}

function* statesAt(prepared: PreparedHistory, position: number): Steps<bigint | null> {
  const space = new CrashSpace(prepared.history, position, prepared.cache);
  space.begin(NOTHING_TO_ASK);
  const { changes, files } = prepared.history;
  const open = changes.filter((change) => space.known(change) === null);
  const inStream = open.filter(({ order }) => order !== 'free');
  // Blocks that are reachable through the stream only belong to its cuts.
  const streamed = new Set(
    prepared.history.model.dataNeedsStream
      ? files.keys()
      : inStream.flatMap((change) => fileOf(change)),
  );
  const free = open.filter(({ order }) => order === 'free');
  let total = freeNames(free);
  for (const file of files.values()) {
    if (streamed.has(file.inode)) continue;
    const count = yield* countFreeFile(space, file);
    if (count === null) return null;
    total *= count;
  }
  const ofStream = yield* countStream(space, inStream, [...streamed], prepared);
  return ofStream === null ? null : total * ofStream;
}

const NOTHING_TO_ASK = {
  choose(): number {
    return 0;
  },
};

function fileOf(change: Change): InodeNumber[] {
  const inode = change.size?.inode ?? change.block?.inode;
  return inode === undefined ? [] : [inode];
}

/** Names and attributes: each is lost, or there with any of what follows it. */
function freeNames(open: readonly Change[]): bigint {
  const names = open.filter((change) => fileOf(change).length === 0);
  const ids = new Set(names.map(({ id }) => id));
  const count = (change: Change): bigint => {
    let kept = 1n;
    for (const other of names) if (other.follows === change.id) kept *= count(other);
    return kept + 1n;
  };
  let total = 1n;
  for (const change of names) if (!ids.has(change.follows)) total *= count(change);
  return total;
}

/** Sizes of a file in any combination: the last survivor and the truncations before it decide. */
function* countFreeFile(space: CrashSpace, file: FileHistory): Steps<bigint | null> {
  const path = new ChoicePath();
  const cuts = new Set<number>();
  for (const { events } of file.blocks.values()) {
    for (const event of events) if (event.kind === 'free') cuts.add(event.byChange);
  }
  let total = 0n;
  let summands = 0;
  do {
    if (++summands > SUMMANDS_MAX) return null;
    yield;
    path.begin();
    space.begin(NOTHING_TO_ASK);
    let weight = 1n;
    let last: Change | null = null;
    for (const change of file.changes.toReversed()) {
      let survives = space.known(change);
      if (survives === null) {
        const matters =
          last === null || cuts.has(change.id) || mayOutgrow(space.history, change, last);
        if (!matters) weight *= 2n;
        survives = !matters || path.choose(2) === 0;
        space.decide(change, survives);
      }
      if (survives) last ??= change;
    }
    total += weight * space.contentCount(file);
  } while (path.next());
  return total;
}

/** The sum over the cuts of the stream of the product over the files whose sizes or blocks are in it. */
function* countStream(
  space: CrashSpace,
  open: readonly Change[],
  inodes: readonly InodeNumber[],
  { history }: PreparedHistory,
): Steps<bigint | null> {
  const cuts = open.filter(({ order }) => order === 'stream');
  const files = inodes.flatMap((inode) => history.files.get(inode) ?? []);
  const perFile = new Map<string, bigint>();
  const path = new ChoicePath();
  let total = 0n;
  let summands = 0;
  do {
    if (++summands > SUMMANDS_MAX) return null;
    yield;
    const decideCut = (): void => {
      space.begin(NOTHING_TO_ASK);
      path.begin();
      for (const change of cuts) {
        if (space.known(change) === null) space.decide(change, path.choose(2) === 0);
      }
    };
    decideCut();
    let product = 1n;
    for (const file of files) {
      const known = file.changes.map((change) => space.known(change) ?? '?').join();
      const cut = history.model.dataNeedsStream
        ? cuts.map((change) => Number(space.known(change))).join('')
        : '';
      const key = `${file.inode} ${known} ${cut}`;
      let count = perFile.get(key);
      if (count === undefined) {
        count = yield* countLateFile(space, file, decideCut);
        perFile.set(key, count);
      }
      product *= count;
    }
    decideCut();
    total += product;
  } while (path.next());
  return total;
}

/** Sizes that enter the stream late, of one file, under one cut: how far each run of them has come. */
function* countLateFile(
  space: CrashSpace,
  file: FileHistory,
  decideCut: () => void,
): Steps<bigint> {
  const path = new ChoicePath();
  let total = 0n;
  do {
    yield;
    decideCut();
    path.begin();
    for (const change of file.changes) {
      if (space.known(change) === null) space.decide(change, path.choose(2) === 0);
    }
    total += space.contentCount(file);
  } while (path.next());
  decideCut();
  return total;
}
