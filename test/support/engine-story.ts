/**
 * A store under the laboratory: a program that commits, says what it was promised, and is cut off anywhere; recovery,
 * which serves what is there, says so, and commits something new; and the judgement of every disk, by
 * `promise-oracle.ts`. One story runs on every engine. The stories are in `engine-stories.ts`.
 */

import { nextTurn, type Clock } from '../../src/base/clock.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { EngineKind, EngineOptions } from '../../src/engine/engine-kind.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { CheckFunction, CrashTest } from '../../src/lab/suite/crash-test.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { applyLabel, batchOfLabel, entriesInto, sameState, stateOfStore } from './engine-commit.ts';
import type { TextState } from './engine-commit.ts';
import { KillableVfs } from './killable-vfs.ts';
import { LockAsideVfs } from './lock-aside-vfs.ts';
import { ManualClock } from './manual-clock.ts';
import { demandsOf, judgeState } from './promise-oracle.ts';
import type { Demands } from './promise-oracle.ts';

/** Where the store is. */
export const STORE = '/store';

/** An engine, with the options that make its files small. */
export interface StorySubject {
  readonly kind: EngineKind;
  readonly options?: EngineOptions & Readonly<Record<string, unknown>>;
}

/** What happens to a store, from its making on. */
export type Story = (teller: StoryTeller) => Promise<void>;

/** What goes with the subject and story into a `CrashTest`. */
export type StoryLimits = Pick<CrashTest, 'models' | 'budget' | 'nested' | 'seed'>;

/** The crash test of a story on an engine, for `explore` and `assertCrashSafe`. */
export function engineCrashTest(
  subject: StorySubject,
  story: Story,
  limits: StoryLimits = {},
): CrashTest {
  return {
    ...limits,
    workload: async (vfs, { mark }) => {
      const teller = new StoryTeller(subject, vfs, mark);
      await story(teller);
      await teller.engine.close();
    },
    recover: (vfs, { mark, marks }) => recoverStore(subject, vfs, mark, marks),
    check: async (vfs, { marks }) => {
      const engine = await openStore(subject, new LockAsideVfs(vfs), STORE);
      const state = await stateOf(engine);
      const wrong = judgeState(demandsOf(stated(marks)), (commits) => shows(state, commits));
      const { damage } = await engine.verify();
      wrong.push(...damage.map(({ path, message }) => `P4: ${path}: ${message}`));
      await engine.close();
      wrong.push(...(await wrongBackups(subject, vfs, marks)));
      if (wrong.length > 0) throw new Error(wrong.join('; '));
    },
  };
}

/**
 * A story in which any call may fail: the process that met the failure is killed, another one opens what it left in
 * the page cache and goes on, and only then the power is cut.
 */
export function faultyCrashTest(
  subject: StorySubject,
  story: Story,
  limits: StoryLimits = {},
): CrashTest {
  return {
    faults: true,
    ...engineCrashTest(subject, story, limits),
    workload: async (vfs, { mark }) => {
      const marks: string[] = [];
      const noted = (text: string): void => {
        marks.push(text);
        mark(text);
      };
      const process = new KillableVfs(vfs);
      const teller = new StoryTeller(subject, process, noted);
      try {
        await story(teller);
        await teller.engine.close();
      } catch {
        // Whatever it was told is in the marks; the next process has to do with what it left.
        process.kill();
        await recoverStore(subject, vfs, noted, marks);
      }
    },
  };
}

/** What the next process does: serves what is there, says so, and commits something new. */
async function recoverStore(
  subject: StorySubject,
  vfs: Vfs,
  mark: (text: string) => void,
  marks: readonly string[],
): Promise<void> {
  const teller = new StoryTeller(subject, vfs, mark, marks);
  await teller.openLeft();
  await teller.commit('new=9,a-', 'sync');
  await teller.engine.close();
}

/** Recovery that only opens the store and judges what it shows: for many disks. */
export function openAndJudge(subject: StorySubject): CheckFunction {
  return async (vfs, { marks }) => {
    const aside = new LockAsideVfs(vfs);
    const engine = await openStore(subject, aside, STORE);
    const state = stateOfStore(engine);
    const wrong = judgeState(demandsOf(stated(marks)), (commits) => shows(state, commits));
    wrong.push(...(await wrongBackups(subject, vfs, marks)));
    await engine.close();
    if (wrong.length > 0) throw new Error(wrong.join('; '));
  };
}

/** All that `openAndJudge` asks of a disk after these marks, as text. */
export function owedBy(marks: readonly string[]): string {
  const { chain, durable } = demandsOf(stated(marks));
  return JSON.stringify([chain, durable, marks.filter(isOfBackup)]);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Uses a store and says what it was promised. */
export class StoryTeller {
  readonly clock: ManualClock = new ManualClock();
  readonly #subject: StorySubject;
  readonly #disk: Vfs;
  readonly #mark: (text: string) => void;
  readonly #marks: string[];
  #process: KillableVfs;
  #prefix = '';
  #engine: Engine | undefined;
  #commits = 0;
  #issued: string[] = [];
  /** Those that resolved under `batch`, in commit order, for its window. */
  #inWindow: string[] = [];

  /** `marks`: what processes before said. */
  constructor(
    subject: StorySubject,
    disk: Vfs,
    mark: (text: string) => void,
    marks: readonly string[] = [],
  ) {
    this.#subject = subject;
    this.#disk = disk;
    this.#process = new KillableVfs(new LockAsideVfs(disk));
    this.#marks = [...marks];
    this.#mark = (text) => {
      this.#marks.push(text);
      mark(text);
    };
  }

  /** The open store. */
  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('the story has not opened the store yet');
    return this.#engine;
  }

  /** Opens the store, or makes it. */
  async open(options: EngineOptions = {}): Promise<void> {
    this.#engine = await openStore(this.#subject, this.#process, STORE, this.clock, options);
  }

  /** The process dies in the first opening, when the directory has been made and its name may not last yet. */
  async dieInFirstOpen(): Promise<void> {
    const isThere = (): boolean =>
      this.#disk.readDirectorySync('/').some(({ name }) => STORE === `/${name}`);
    void this.open().catch(() => 'a fault came first: nothing has been made');
    for (let turn = 0; turn < 1000 && !isThere(); turn++) await Promise.resolve();
    if (!isThere()) throw new Error('the directory has not been made');
    this.#process.kill();
    this.#process = new KillableVfs(new LockAsideVfs(this.#disk));
  }

  /** Opens what another process left, and says what it shows: that is durable from here on. */
  async openLeft(options: EngineOptions = {}): Promise<void> {
    // Labels of all processes are kept apart.
    this.#prefix = `r${recoveries(this.#marks)}.`;
    this.#commits = 0;
    this.#inWindow = [];
    await this.open(options);
    const shown = shownCommits(demandsOf(stated(this.#marks)), await stateOf(this.engine));
    this.#issued = [...shown];
    this.#mark(['opened', '0', ...shown].join(' '));
  }

  /** Kills the process, with what it has under way, and opens the store in another one. */
  async killAndOpen(options: EngineOptions = {}): Promise<void> {
    this.#process.kill();
    await this.#openInAnother(options);
  }

  /** Kills the process, has what it left repaired, and opens that. */
  async repair(): Promise<void> {
    this.#process.kill();
    const dispatch = new SyncDispatch(new LockAsideVfs(this.#disk), syncRulesFor('linux', 'node'));
    await this.#subject.kind.repair(STORE, { dispatch, clock: this.clock });
    await this.#openInAnother({});
  }

  /**
   * Begins something and kills the process right behind the first call of which `isLast` says so: what it wrote may be
   * anywhere on its way to the disk. Then opens the store in another process.
   */
  async killBehind(
    begin: () => Promise<unknown>,
    isLast: (call: VfsCall) => boolean,
    options: EngineOptions = {},
  ): Promise<void> {
    const killed = this.#process.killBehind(isLast);
    const ended = begin().then(() => {
      throw new Error('the story has no call behind which its process is killed');
    });
    await Promise.race([killed, ended]);
    await this.#openInAnother(options);
  }

  /** Waits for a call of the process, though not for ever: a fault may have come first. */
  async reached(isIt: (call: VfsCall) => boolean): Promise<void> {
    await Promise.race([this.#process.behind(isIt), turns(100)]);
  }

  async #openInAnother(options: EngineOptions): Promise<void> {
    this.#process = new KillableVfs(new LockAsideVfs(this.#disk));
    await this.openLeft(options);
  }

  /** Closes the store, after which all commits are promised durable, and opens it again. */
  async reopen(options: EngineOptions = {}): Promise<void> {
    await this.engine.close();
    this.allDurable();
    await this.open(options);
  }

  /** Says that every commit so far is durable, unless a sync has failed. REQUIRES: all have settled. */
  allDurable(): void {
    if (this.#process.syncFailed) throw new Error('a sync failed: not all may be durable');
    const last = this.#issued.at(-1);
    if (last !== undefined) this.#mark(`durable ${last}`);
  }

  /**
   * Commits changes (`a=10,b-`: see `engine-commit.ts`). Resolves when the engine has; false when a full disk
   * refused it.
   */
  commit(changes: string, policy: SyncPolicy): Promise<boolean> {
    const done = this.#commit(changes, policy);
    // A story that a fault ends does not await what it has under way.
    done.catch(() => 'told to whoever awaits it');
    return done;
  }

  async #commit(changes: string, policy: SyncPolicy): Promise<boolean> {
    const label = this.#issue(changes);
    try {
      await this.engine.write(batchOfLabel(label), policy);
    } catch (error) {
      return this.#refused(label, error);
    }
    this.#kept(label, policy);
    return true;
  }

  /** As `commit`, in a blocking call. */
  commitNow(changes: string, policy: SyncPolicy): boolean {
    const label = this.#issue(changes);
    try {
      this.engine.writeSync(batchOfLabel(label), policy);
    } catch (error) {
      return this.#refused(label, error);
    }
    this.#kept(label, policy);
    return true;
  }

  /** As `commit`, in a transaction, piece by piece. REQUIRES: an engine with transactions. */
  async transact(changes: string, policy: SyncPolicy): Promise<boolean> {
    const label = this.#issue(changes);
    try {
      await this.engine.transaction?.((inside) => inside.write(batchOfLabel(label)), policy);
    } catch (error) {
      return this.#refused(label, error);
    }
    this.#kept(label, policy);
    return true;
  }

  /** Makes changes in a transaction and rolls it back: none of them may ever show. */
  async rollBack(changes: string): Promise<void> {
    const rolledBack = new Error('rolled back');
    const work = async (inside: Engine): Promise<void> => {
      await inside.write(batchOfLabel(`never:${changes}`));
      throw rolledBack;
    };
    try {
      await this.engine.transaction?.(work);
    } catch (error) {
      if (error !== rolledBack) throw error;
    }
  }

  /** Makes a backup, which from then on must show just what was committed. REQUIRES: all have settled. */
  async backup(directory: string): Promise<void> {
    const shown = [...this.#issued];
    this.#mark(['backing', directory, ...shown].join(' '));
    await this.engine.backup(directory);
    this.#mark(['backup', directory, ...shown].join(' '));
  }

  #issue(changes: string): string {
    const label = `${this.#prefix}${this.#commits++}:${changes}`;
    this.#issued.push(label);
    this.#mark(`issue ${label}`);
    return label;
  }

  #kept(label: string, policy: SyncPolicy): void {
    this.#mark(`kept ${label}`);
    if (policy === 'sync') this.#mark(`durable ${label}`);
    const records = this.#subject.options?.batch?.records;
    if (policy !== 'batch' || records === undefined) return;
    this.#inWindow.push(label);
    // Fewer than that may be lost.
    const durable = this.#inWindow.at(-records);
    if (durable !== undefined) this.#mark(`durable ${durable}`);
  }

  #refused(label: string, error: unknown): false {
    const { code } = error as { code?: string };
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    this.#issued = this.#issued.filter((each) => each !== label);
    this.#mark(`refused ${label}`);
    return false;
  }
}

function openStore(
  subject: StorySubject,
  vfs: Vfs,
  directory: string,
  clock: Clock = new ManualClock(),
  options: EngineOptions = {},
): Promise<Engine> {
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  return subject.kind.open(directory, { ...subject.options, ...options, dispatch, clock });
}

/** All that can be read. */
async function stateOf(engine: Engine): Promise<TextState> {
  const state: TextState = new Map();
  const iterator = engine.iterator();
  while ((await iterator.read(entriesInto(state), 1000, Infinity)) > 0);
  iterator.close();
  return state;
}

function shows(state: TextState, commits: readonly string[]): boolean {
  const expected: TextState = new Map();
  for (const label of commits) applyLabel(expected, label);
  return sameState(state, expected);
}

/** The commits that a state shows; all of them where it shows none in order, for `check` to tell. */
function shownCommits({ chain, durable }: Demands, state: TextState): readonly string[] {
  for (let end = chain.length; end >= durable; end--) {
    if (shows(state, chain.slice(0, end))) return chain.slice(0, end);
  }
  return chain;
}

/** The marks that are about the store itself. */
function stated(marks: readonly string[]): string[] {
  return marks.filter((mark) => !isOfBackup(mark));
}

function isOfBackup(mark: string): boolean {
  return /^(backup|backing) /.test(mark);
}

function recoveries(marks: readonly string[]): number {
  return 1 + marks.filter((mark) => mark.startsWith('opened ')).length;
}

async function wrongBackups(
  subject: StorySubject,
  vfs: Vfs,
  marks: readonly string[],
): Promise<string[]> {
  const wrong: string[] = [];
  for (const mark of marks) {
    const [verb, directory = '', ...labels] = mark.split(' ');
    if (verb !== 'backing') continue;
    const isMade = marks.some((other) => other.startsWith(`backup ${directory} `));
    try {
      const state = await stateOfBackup(subject, vfs, directory);
      if (!shows(state, labels)) {
        wrong.push(`P1: the backup ${directory} does not show its commits`);
      }
    } catch (error) {
      // One that was cut short is no store: what names its files comes last.
      if (isMade || !saysNoStore(error))
        wrong.push(`P4: the backup ${directory}: ${String(error)}`);
    }
  }
  return wrong;
}

async function stateOfBackup(
  subject: StorySubject,
  vfs: Vfs,
  directory: string,
): Promise<TextState> {
  const clock = new ManualClock();
  const options = { createIfMissing: false };
  const backup = await openStore(subject, new LockAsideVfs(vfs), directory, clock, options);
  try {
    return await stateOf(backup);
  } finally {
    await backup.close();
  }
}

/** Nothing there, or files without what names them. */
function saysNoStore(error: unknown): boolean {
  const { code, path = '' } = error as { code?: string; path?: string };
  return code === 'HOLDFAST_MISSING' || /\/(BITCASK|BTREE|CURRENT)$/.test(path);
}
