/**
 * Entries of Bitcask that expire, under the laboratory: they are seen to be over, merged away, and never seen again,
 * also when the clock is set back by the crash. The judge is that of all stores (`promise-oracle`), and besides knows
 * which entries may be gone because their time has come, and which have to be.
 */

import assert from 'node:assert/strict';

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { BitcaskOptions } from '../../src/bitcask/bitcask-options.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { CheckFunction, CrashTest } from '../../src/lab/suite/crash-test.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { applyLabel, batchOfLabel, stateOfStore } from '../support/engine-commit.ts';
import type { TextState } from '../support/engine-commit.ts';
import { KillableVfs } from '../support/killable-vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { demandsOf, judgeState } from '../support/promise-oracle.ts';
import { SMALL } from './bitcask-stories.ts';

/** What the clock shows when a process starts, also after a crash. */
const START_MS = 1000;
/** What is at a key that begins so lives for half a second. */
const MORTAL = 'm';
const LIFETIME_MS = 500;

/** A log with room for more than recovery writes again at once. */
const LONG: BitcaskOptions = { maxFileSize: 16384, preallocateBytes: 0 };

type ExpiringStory = (teller: ExpiringTeller) => Promise<void>;

/** Uses a store whose entries expire, and says what it was promised. */
class ExpiringTeller {
  readonly #disk: Vfs;
  readonly #options: BitcaskOptions;
  readonly #mark: (text: string) => void;
  readonly #labels: string[] = [];
  #process: KillableVfs;
  #now = START_MS;
  #engine: Engine | undefined;

  constructor(disk: Vfs, mark: (text: string) => void, options: BitcaskOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#process = new KillableVfs(new LockAsideVfs(disk));
    this.#mark = mark;
  }

  get engine(): Engine {
    assert.ok(this.#engine !== undefined, 'the story has opened the store');
    return this.#engine;
  }

  async open(): Promise<void> {
    this.#engine = await openAt(this.#process, () => this.#now, this.#options);
  }

  /** Kills the process; the next one starts with the clock set back, and serves everything. */
  async killAndOpen(): Promise<void> {
    this.#process.kill();
    await this.#openInAnother();
  }

  async #openInAnother(): Promise<void> {
    this.#process = new KillableVfs(new LockAsideVfs(this.#disk));
    this.#now = START_MS;
    this.#mark(`time ${START_MS}`);
    await this.open();
    this.#mark(['opened', '0', ...this.#labels].join(' '));
  }

  /** Kills it when the mark is written that says that what is at `key` is over: before it is synced. */
  async killBehindMark(key: string): Promise<void> {
    const killed = this.#process.killBehind(({ name }) => name === 'file.write');
    void Promise.resolve(this.engine.get(Buffer.from(key))).catch(() => 'its process was killed');
    await killed;
    await this.#openInAnother();
  }

  pass(ms: number): void {
    this.#now += ms;
    this.#mark(`time ${this.#now}`);
  }

  async commit(changes: string, policy: SyncPolicy): Promise<void> {
    const label = this.#issue(changes);
    await this.engine.write(batchOfLabel(label, lifetimeOf), policy);
    this.#kept(label, policy);
  }

  commitNow(changes: string, policy: SyncPolicy): void {
    const label = this.#issue(changes);
    this.engine.writeSync(batchOfLabel(label, lifetimeOf), policy);
    this.#kept(label, policy);
  }

  /** Sees that what commit number `commit` put at `key` is over. */
  seeGone(key: string, commit: number): void {
    assert.equal(this.engine.getSync(Buffer.from(key)), undefined);
    this.#mark(`gone ${commit}/${key}/`);
  }

  #issue(changes: string): string {
    const label = `${this.#labels.length}:${changes}`;
    this.#labels.push(label);
    this.#mark(`issue ${label}`);
    return label;
  }

  #kept(label: string, policy: SyncPolicy): void {
    this.#mark(`kept ${label}`);
    if (policy === 'sync') this.#mark(`durable ${label}`);
  }
}

/** They are seen to be over, and merged away. */
const seenAndMerged: ExpiringStory = async (teller) => {
  await teller.open();
  await teller.commit('a=300', 'sync');
  await teller.commit('m=300,mb=300', 'sync');
  teller.pass(600);
  await teller.commit('a=310,mc=300', 'sync');
  teller.seeGone('m', 1);
  await teller.engine.compact();
  teller.pass(600);
  teller.seeGone('mc', 2);
};

/** The same with hardly a sync, beside writes that a merge meets, and a kill that sets the clock back. */
const hardlySynced: ExpiringStory = async (teller) => {
  await teller.open();
  await teller.commit('m*3=300,a=400', 'none');
  await teller.commit('m=500', 'none');
  teller.commitNow('b=300,mb=200', 'none');
  teller.pass(300);
  await teller.commit('m*2=350,k*3=400', 'none');
  teller.pass(300);
  teller.seeGone('m2', 0);
  await teller.commit('a=700,mb=300', 'none');
  await teller.commit('k*2=600', 'none');
  const merging = teller.engine.compact();
  merging.catch(() => 'told below');
  teller.commitNow('c=600', 'none');
  await teller.commit('m*2=200,b-', 'none');
  await merging;
  await teller.commit('c=500,md=300', 'none');
  await teller.killAndOpen();
  await teller.commit('me=300,a=100', 'none');
  await teller.commit('b=900,mb-', 'none');
  teller.pass(2000);
  teller.seeGone('me', 9);
  await teller.commit('a=600', 'none');
  await teller.commit('mf=300,c-', 'none');
};

/** Recovery writes again just as much as it does at once (1 KiB); behind that is only a mark, which it leaves out. */
const markBehind: ExpiringStory = async (teller) => {
  await teller.open();
  await teller.commit('m=10', 'sync');
  teller.commitNow('k*4=230', 'none');
  teller.pass(600);
  await teller.killBehindMark('m');
  await teller.commit('a=10', 'none');
};

/** Recovery that only opens the store, with the clock set back, and judges what it shows. */
export const recoverExpiring: CheckFunction = async (vfs, { marks }) => {
  const engine = await openAt(new LockAsideVfs(vfs), () => START_MS);
  const state = stateOfStore(engine);
  const told = marks.filter((mark) => !/^(gone|time) /.test(mark));
  const over = labelsPerhapsOver(marks);
  const wrong = judgeState(demandsOf(told), (commits) => showsButFor(over, state, commits));
  const gone = marks.filter((mark) => mark.startsWith('gone ')).map((mark) => mark.slice(5));
  for (const [key, value] of state) {
    if (gone.some((start) => value.startsWith(start))) wrong.push(`P5: ${key} is back`);
  }
  await engine.close();
  if (wrong.length > 0) throw new Error(wrong.join('; '));
};

function crashTestOf(story: ExpiringStory, options: BitcaskOptions = SMALL): CrashTest {
  return {
    workload: async (vfs, { mark }) => {
      const teller = new ExpiringTeller(vfs, mark, options);
      await story(teller);
      await teller.engine.close();
    },
    check: async (vfs, context) => {
      await recoverExpiring(vfs, context);
      const engine = await openAt(new LockAsideVfs(vfs), () => START_MS);
      const { damage } = await engine.verify();
      await engine.close();
      assert.deepEqual(damage, []);
    },
  };
}

type ExpiringName =
  'expiring' | 'expiring, hardly a sync' | 'expiring, a mark behind what is written again';

/** By what they are about. */
export const EXPIRING: Readonly<Record<ExpiringName, CrashTest>> = {
  expiring: crashTestOf(seenAndMerged),
  'expiring, hardly a sync': crashTestOf(hardlySynced),
  'expiring, a mark behind what is written again': crashTestOf(markBehind, LONG),
};

function openAt(vfs: Vfs, now: () => number, sizes: BitcaskOptions = SMALL): Promise<Engine> {
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  const clock = new ManualClock();
  const options = { ...sizes, merge: false, timeOfDay: now } as const;
  return bitcaskKind.open('/store', { ...options, dispatch, clock });
}

function lifetimeOf(key: string): number {
  return key.startsWith(MORTAL) ? LIFETIME_MS : 0;
}

/** The commits whose entries the highest clock ever seen may have outlived. */
function labelsPerhapsOver(marks: readonly string[]): Set<string> {
  const expiries = new Map<string, number>();
  let now = START_MS;
  let highest = START_MS;
  for (const mark of marks) {
    const [verb, word = ''] = mark.split(' ');
    if (verb === 'issue') expiries.set(word, now + LIFETIME_MS);
    if (verb === 'time') now = Number(word);
    highest = Math.max(highest, now);
  }
  return new Set([...expiries].filter(([, time]) => time <= highest).map(([label]) => label));
}

/** Whether a state is what these commits make, but for mortal entries of commits that may be over. */
function showsButFor(
  over: ReadonlySet<string>,
  state: TextState,
  commits: readonly string[],
): boolean {
  const expected: TextState = new Map();
  const makers = new Map<string, string>();
  for (const label of commits) {
    const before = new Map(expected);
    applyLabel(expected, label);
    for (const [key, value] of expected) if (before.get(key) !== value) makers.set(key, label);
  }
  for (const [key, value] of expected) {
    const found = state.get(key);
    const mayBeOver = key.startsWith(MORTAL) && over.has(makers.get(key) ?? '');
    if (found !== value && !(found === undefined && mayBeOver)) return false;
  }
  return [...state.keys()].every((key) => expected.has(key));
}
