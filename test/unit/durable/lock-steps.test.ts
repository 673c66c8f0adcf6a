/** Taking a lock, with the calls of many openers interleaved and openers killed anywhere. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import type { LockJudge, LockVerdict } from '../../../src/durable/lock-judge.ts';
import { encodeLockOwner } from '../../../src/durable/lock-owner.ts';
import type { LockOwner } from '../../../src/durable/lock-owner.ts';
import { acquireLock, releaseLock } from '../../../src/durable/lock-steps.ts';
import type { TakenLock } from '../../../src/durable/lock-steps.ts';
import { runNow } from '../../../src/durable/two-forms.ts';
import type { TwoFormSteps } from '../../../src/durable/two-forms.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A world of processes that are alive until they are killed. */
class World {
  readonly vfs = new MemoryVfs();
  readonly clock = new ManualClock();
  readonly alive = new Set<number>();
  #born = 0;

  constructor() {
    this.vfs.mkdirSync('/db');
  }

  /** A new process, as a judge: every opener has its own. */
  judge(): LockJudge & { readonly processId: number } {
    const processId = ++this.#born;
    this.alive.add(processId);
    return {
      processId,
      self: { ...NOBODY, processId },
      verdictOn: (owner) => this.verdictOn(owner),
      note: () => {},
    };
  }

  verdictOn(owner: LockOwner): LockVerdict {
    return this.alive.has(owner.processId) ? 'alive' : 'dead';
  }

  names(): string[] {
    return this.vfs.readDirectorySync('/db').map((entry) => entry.name);
  }
}

const NOBODY: LockOwner = {
  processId: 0,
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

interface Opener {
  readonly processId: number;
  readonly judge: LockJudge;
  steps: TwoFormSteps<unknown>;
  taken: TakenLock | null;
  releasing: boolean;
}

function opener(world: World): Opener {
  const judge = world.judge();
  const steps = acquireLock('/db', { vfs: world.vfs, judge, clock: world.clock });
  return { processId: judge.processId, judge, steps, taken: null, releasing: false };
}

/** Makes one call of an opener. True when it has come to an end. */
function advance(one: Opener, state: { result?: unknown; error?: unknown }): boolean {
  let step;
  try {
    step = 'error' in state ? one.steps.throw(state.error) : one.steps.next(state.result);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'HOLDFAST_LOCKED');
    return true;
  }
  delete state.error;
  delete state.result;
  if (step.done === true) {
    if (one.releasing) return true;
    one.taken = step.value as TakenLock;
    return false;
  }
  try {
    state.result = step.value.now();
  } catch (error) {
    // Handed to the steps with the next call.
    state.error = error;
  }
  return false;
}

test('no interleaving of openers and kills lets two living owners hold the lock', () => {
  let takenCount = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const prng = new Prng(seed);
    const random = (limit: number): number => prng.below(limit);
    const world = new World();
    const running = new Map<Opener, { result?: unknown; error?: unknown }>();
    for (let turn = 0; turn < 250; turn++) {
      if (running.size < 4 && random(8) === 0) running.set(opener(world), {});
      const all = [...running.keys()];
      const one = all[random(Math.max(1, all.length))];
      if (one === undefined) continue;
      const state = running.get(one)!;
      if (random(40) === 0) {
        world.alive.delete(one.processId);
        running.delete(one);
      } else if (one.taken !== null && !one.releasing) {
        if (random(6) > 0) continue;
        one.releasing = true;
        one.steps = releaseLock(world.vfs, one.judge, one.taken);
      } else if (advance(one, state)) {
        world.alive.delete(one.processId);
        running.delete(one);
      } else if (one.taken !== null) {
        takenCount++;
      }
      const holders = [...running.keys()].filter((each) => each.taken !== null && !each.releasing);
      assert.ok(holders.length <= 1, `seed ${seed}, turn ${turn}: ${holders.length} owners`);
    }
    for (const one of running.keys()) world.alive.delete(one.processId);
    const last = runNow(opener(world).steps) as TakenLock;
    assert.equal(world.names().length, 1, `seed ${seed}: the files of the dead are gone`);
    assert.ok(last.path.endsWith(world.names()[0]!));
  }
  assert.ok(takenCount > 500, `the lock was taken ${takenCount} times`);
});

test('the first generation is taken, and nothing is left after the release', () => {
  const world = new World();
  const judge = world.judge();
  const taken = runNow(acquireLock('/db', { vfs: world.vfs, judge }));
  assert.deepEqual(world.names(), ['holdfast-lock-00000001']);
  runNow(releaseLock(world.vfs, judge, taken));
  assert.deepEqual(world.names(), []);
});

test('a dead owner is followed by the next generation, and its file is removed only then', () => {
  const world = new World();
  runNow(opener(world).steps);
  world.alive.clear();
  const removedAt: string[][] = [];
  const unlinkSync = world.vfs.unlinkSync.bind(world.vfs);
  world.vfs.unlinkSync = (path) => {
    removedAt.push(world.names().toSorted());
    unlinkSync(path);
  };
  runNow(opener(world).steps);
  assert.deepEqual(removedAt, [['holdfast-lock-00000001', 'holdfast-lock-00000002']]);
  assert.deepEqual(world.names(), ['holdfast-lock-00000002']);
});

test('a lock file that a power cut has emptied, torn or filled with zeros blocks nobody', () => {
  const content = encodeLockOwner({ ...NOBODY, processId: 1 });
  for (const left of [
    new Uint8Array(0),
    content.subarray(0, content.length >> 1),
    new Uint8Array(content.length),
    content.map((byte, index) => (index < 5 ? 0 : byte)),
  ]) {
    const world = new World();
    const alive = world.judge();
    assert.equal(alive.processId, 1);
    const file = world.vfs.openSync('/db/holdfast-lock-00000007', { write: true, create: true });
    file.writeSync(left, 0, left.length, 0);
    file.closeSync();
    const taken = runNow(opener(world).steps) as TakenLock;
    assert.equal(taken.path, '/db/holdfast-lock-00000008');
    assert.deepEqual(world.names(), ['holdfast-lock-00000008']);
  }
});

test('who removed the file by hand and took the lock keeps it when the old owner releases', () => {
  const world = new World();
  const old = world.judge();
  const taken = runNow(acquireLock('/db', { vfs: world.vfs, judge: old }));
  world.vfs.unlinkSync(taken.path);
  runNow(opener(world).steps);
  runNow(releaseLock(world.vfs, old, taken));
  assert.deepEqual(world.names(), ['holdfast-lock-00000001']);
});

test('a lock that cannot be written is an error and leaves no file', () => {
  const world = new World();
  world.vfs.capacityBytes = 10;
  assert.throws(() => runNow(opener(world).steps), { code: 'ENOSPC' });
  assert.deepEqual(world.names(), []);
});

test('an unknown owner blocks, and is overridden only by who says so; a living one never', () => {
  const world = new World();
  const first = world.judge();
  runNow(acquireLock('/db', { vfs: world.vfs, judge: first }));
  const second = world.judge();
  const as = (verdict: LockVerdict, override: boolean) =>
    acquireLock('/db', {
      vfs: world.vfs,
      override,
      judge: { ...second, verdictOn: (owner) => (owner.processId === 1 ? verdict : 'alive') },
    });
  for (const [verdict, override] of [
    ['alive', false],
    ['alive', true],
    ['unknown', false],
  ] as const) {
    assert.throws(() => runNow(as(verdict, override)), {
      code: 'HOLDFAST_LOCKED',
      path: '/db/holdfast-lock-00000001',
      alive: verdict === 'alive',
    });
  }
  const taken = runNow(as('unknown', true));
  assert.equal(taken.owner.processId, second.processId);
});

test('an owner that is ending is waited for', () => {
  const world = new World();
  runNow(opener(world).steps);
  const judge = world.judge();
  let asked = 0;
  const verdictOn = (owner: LockOwner): LockVerdict =>
    owner.processId !== 1 ? 'alive' : ++asked < 5 ? 'ending' : 'dead';
  const { vfs, clock } = world;
  runNow(acquireLock('/db', { vfs, clock, judge: { ...judge, verdictOn } }));
  assert.ok(asked >= 5);
  const endless = { ...judge, verdictOn: (): LockVerdict => 'ending' };
  assert.throws(() => runNow(acquireLock('/db', { vfs, clock, judge: endless })), {
    code: 'HOLDFAST_LOCKED',
  });
});

test('an opener so slow that its unfinished file was removed begins again', () => {
  const world = new World();
  const exists = (name: string): boolean => world.names().includes(`holdfast-lock-0000000${name}`);
  const drive = (one: Opener, until: () => boolean): void => {
    const state = {};
    while (!until()) assert.equal(advance(one, state), false);
  };
  const ahead = opener(world);
  const slow = opener(world);
  const aheadState = {};
  while (!exists('1')) advance(ahead, aheadState);
  const slowState = {};
  while (!exists('2')) advance(slow, slowState);
  while (ahead.taken === null) advance(ahead, aheadState);
  assert.deepEqual(world.names(), ['holdfast-lock-00000001']);
  ahead.steps = releaseLock(world.vfs, ahead.judge, ahead.taken);
  ahead.releasing = true;
  drive(ahead, () => world.names().length === 0);
  while (slow.taken === null) advance(slow, slowState);
  assert.ok(exists('1'), 'the owner has a file');
});
