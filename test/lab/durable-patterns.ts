/** The patterns of `durable` as crash tests: what each promises, asked of every disk that a power cut can leave. */

import assert from 'node:assert/strict';

import { AppendFile } from '../../src/durable/append-file.ts';
import { replaceFile, replaceFileSync } from '../../src/durable/atomic-file.ts';
import { DurableDirectory } from '../../src/durable/durable-directory.ts';
import { changeNames } from '../../src/durable/name-group.ts';
import { DirectoryLock } from '../../src/durable/lock-file.ts';
import type { LockJudge } from '../../src/durable/lock-judge.ts';
import type { LockOwner } from '../../src/durable/lock-owner.ts';
import { readPointer, replacePointer } from '../../src/durable/pointer-file.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { CheckFunction, CrashTest } from '../../src/lab/suite/crash-test.ts';
import { oracles } from '../../src/lab/suite/suite-oracles.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { MutationKind } from '../support/mutation-run.ts';
import { readWholeFileSync, writeFullySync } from '../../src/vfs/transfer.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { fileTree } from '../support/file-tree-builder.ts';

export interface Pattern {
  readonly name: string;
  readonly test: CrashTest;
  /** Mutants that nothing catches: `survivorsOf`, each with its reason. */
  readonly survivors: Readonly<Record<string, string>>;
  /** Whose syncs are taken away. Default: the workload's. */
  readonly program?: 'workload' | 'recover';
  /** Mutations that make sense here. Default: all. */
  readonly kinds?: readonly MutationKind[];
}

const OLD = 'old content';
const NEW = 'the new content';

function dispatchOf(vfs: Vfs): SyncDispatch {
  return new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
}

function directoryOf(vfs: Vfs): DurableDirectory {
  return new DurableDirectory(dispatchOf(vfs));
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Null where there is no such file. */
function textOf(vfs: Vfs, path: string): string | null {
  try {
    return new TextDecoder('latin1').decode(readWholeFileSync(vfs, path));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function exists(vfs: Vfs, path: string): boolean {
  try {
    vfs.lstatSync(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Every file is one of its texts (null: absent), and the last of them once `mark` was made. */
function oneOf(files: Record<string, readonly (string | null)[]>): CheckFunction {
  return (vfs, { marks }) => {
    for (const [path, texts] of Object.entries(files)) {
      const text = textOf(vfs, path);
      if (marks.includes(path)) assert.equal(text, texts.at(-1), path);
      else assert.ok(texts.includes(text), `${path} holds ${JSON.stringify(text)}`);
    }
  };
}

const REPLACING: readonly Pattern[] = [
  {
    name: 'replacing a file',
    survivors: {},
    test: {
      tree: fileTree({ a: OLD }),
      workload: async (vfs, { mark }) => {
        await replaceFile(vfs, '/a', bytes(NEW));
        mark('/a');
      },
      check: oneOf({ '/a': [OLD, NEW] }),
    },
  },
  {
    name: 'replacing a file, blocking, twice',
    survivors: {},
    test: {
      workload: (vfs, { mark }) => {
        replaceFileSync(vfs, '/a', bytes(OLD));
        mark('first');
        replaceFileSync(vfs, '/a', bytes(NEW));
        mark('/a');
      },
      check: (vfs, context) => {
        const texts = context.marks.includes('first') ? [OLD, NEW] : [null, OLD, NEW];
        return oneOf({ '/a': texts })(vfs, context);
      },
    },
  },
  {
    name: 'replacing two files at a time',
    survivors: {},
    test: {
      tree: fileTree({ a: OLD, b: OLD }),
      workload: async (vfs, { mark }) => {
        const one = async (path: string): Promise<void> => {
          await replaceFile(vfs, path, bytes(NEW));
          mark(path);
        };
        await Promise.all([one('/a'), one('/b')]);
      },
      check: oneOf({ '/a': [OLD, NEW], '/b': [OLD, NEW] }),
    },
  },
  {
    name: 'pointer file',
    survivors: {},
    test: {
      workload: async (vfs, { mark }) => {
        for (const version of ['1', '2']) {
          await replacePointer(vfs, '/CURRENT', bytes(version));
          mark(version);
        }
      },
      check: oracles.monotone({
        read: async (vfs) => {
          const payload = await readPointer(vfs, '/CURRENT');
          return payload === null ? 0 : Number(new TextDecoder().decode(payload));
        },
        highest: 2,
      }),
    },
  },
];

const TOP_DOWN =
  'the order is for another process that finds the directory while its name is not durable: see the killed one below';

/** Runs until a change of names, which is made, and then never again. */
class KilledVfs extends ForwardingVfs {
  #left: number;

  constructor(inner: Vfs, changes: number) {
    super(inner);
    this.#left = changes;
  }

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    if (this.#left === 0) throw new Error('killed');
    const result = await run(call);
    if (call.name === 'mkdir') this.#left--;
    return result;
  }
}

/** `mkdir -p` by a process that is killed right after it made a directory, and then by another. */
function mkdirAfterKill(changes: number): Pattern {
  return {
    name: `mkdir -p after a process that was killed when it had made ${changes}`,
    survivors: {},
    kinds: [],
    test: {
      workload: async (vfs, { mark }) => {
        const killed = directoryOf(new KilledVfs(vfs, changes)).mkdirAll('/a/b/c');
        await assert.rejects(killed, /killed/);
        await directoryOf(vfs).mkdirAll('/a/b/c');
        mark('made');
      },
      check: (vfs, { marks }) => assert.ok(marks.length === 0 || exists(vfs, '/a/b/c')),
    },
  };
}

const NAMING: readonly Pattern[] = [
  {
    name: 'mkdir',
    survivors: {},
    test: {
      workload: async (vfs, { mark }) => {
        await directoryOf(vfs).mkdir('/a');
        mark('made');
      },
      check: (vfs, { marks }) => assert.ok(marks.length === 0 || exists(vfs, '/a')),
    },
  },
  {
    name: 'mkdir -p',
    survivors: {
      'postponed: fsync of / in sync, changeNames': TOP_DOWN,
      'postponed: fsync of /a in sync, changeNames': TOP_DOWN,
    },
    test: {
      workload: async (vfs, { mark }) => {
        await directoryOf(vfs).mkdirAll('/a/b/c');
        mark('made');
      },
      check: (vfs, { marks }) => assert.ok(marks.length === 0 || exists(vfs, '/a/b/c')),
    },
  },
  {
    name: 'rename',
    survivors: {},
    test: {
      tree: fileTree({ d: { a: OLD }, e: {} }),
      workload: async (vfs, { mark }) => {
        await directoryOf(vfs).rename('/d/a', '/e/b');
        mark('renamed');
      },
      check: (vfs, { marks }) => {
        const [from, to] = [textOf(vfs, '/d/a'), textOf(vfs, '/e/b')];
        assert.ok(from === OLD || to === OLD, 'neither name has it');
        if (marks.length > 0) assert.deepEqual([from, to], [null, OLD]);
      },
    },
  },
  {
    name: 'rename that resolved, where a rename is two changes',
    survivors: {},
    test: {
      models: ['posix+splitrename'],
      tree: fileTree({ d: { a: OLD }, e: {} }),
      workload: async (vfs, { mark }) => {
        await directoryOf(vfs).rename('/d/a', '/e/b');
        mark('renamed');
      },
      check: (vfs, { marks }) => {
        if (marks.length === 0) return;
        assert.deepEqual([textOf(vfs, '/d/a'), textOf(vfs, '/e/b')], [null, OLD]);
      },
    },
  },
  mkdirAfterKill(1),
  mkdirAfterKill(2),
  mkdirAfterKill(3),
  {
    name: 'rename of a file that was not synced, over another',
    survivors: {},
    test: {
      tree: fileTree({ a: OLD }),
      workload: async (vfs, { mark }) => {
        const file = vfs.openSync('/b', { write: true, create: true });
        writeFullySync(file, bytes(NEW), 0);
        file.closeSync();
        await directoryOf(vfs).replace('/b', '/a');
        mark('/a');
      },
      check: (vfs, context) => {
        oneOf({ '/a': [OLD, NEW] })(vfs, context);
        if (context.marks.length > 0) assert.equal(exists(vfs, '/b'), false);
      },
    },
  },
  {
    name: 'rm',
    survivors: {},
    test: {
      tree: fileTree({ a: OLD, d: { e: { f: OLD }, g: OLD } }),
      workload: async (vfs, { mark }) => {
        await directoryOf(vfs).rm('/a');
        mark('/a');
        await directoryOf(vfs).rm('/d', { recursive: true });
        mark('/d');
      },
      check: (vfs, { marks }) => {
        for (const path of marks) assert.equal(exists(vfs, path), false, `${path} is back`);
      },
    },
  },
  {
    name: 'a group of changes to names',
    survivors: {},
    test: {
      tree: fileTree({ a: OLD, b: OLD, d: {} }),
      workload: async (vfs, { mark }) => {
        await changeNames(dispatchOf(vfs), async (names) => {
          await names.rename('/a', '/d/a');
          await names.unlink('/b');
          await names.mkdir('/c');
        });
        mark('all');
      },
      check: (vfs, { marks }) => {
        const seen = ['/a', '/b', '/c', '/d/a'].map((path) => exists(vfs, path));
        assert.ok(seen[0] || seen[3], 'neither name of the file is there');
        if (marks.length > 0) assert.deepEqual(seen, [false, false, true, true]);
      },
    },
  },
];

/** A machine on which every owner but oneself is dead. */
function afterReboot(): LockJudge {
  const self: LockOwner = {
    processId: 7,
    processStart: '1',
    threadId: 0,
    systemThreadId: '',
    systemThreadStart: '',
    boot: 'boot',
    namespace: 'space',
    host: 'host',
    machine: 'machine',
    nonce: 'none',
  };
  return { self, verdictOn: () => 'dead', note: () => undefined };
}

const RECOVERING: readonly Pattern[] = [
  {
    name: 'a number that each start raises by replacing its file',
    survivors: {},
    program: 'recover',
    test: {
      tree: fileTree({ number: '1' }),
      workload: () => undefined,
      recover: async (vfs, { marks, mark }) => {
        const number = Number(textOf(vfs, '/number'));
        assert.ok(
          number >= Math.max(1, ...marks.map(Number)),
          `back to ${number} from ${marks.join(', ')}`,
        );
        await replaceFile(vfs, '/number', bytes(String(number + 1)));
        mark(String(number + 1));
      },
      check: (vfs) => assert.match(textOf(vfs, '/number') ?? '', /^[1-9]$/),
    },
  },
  {
    name: 'a lock that was held when the power failed',
    survivors: {},
    test: {
      nested: 2,
      tree: fileTree({ db: {} }),
      workload: async (vfs) => {
        const clock = new ManualClock();
        const lock = await DirectoryLock.acquire('/db', { vfs, clock, judge: afterReboot() });
        await lock.release();
        await DirectoryLock.acquire('/db', { vfs, clock, judge: afterReboot() });
      },
      // Whatever is left of the lock never blocks the next owner.
      recover: async (vfs) => {
        const clock = new ManualClock();
        await DirectoryLock.acquire('/db', { vfs, clock, judge: afterReboot() });
      },
      check: () => undefined,
    },
  },
];

const RECORDS = ['first record;', 'second record;', 'third record;'];

/** Records of the file; what is torn or zeros is none. */
function recordsIn(vfs: Vfs): string[] {
  const parts = (textOf(vfs, '/log') ?? '').split(';');
  const whole = parts.findIndex((part) => !RECORDS.includes(`${part};`));
  return parts.slice(0, whole).map((part) => `${part};`);
}

/** The file is there once it was made, with a prefix of the records that has all acknowledged ones. */
const RECORDED: CheckFunction = (vfs, context) => {
  if (context.marks.includes('created')) assert.ok(exists(vfs, '/log'), 'the file is gone');
  return RECORDS_KEPT(vfs, context);
};

const RECORDS_KEPT = oracles.prefix({
  list: recordsIn,
  issued: RECORDS,
  acknowledged: (marks) => marks.filter((mark) => mark !== 'created'),
});

const AHEAD =
  'performance only, counted by "zeros are written ahead in the background" of append-file.test.ts';

const APPENDING: readonly Pattern[] = [
  {
    name: 'append file',
    survivors: {},
    test: {
      workload: async (vfs, { mark }) => {
        const file = await AppendFile.create('/log', { dispatch: dispatchOf(vfs) });
        mark('created');
        for (const record of RECORDS) {
          await file.append(bytes(record));
          mark(record);
        }
        await file.close();
      },
      check: RECORDED,
    },
  },
  {
    name: 'append file, blocking',
    survivors: {},
    test: {
      workload: (vfs, { mark }) => {
        const file = AppendFile.createSync('/log', { dispatch: dispatchOf(vfs) });
        mark('created');
        for (const record of RECORDS) {
          file.appendSync(bytes(record));
          mark(record);
        }
        file.closeSync();
      },
      check: RECORDED,
    },
  },
  {
    name: 'append file with zeros ahead',
    survivors: {
      'dropped: fdatasync in #extend': AHEAD,
      'postponed: fdatasync in #extend': AHEAD,
    },
    test: {
      workload: async (vfs, { mark }) => {
        const dispatch = dispatchOf(vfs);
        const file = await AppendFile.create('/log', { dispatch, preallocateBytes: 8192 });
        mark('created');
        for (const record of RECORDS) {
          await file.append(bytes(record));
          mark(record);
        }
        await file.close();
      },
      check: RECORDED,
    },
  },
  {
    name: 'append file under policy none, synced at the end',
    survivors: {
      'opened without sync: open in createFiles, create':
        'the descriptor for durable writes is there for calls under sync; none is made here',
    },
    test: {
      workload: async (vfs, { mark }) => {
        const file = await AppendFile.create('/log', { dispatch: dispatchOf(vfs), sync: 'none' });
        mark('created');
        for (const record of RECORDS) await file.append(bytes(record));
        await file.sync();
        for (const record of RECORDS) mark(record);
        await file.close();
      },
      check: RECORDED,
    },
  },
];

export const PATTERNS: readonly Pattern[] = [...REPLACING, ...NAMING, ...RECOVERING, ...APPENDING];
