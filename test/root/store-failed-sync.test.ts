/**
 * A sync that fails on a real kernel, under the log and each engine: the blocks of the store fail below the file system,
 * which itself goes on. The store stays fail-stop, also once the disk is whole again. Then the process ends, or is
 * killed at once, another one opens what it left in the page cache, and the power is cut: nothing acknowledged is lost,
 * and nothing that was served is lost later. The same where every write fails, so that the file system gives up and is
 * mounted anew. What the kernel itself does then is docs/models/failed-syncs.md.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { errorCode } from '../../src/vfs/errno.ts';
import { batchOfLabel, sameState, stateOfStore } from '../support/engine-commit.ts';
import type { StorySubject } from '../support/engine-story.ts';
import { FailingDisk } from '../support/failing-disk.ts';
import { FAILING_SUBJECTS, failingWrite, keepSome, openOn } from '../support/failing-writes.ts';
import { skipWithout } from '../support/powercut-needs.ts';

/** Its directory on the disk. */
const STORE = 'store';
const PROGRAM = fileURLToPath(new URL('failing-program.js', import.meta.url));

type Say = (text: string) => void;

const FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'];

for (const fileSystem of FILE_SYSTEMS) {
  describe(`after a failed sync on ${fileSystem}`, skipWithout(fileSystem), () => {
    for (const [name, subject] of Object.entries(FAILING_SUBJECTS)) {
      it(`${name} is fail-stop, and nothing that was promised or served is lost`, async (t) => {
        await onDisk(fileSystem, async (disk, directory) => {
          const say: Say = (text) => t.diagnostic(text);
          const kept = await failAndStop(subject, disk, directory, say);
          await reopenAndCut(subject, disk, directory, kept, say);
        });
      });

      it(`${name}, killed then, has lost nothing that was promised or served`, async (t) => {
        await onDisk(fileSystem, async (disk, directory) => {
          const say: Say = (text) => t.diagnostic(text);
          const kept = await failAndDie(name, disk, () => failBelow(disk, directory), say);
          await reopenAndCut(subject, disk, directory, kept, say);
        });
      });
    }
  });
}

describe('where the file system itself gives up', skipWithout(...FILE_SYSTEMS), () => {
  Object.entries(FAILING_SUBJECTS).forEach(([name, subject], index) => {
    // Each subject has been tried on each of them; one is enough in the suite.
    const fileSystem = FILE_SYSTEMS[index % FILE_SYSTEMS.length] ?? 'ext4';
    it(`${name} on ${fileSystem}, killed and mounted anew, has lost nothing`, async (t) => {
      await onDisk(fileSystem, async (disk, directory) => {
        const say: Say = (text) => t.diagnostic(text);
        const kept = await failAndDie(name, disk, () => disk.fail([]), say);
        await disk.unmount();
        await disk.mount();
        await reopenAndCut(subject, disk, directory, kept, say);
      });
    });
  });
});

async function onDisk(
  fileSystem: string,
  use: (disk: FailingDisk, directory: string) => Promise<void>,
): Promise<void> {
  const disk = await FailingDisk.create(fileSystem);
  try {
    const directory = join(disk.path, STORE);
    mkdirSync(directory);
    await use(disk, directory);
  } finally {
    await disk.close();
  }
}

/** A store whose sync fails refuses every later write. Resolves to the keys that were acknowledged. */
async function failAndStop(
  subject: StorySubject,
  disk: FailingDisk,
  directory: string,
  say: Say,
): Promise<string[]> {
  const engine = await openOn(subject, directory);
  const kept: string[] = [];
  const keep = (key: string): void => void kept.push(key);
  await keepSome(engine, keep);
  await failBelow(disk, directory);
  const before = kept.length;
  const error = await failingWrite(engine, keep);
  say(`write ${kept.length - before + 1} failed: ${errorCode(error) ?? ''}`);

  await disk.heal();
  for (const policy of ['sync', 'none'] as const) {
    const batch = batchOfLabel('100:z=10');
    await assert.rejects(async () => engine.write(batch, policy), isPoisoned);
    assert.throws(() => engine.writeSync(batch, policy), isPoisoned);
  }
  for (const key of kept) assert.ok(engine.hasSync(Buffer.from(key)), `${key} is still read`);
  // As the end of the process: a poisoned store makes nothing durable any more, it gives its descriptors back.
  await engine.close().catch(() => 'it says once more why writing has ended');
  return kept;
}

/** Another process has the store; it is killed as soon as a write has failed. */
async function failAndDie(
  name: string,
  disk: FailingDisk,
  beginToFail: () => Promise<void>,
  say: Say,
): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, join(disk.path, STORE), name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const { kept, code } = await whatItSays(child, beginToFail);
    say(`killed when a write had failed: ${code}`);
    return kept;
  } finally {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await disk.heal();
  }
}

async function whatItSays(
  child: ChildProcess & {
    readonly stdin: NodeJS.WritableStream;
    readonly stdout: NodeJS.ReadableStream;
  },
  beginToFail: () => Promise<void>,
): Promise<{ kept: string[]; code: string }> {
  const kept: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, what = ''] = line.split(' ');
    if (word === 'failed') return { kept, code: what };
    if (word === 'kept') kept.push(what);
    if (word !== 'ready') continue;
    await beginToFail();
    child.stdin.write('\n');
  }
  return assert.fail('it ended by itself');
}

async function failBelow(disk: FailingDisk, directory: string): Promise<void> {
  const ranges = disk.rangesOf(directory);
  assert.ok(ranges.length > 0);
  await disk.fail(ranges);
}

/** REQUIRES: the disk is whole again, and nobody has the store. */
async function reopenAndCut(
  subject: StorySubject,
  disk: FailingDisk,
  directory: string,
  kept: readonly string[],
  say: Say,
): Promise<void> {
  const next = await openOn(subject, directory);
  const served = stateOfStore(next);
  for (const key of kept) assert.ok(served.has(key), `${key} was acknowledged, and is lost`);
  assert.ok(!served.has('z'), 'a refused write shows');
  say(served.has('y') ? 'what it wrote is served' : 'what it wrote is not served');
  // At this moment: what was served has to be on the disk, although this process has closed nothing.
  const later = await disk.afterPowerCut(async (cut) => {
    const last = await openOn(subject, join(cut, STORE));
    const state = stateOfStore(last);
    await last.close();
    return state;
  });
  assert.ok(sameState(later, served), 'what was served is not what a power cut leaves');
  await next.close();
}

function isPoisoned(error: unknown): boolean {
  return errorCode(error) === 'HOLDFAST_POISONED';
}
