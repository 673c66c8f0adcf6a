/** The main operations of the log and of each engine, one after the other, and what each costs. */

import assert from 'node:assert/strict';

import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import { DISK_ENGINES } from '../../src/level/engine-registry.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { CountedVfs } from './counted-vfs.ts';
import type { CountedWork } from './counted-vfs.ts';

/** Work by step. */
export type WorkBySubject = Readonly<Record<string, Readonly<Record<string, CountedWork>>>>;

type Step = readonly [name: string, run: () => unknown];

const ENTRIES = 2000;
const CALLERS = 64;
const VALUE = Buffer.alloc(100, 7);

/** Everything that is counted. */
export async function countWork(): Promise<WorkBySubject> {
  const work: Record<string, Record<string, CountedWork>> = { log: await logWork() };
  for (const { name } of DISK_ENGINES) work[name] = await engineWork(name as 'lsm');
  return work;
}

async function counted(
  vfs: CountedVfs,
  steps: readonly Step[],
): Promise<Record<string, CountedWork>> {
  const work: Record<string, CountedWork> = {};
  for (const [name, run] of steps) {
    vfs.take();
    await run();
    work[name] = vfs.take();
  }
  return work;
}

function surroundings(): { vfs: CountedVfs; dispatch: SyncDispatch } {
  const vfs = new CountedVfs(new MemoryVfs());
  // The lock is not counted: its file names the process, whose number has more digits or fewer.
  return { vfs, dispatch: new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node')) };
}

async function logWork(): Promise<Record<string, CountedWork>> {
  const { vfs, dispatch } = surroundings();
  const open = (): Promise<WriteAheadLog> => WriteAheadLog.open('/log', { dispatch });
  let log: WriteAheadLog;
  return counted(vfs, [
    ['open a new one', async () => (log = await open())],
    ['append, awaited', () => log.append(VALUE)],
    ['append, awaited, the second', () => log.append(VALUE)],
    ['append, blocking', () => log.appendSync(VALUE)],
    [
      `append by ${CALLERS} callers at once`,
      () => Promise.all(Array.from({ length: CALLERS }, () => log.append(VALUE))),
    ],
    ['rotate', () => log.rotate()],
    ['replay', () => assert.equal([...log.replaySync()].length, log.lastSequence)],
    ['close', () => log.close()],
    ['open after a clean close', async () => (log = await open())],
    ['close again', () => log.close()],
  ]);
}

async function engineWork(
  engine: 'lsm' | 'bitcask' | 'btree',
): Promise<Record<string, CountedWork>> {
  const { vfs, dispatch } = surroundings();
  const create = (): HoldfastLevel<string, Buffer> =>
    new HoldfastLevel<string, Buffer>('/db', { engine, dispatch, valueEncoding: 'buffer' });
  let db = create();
  const many = Array.from({ length: ENTRIES }, (_, index) => ({
    type: 'put' as const,
    key: `key ${String((index * 7919) % ENTRIES).padStart(6, '0')}`,
    value: VALUE,
  }));
  return counted(vfs, [
    ['open a new one', () => db.open()],
    ['put, awaited', () => db.put('a', VALUE)],
    ['put, awaited, the second', () => db.put('b', VALUE)],
    ['put, blocking', () => db.putSync('c', VALUE)],
    [
      `put by ${CALLERS} callers at once`,
      () =>
        Promise.all(
          Array.from({ length: CALLERS }, (_, index) => db.put(`at once ${index}`, VALUE)),
        ),
    ],
    ['batch of 2,000, not synced', () => db.batch(many, { sync: 'none' })],
    ['delete', () => db.del('a')],
    ['get, blocking, of what was just written', () => db.getSync('b')],
    ['scan', async () => assert.equal((await db.values().all()).length, ENTRIES + CALLERS + 2)],
    ['compact', () => db.compact()],
    ['close', () => db.close()],
    ['open after a clean close', () => (db = create()).open()],
    ['get, cold', () => db.get('key 001000')],
    ['get, warm', () => db.get('key 001000')],
    ['get, blocking, cold', () => db.getSync('key 000001')],
    ['get of what is not there', () => db.get('key 001000 and more')],
    [
      'scan, cold',
      async () => assert.equal((await db.values().all()).length, ENTRIES + CALLERS + 2),
    ],
    ['close again', () => db.close()],
  ]);
}
