/**
 * Fault loops over the LSM engine: the same work again and again, with call 1 failing, then call 2,
 * until none fails. Each time: what was acknowledged is there when the store is opened again, what
 * was refused is not, and where a full disk refused something, later writes went on.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Engine } from '../../src/engine/engine.ts';
import type { FaultKind } from '../../src/vfs/fault.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { faultLoop } from '../support/fault-loop.ts';
import { openOn, textBatch, textEntries } from '../support/lsm-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** What became of a commit. */
type Fate = 'kept' | 'refused' | 'unknown';

interface Commit {
  readonly number: number;
  fate: Fate;
}

/** Failures after which a writer may go on. */
const PASSING: ReadonlySet<FaultKind> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'EINTR',
  'short-write',
]);

class Work {
  readonly commits: Commit[] = [];
  readonly clock = new ManualClock();
  closed = true;

  /** Opens, writes, merges and closes; notes what each commit was told. */
  async run(vfs: Vfs): Promise<void> {
    const engine = await this.#open(vfs);
    if (engine === null) return;
    for (let count = 0; count < 4; count++) await this.#commit(engine, 300);
    this.#commitNow(engine, 20);
    await Promise.all([this.#commit(engine, 900), this.#commit(engine, 10)]);
    await engine.compact().catch((error: unknown) => requireCode(error));
    await this.#commit(engine, 10);
    this.#commitNow(engine, 10);
    await engine.close().catch((error: unknown) => {
      requireCode(error);
      this.closed = false;
    });
  }

  async #open(vfs: Vfs): Promise<Engine | null> {
    try {
      return await openOn(vfs, { clock: this.clock });
    } catch (error) {
      requireCode(error);
      return null;
    }
  }

  async #commit(engine: Engine, length: number): Promise<void> {
    const commit = this.#begin();
    try {
      await engine.write(batchOf(commit.number, length));
      commit.fate = 'kept';
    } catch (error) {
      commit.fate = fateOf(error);
    }
  }

  #commitNow(engine: Engine, length: number): void {
    const commit = this.#begin();
    try {
      engine.writeSync(batchOf(commit.number, length));
      commit.fate = 'kept';
    } catch (error) {
      commit.fate = fateOf(error);
    }
  }

  #begin(): Commit {
    const commit: Commit = { number: this.commits.length, fate: 'unknown' };
    this.commits.push(commit);
    return commit;
  }
}

function batchOf(number: number, length: number) {
  const removed = number % 3 === 2 ? { [`k${number - 1}`]: undefined } : {};
  return textBatch({ [`k${number}`]: 'v'.repeat(length), last: String(number), ...removed });
}

function requireCode(error: unknown): string {
  const { code } = error as { code?: string };
  assert.ok(typeof code === 'string', `an error without a code: ${String((error as Error).stack)}`);
  return code;
}

function fateOf(error: unknown): Fate {
  requireCode(error);
  return (error as { outcome?: string }).outcome === 'old' ? 'refused' : 'unknown';
}

/** The states that a store may show: each unknown commit there or not, but no hole among them. */
function allowedStates(commits: readonly Commit[]): string[] {
  const known = commits.filter(({ fate }) => fate !== 'refused');
  const lastKept = known.findLastIndex(({ fate }) => fate === 'kept');
  const states: string[] = [];
  for (let end = lastKept + 1; end <= known.length; end++) {
    const shown = new Map<string, string>();
    for (const { number } of known.slice(0, end)) {
      const length = [300, 300, 300, 300, 20, 900, 10, 10][number] ?? 10;
      shown.set(`k${number}`, 'v'.repeat(length));
      shown.set('last', String(number));
      if (number % 3 === 2) shown.delete(`k${number - 1}`);
    }
    states.push(JSON.stringify([...shown].toSorted(([a], [b]) => (a < b ? -1 : 1))));
  }
  return states;
}

async function requireAllowed(inner: MemoryVfs, work: Work): Promise<void> {
  const engine = await openOn(inner);
  try {
    const state = JSON.stringify(await textEntries(engine));
    const allowed = allowedStates(work.commits);
    const fates = work.commits.map(({ fate }) => fate).join(' ');
    assert.ok(allowed.includes(state), `${fates} shows ${state.slice(0, 300)}`);
    const { damage } = await engine.verify();
    assert.deepEqual(damage, []);
  } finally {
    await engine.close();
  }
}

test('whatever call fails, the store keeps what it acknowledged and nothing it refused', async () => {
  let inner = new MemoryVfs();
  const failed = await faultLoop(
    async ({ vfs, fault }) => {
      const work = new Work();
      await work.run(vfs);
      await requireAllowed(inner, work);
      // A sync that fails ends writing, whatever it failed with; nothing else of these does.
      const isSync = vfs.injected.some(({ call }) => call.name.endsWith('sync'));
      if (!PASSING.has(fault.kind) || isSync || work.commits.length === 0) return;
      const kept = work.commits.slice(-2).some(({ fate }) => fate === 'kept');
      const first = String(vfs.injected[0]?.call.name);
      assert.ok(
        kept,
        `the last two commits: ${work.commits.map(({ fate }) => fate).join(' ')}, ${first}`,
      );
    },
    {
      kinds: ['EIO', 'ENOSPC', 'EMFILE', 'short-write', 'failed-sync'],
      create: () => {
        inner = new MemoryVfs();
        return inner;
      },
    },
  );
  for (const count of failed.values()) assert.ok(count > 0, `${count} calls`);
});
