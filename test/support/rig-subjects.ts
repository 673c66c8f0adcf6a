/**
 * What is put under the power-cut rig: the log and each engine, in each sync policy, as crash tests whose programs
 * take in flush, rotation, compaction, merge, checkpoint, backup, a kill, recovery and reopening. The same promises and
 * the same judge as under the laboratory's models (`engine-story.ts`, `log-story.ts`).
 */

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import { CorruptionError } from '../../src/base/errors.ts';
import { btreeKind } from '../../src/btree/btree-kind.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type {
  CheckFunction,
  CrashTest,
  Recover,
  Workload,
} from '../../src/lab/suite/crash-test.ts';
import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { crashTestOf } from '../lab/wal-stories.ts';
import { engineCrashTest, StoryTeller, type StorySubject } from './engine-story.ts';
import type { LogStory } from './log-story.ts';

/** Names of the subjects, each also that of its directory on the disk. */
export const RIG_SUBJECTS: readonly string[] = ['log', 'lsm', 'bitcask', 'btree'];

export const RIG_POLICIES: readonly SyncPolicy[] = ['sync', 'batch', 'none'];

/** Options that make files small enough for a short program to fill many of them. */
export const ENGINES_ON_RIG: Readonly<Record<string, StorySubject>> = {
  lsm: {
    kind: lsmKind,
    options: { writeBufferSize: 4096, maxFileSize: 4096, blockSize: 512, cacheSize: 4096 },
  },
  bitcask: { kind: bitcaskKind, options: { maxFileSize: 8192, preallocateBytes: 4096 } },
  btree: {
    kind: btreeKind,
    options: { cacheSize: 1 << 20, checkpoint: { logBytes: 16 << 10, ms: 1000 } },
  },
};

/**
 * Whether an error says that a store is not opened because of what is in its directory: damage, or the files of
 * something else, as a file system without a journal leaves them.
 */
export function isRefusal(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  return (
    error instanceof CorruptionError || /^(HOLDFAST_(FOREIGN|FORMAT)|EISDIR|ENOTDIR)$/.test(code)
  );
}

/** What is under test: a program, its recovery, and the question whether a recovered disk is right. */
export interface RigSubject {
  readonly workload: Workload;
  readonly recover: Recover;
  readonly check: CheckFunction;
}

/** For contexts of a disk that is at hand as files: nothing here looks at it as data. */
export const NO_DISK: CrashedDisk = {
  root: { kind: 'directory', mode: 0o755, entries: new Map() },
  marks: [],
};

/** The marks of one subject among those of all, without its name. */
export function marksOf(name: string, marks: readonly string[]): string[] {
  return marks
    .filter((text) => text.startsWith(`${name} `))
    .map((text) => text.slice(name.length + 1));
}

/**
 * `brief`: a story of a third, for a suite that has to be quick; its recovery and check are the same.
 * @throws Error for a name or policy that is none
 */
export function rigSubject(name: string, policy: string, brief: boolean = false): RigSubject {
  const known = RIG_POLICIES.find((one) => one === policy);
  if (known === undefined) throw new Error(`'${policy}' is no policy`);
  if (name === 'log') {
    const options = { window: 3, segmentBytes: 32 << 10, preallocate: true };
    return complete(crashTestOf({ name, options, tell: (story) => tellLog(story, known, brief) }));
  }
  const subject = ENGINES_ON_RIG[name];
  if (subject === undefined) throw new Error(`'${name}' is no subject of the rig`);
  return engineOnRig(subject, known, brief);
}

async function tellLog(story: LogStory, policy: SyncPolicy, brief: boolean): Promise<void> {
  await story.open();
  for (let round = brief ? 1 : 0; round < (brief ? 2 : 4); round++) {
    await story.append(policy, 1, 6000);
    await story.append(policy, 2, 900);
    await Promise.all([1, 2, 3].map((count) => story.append(policy, count, 1500)));
    story.appendSync(policy, 3, 400);
    if (round === 1) await story.checkpoint();
    if (round === 1) await story.truncate();
    if (round !== 2) await story.rotate();
    await story.append(policy, 1, 12_000 + round);
  }
  story.kill();
  story.openSync();
  story.appendSync(policy, 2, 70);
  await story.append(policy);
  await story.truncate();
  await story.close();
  await story.open();
  await story.append(policy, 3, 300);
}

/** Turnover with a snapshot held, and a backup. */
async function tellFirst(teller: StoryTeller, policy: SyncPolicy, brief: boolean): Promise<void> {
  await teller.open({ sync: policy });
  await teller.commit('k*8=400', policy);
  const snapshot = teller.engine.snapshot();
  for (let round = brief ? 1 : 0; round < (brief ? 3 : 4); round++) {
    const letter = 'abcd'[round];
    await teller.commit(`k*6=${300 + round},${letter}=50`, policy);
    teller.commitNow(`m*3=${600 + round},${letter}-`, policy);
    await Promise.all([
      teller.commit(`${letter}=700`, policy),
      teller.commit(`n*4=200`, policy),
      teller.commit(`n*2-,e=10`, policy),
    ]);
    if (round === 1) await teller.engine.compact();
    if (round === 2) await teller.backup('/copy');
  }
  snapshot.release();
  await teller.commit('q*20=150', policy);
}

/** After a kill and the recovery from it: much deleted, merged, closed and opened again. */
async function tellSecond(teller: StoryTeller, policy: SyncPolicy): Promise<void> {
  await teller.commit('k*5=500,a=7', policy);
  await teller.commit('k*8-,m*3-', policy);
  await teller.engine.compact();
  await teller.reopen({ sync: policy });
  await teller.commit('big=9000,b=1', policy);
  teller.commitNow('q*20-', policy);
  await teller.engine.compact();
  await teller.commit('r*6=300', policy);
  await teller.engine.close();
  teller.allDurable();
}

function engineOnRig(subject: StorySubject, policy: SyncPolicy, brief: boolean): RigSubject {
  const { recover, check } = complete(engineCrashTest(subject, async () => undefined));
  const workload: Workload = async (vfs, { mark }) => {
    const teller = new StoryTeller(subject, vfs, mark);
    await tellFirst(teller, policy, brief);
    await teller.killAndOpen({ sync: policy });
    if (!brief) await tellSecond(teller, policy);
  };
  return { workload, recover, check };
}

function complete({ workload, recover, check }: CrashTest): RigSubject {
  if (recover === undefined || typeof check !== 'function') {
    throw new Error('a subject of the rig has a recovery, and a check of its own');
  }
  return { workload, recover, check };
}
