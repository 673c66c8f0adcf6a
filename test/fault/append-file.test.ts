/**
 * Fault loops: the same work again and again, with call 1 failing, then call 2, until none fails.
 * Each time: what was acknowledged survives a power cut, what was refused does not come back.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileChangeError } from '../../src/base/errors.ts';
import { AppendFile } from '../../src/durable/append-file.ts';
import { PoisonedError } from '../../src/durable/poison.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../src/durable/sync-table.ts';
import type { FaultKind } from '../../src/vfs/fault.ts';
import { FaultVfs } from '../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../src/vfs/transfer.ts';
import type { FileTreeDirectory } from '../../src/vfs/file-tree.ts';
import type { SyncOption } from '../../src/durable/sync-policy.ts';

const PATH = '/log';

type Fate = 'durable' | 'written' | 'old' | 'unknown';

/** The work, and what each of its records was told. */
class Run {
  readonly fates: Map<string, Fate> = new Map();
  readonly vfs: FaultVfs;
  readonly platform: string;
  created: Fate = 'unknown';
  closed = false;

  constructor(vfs: FaultVfs, platform: string) {
    this.vfs = vfs;
    this.platform = platform;
  }

  async work(): Promise<void> {
    const file = await this.#create();
    if (file === null) return;
    await this.#append(file, 'a', 'sync');
    const flying = ['b', 'c'].map((name) => this.#append(file, name, 'sync'));
    flying.push(this.#append(file, 'd', 'none'));
    await Promise.resolve();
    this.#appendSync(file, 'e', 'sync');
    await Promise.all(flying);
    const next = this.#append(file, 'f', 'batch');
    await new Promise((resolve) => void setImmediate(resolve));
    this.#appendSync(file, 'g', 'batch');
    await Promise.all([next, this.#append(file, 'h', 'none')]);
    if ((await this.#settle(file.sync())) === 'durable') this.#allWritten('durable');
    this.#appendSync(file, 'i', 'none');
    await this.#append(file, 'j', 'sync');
    this.#appendSync(file, 'k', 'sync');
    await this.#append(file, 'l', 'none');
    if ((await this.#settle(file.close())) === 'durable') {
      this.closed = true;
      this.#allWritten('durable');
    }
  }

  async #create(): Promise<AppendFile | null> {
    const dispatch = new SyncDispatch(this.vfs, syncRulesFor(this.platform, 'node'));
    try {
      const file = await AppendFile.create(PATH, { dispatch, preallocateBytes: 300 });
      this.created = 'durable';
      return file;
    } catch (error) {
      this.created = fateIn(error);
      return null;
    }
  }

  async #append(file: AppendFile, name: string, sync: SyncOption): Promise<void> {
    const fate = await this.#settle(file.append(record(name), sync));
    this.#told(name, fate === 'durable' && sync !== 'sync' ? 'written' : fate);
  }

  #appendSync(file: AppendFile, name: string, sync: SyncOption): void {
    try {
      file.appendSync(record(name), sync);
      this.#told(name, sync === 'sync' ? 'durable' : 'written');
    } catch (error) {
      this.#told(name, fateIn(error));
    }
  }

  /** A record is durable together with all before it that were not refused. */
  #told(name: string, fate: Fate): void {
    this.fates.set(name, fate);
    if (fate !== 'durable') return;
    for (const [earlier, was] of this.fates) {
      if (earlier < name && was === 'written') this.fates.set(earlier, 'durable');
    }
  }

  #allWritten(fate: Fate): void {
    for (const [name, was] of this.fates) if (was === 'written') this.fates.set(name, fate);
  }

  async #settle(promise: Promise<void>): Promise<Fate> {
    try {
      await promise;
      return 'durable';
    } catch (error) {
      return fateIn(error);
    }
  }
}

/** Every error is one of the documented ones. */
function fateIn(error: unknown): Fate {
  const documented = error instanceof FileChangeError || error instanceof PoisonedError;
  assert.ok(documented, `not a documented error: ${String(error)}`);
  assert.ok(error.cause !== undefined, 'an error has its cause');
  assert.notEqual(error.outcome, 'new');
  return error.outcome as Fate;
}

function record(name: string): Uint8Array {
  return Buffer.from(`<${name.repeat(20)}>`);
}

/** The names of the whole records in a file, up to the first thing that is none. */
function recordsIn(tree: FileTreeDirectory): string[] {
  const vfs = MemoryVfs.fromTree(tree);
  if (!vfs.readDirectorySync('/').some((entry) => entry.name === 'log')) return [];
  const text = Buffer.from(readWholeFileSync(vfs, PATH)).toString('latin1');
  const names: string[] = [];
  const whole = /<([a-z])\1{19}>/y;
  for (let match = whole.exec(text); match !== null; match = whole.exec(text))
    names.push(match[1]!);
  return names;
}

function check(run: Run, tree: FileTreeDirectory, where: string): void {
  const found = recordsIn(tree);
  assert.deepEqual(found, found.toSorted(), `${where}: in the order of the calls`);
  for (const [name, fate] of run.fates) {
    if (fate === 'durable')
      assert.ok(found.includes(name), `${where}: ${name} is lost: ${found.join()}`);
    if (fate === 'old')
      assert.ok(!found.includes(name), `${where}: ${name} came back: ${found.join()}`);
  }
}

const KINDS: readonly FaultKind[] = [
  'EIO',
  'failed-sync',
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'EINTR',
  'short-write',
];

for (const platform of ['linux', 'darwin', 'win32']) {
  for (const kind of KINDS) {
    test(`append file on ${platform}: ${kind} at any call loses nothing told`, async () => {
      let nth = 1;
      for (; ; nth++) {
        const vfs = new FaultVfs(new MemoryVfs(), { kind, nth });
        const run = new Run(vfs, platform);
        await run.work();
        for (const dirty of ['lost', 'written'] as const) {
          const call = vfs.injected[0]?.call;
          const where = `fault ${nth} (${call?.name} ${call?.path}), dirty pages ${dirty}`;
          check(run, vfs.crash(dirty), where);
        }
        if (vfs.injected.length === 0) {
          assert.equal(run.closed, true);
          assert.equal([...run.fates.values()].filter((fate) => fate === 'durable').length, 12);
          break;
        }
        if (kind === 'short-write') assert.equal(run.closed, true, 'short writes harm nobody');
      }
      assert.ok(nth > (kind === 'EMFILE' ? 3 : 4), `${nth} runs`);
    });
  }
}

test('a full disk refuses some appends at every call in turn, and the rest go on', async () => {
  for (let nth = 1; ; nth++) {
    const vfs = new FaultVfs(new MemoryVfs(), { kind: 'ENOSPC', nth, calls: ['file.write'] });
    const run = new Run(vfs, 'darwin');
    await run.work();
    if (vfs.injected.length === 0) break;
    assert.equal(run.created, 'durable');
    assert.equal(run.closed, true, 'a full disk ends nothing');
    assert.ok(![...run.fates.values()].includes('unknown'));
    check(run, vfs.crash(), `write ${nth}`);
  }
});

test('a disk that stays full refuses everything and keeps what was there', async () => {
  const vfs = new FaultVfs(new MemoryVfs(), {
    kind: 'ENOSPC',
    nth: 4,
    times: Infinity,
    calls: ['file.write'],
  });
  const run = new Run(vfs, 'linux');
  await run.work();
  assert.ok([...run.fates.values()].includes('durable'));
  assert.ok([...run.fates.values()].includes('old'));
  assert.equal(run.closed, true);
  for (const dirty of ['lost', 'written'] as const) check(run, vfs.crash(dirty), dirty);
});
