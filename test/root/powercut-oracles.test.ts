/** `holdfast powercut` without `--check`: the oracles that a recorded first run teaches. Needs root and the rig's pieces. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findCommand } from '../../src/lab/powercut/rig-needs.ts';
import { skipWithout } from '../support/powercut-needs.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const needs = skipWithout('ext4');
const skip =
  needs.skip === false && findCommand('strace') === null ? 'strace is missing' : needs.skip;

interface Run {
  readonly status: number | null;
  readonly text: string;
}

/** The command on ext4 with one run, so that each costs a few seconds. */
function powercut(options: readonly string[], script: string): Run {
  const words = ['powercut', '--fs', 'ext4', '--runs', '1', '--no-fsck', ...options, '--'];
  const run = spawnSync(process.execPath, [MAIN, ...words, 'sh', '-e', '-c', script], {
    encoding: 'utf8',
  });
  return { status: run.status, text: run.stdout + run.stderr };
}

suite('powercut without a checker', { skip }, () => {
  const setup = ['--setup', 'echo before > file'];

  test('finds what the program had promised and the disk does not hold', () => {
    const { status, text } = powercut(setup, 'echo after > new; mv new file; echo saved');
    assert.equal(status, 1, text);
    assert.match(text, /FOUND file: acknowledged content is gone \(shows the version before\)/);
  });

  test('finds nothing where the promise came after the syncs, also without root', () => {
    const script = 'echo after > new; sync new; mv new file; sync .; echo saved';
    const { status, text } = powercut([...setup, '--user', 'nobody'], script);
    assert.equal(status, 0, text);
    assert.match(text, /nothing found/);
  });

  test('with --dump finds what no crash in order shows', () => {
    const log = ['--setup', 'echo key=value > log'];
    const dump = ['--dump', 'cat log; cat table 2>/dev/null || true'];
    const unsynced = powercut([...log, ...dump], 'echo key=value > table; : > log');
    assert.equal(unsynced.status, 1, unsynced.text);
    assert.match(unsynced.text, /recovery shows nothing: no crash in order gives this output/);
    const synced = powercut([...log, ...dump], 'echo key=value > table; sync table; : > log');
    assert.equal(synced.status, 0, synced.text);
  });

  test('refuses a program that says or leaves something else each time', () => {
    const says = powercut([], 'date +%N');
    assert.equal(says.status, 2, says.text);
    assert.match(says.text, /says something else each time it runs: .* give --check/);
    const leaves = powercut([], 'date +%N > file; sync file; sync .; echo saved');
    assert.equal(leaves.status, 2, leaves.text);
    assert.match(leaves.text, /does not leave what it left when it was recorded/);
  });

  test('refuses a program that fails in its first run', () => {
    const { status, text } = powercut([], 'exit 3');
    assert.equal(status, 2, text);
    assert.match(text, /exit code 3/);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`leaves nothing of the first run after ${signal}, nor what it left in the background`, async () => {
      const words = ['powercut', '--fs', 'ext4', '--', 'sh', '-c', 'sleep 1000 & sleep 1001'];
      const child = spawn(process.execPath, [MAIN, ...words], { stdio: 'ignore' });
      const owner = `-${child.pid}-`;
      for (let round = 0; round < 400 && !rehearsed(owner).includes('sleep'); round += 1) {
        await sleep(50);
      }
      assert.ok(rehearsed(owner).includes('sleep'), 'the first run began');
      child.kill(signal);
      const left = (): string[] => [...rehearsed(owner), ...directoriesOf(owner)];
      for (let round = 0; round < 200 && left().length > 0; round += 1) await sleep(50);
      assert.deepEqual(left(), []);
    });
  }
});

/** Names of the programs that run for a rehearsal of this owner. */
function rehearsed(owner: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      const own = environment.some(
        (one) => one.startsWith('HOLDFAST_REHEARSAL=') && one.includes(owner),
      );
      return own ? [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()] : [];
    } catch {
      // No process, or it ended meanwhile.
      return [];
    }
  });
}

function directoriesOf(owner: string): string[] {
  return ['/dev/shm', tmpdir()].flatMap((place) =>
    !existsSync(place)
      ? []
      : readdirSync(place)
          .filter((name) => name.startsWith('holdfast-powercut-') && name.includes(owner))
          .map((name) => join(place, name)),
  );
}
