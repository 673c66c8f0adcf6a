/** The rig itself: what it leaves behind (nothing), several at once, other users, marks. Needs root. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UsageError } from '../../src/base/errors.ts';
import { diskProfile } from '../../src/lab/powercut/disk-profile.ts';
import { Keeper } from '../../src/lab/powercut/keeper.ts';
import { perturbationPlans } from '../../src/lab/powercut/perturbation.ts';
import { Rig, type RigOptions } from '../../src/lab/powercut/rig.ts';
import {
  loopDevicesUnder,
  makeWorkDirectory,
  sweepDeadOwners,
} from '../../src/lab/powercut/work-directory.ts';
import { cutPower, fileText, nodeProgram, skipWithout } from '../support/powercut-needs.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const MARK = fileURLToPath(new URL('../../src/lab/record/mark.js', import.meta.url));
const QUIET = perturbationPlans(1, 1)[0] ?? assert.fail('one plan was asked for');

async function withRig(
  options: Partial<RigOptions>,
  use: (rig: Rig) => Promise<void>,
): Promise<string> {
  const rig = await Rig.create({ profile: diskProfile('ext4'), ...options });
  try {
    await use(rig);
  } finally {
    await rig.close();
  }
  return rig.workDirectory;
}

/** Everything that a rig with this work directory could have left. */
function leftovers(workDirectory: string): string[] {
  const found = loopDevicesUnder(workDirectory);
  if (existsSync(workDirectory)) found.push(workDirectory);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (command.includes(workDirectory)) found.push(`process ${pid}: ${command}`);
    } catch {
      // It ended between the listing and the look: then it is no leftover.
    }
  }
  return found;
}

async function nothingLeft(workDirectory: string): Promise<void> {
  assert.match(workDirectory, /holdfast-powercut-/);
  for (let round = 0; round < 100 && leftovers(workDirectory).length > 0; round += 1) {
    await sleep(50);
  }
  assert.deepEqual(leftovers(workDirectory), []);
}

/** Starts the command on a program that does `work` and never ends, and waits until it sleeps. */
async function startHanging(work = ':'): Promise<{ child: ChildProcess; workDirectory: string }> {
  const words = ['powercut', '--fs', 'ext4', '--check', 'true', '--'];
  const sleeping = 'pwd > "$HOLDFAST_ROOT/../../../started"; sleep 1000';
  const program = ['sh', '-c', `${work}; ${sleeping}`];
  const child = spawn(process.execPath, [MAIN, ...words, ...program], { stdio: 'ignore' });
  for (let round = 0; round < 200; round += 1) {
    await sleep(50);
    for (const place of ['/dev/shm', tmpdir()]) {
      for (const name of readdirSync(place)) {
        const path = join(place, name);
        if (!name.startsWith('holdfast-powercut-')) continue;
        if (name.includes(`-${child.pid}-`) && existsSync(join(path, 'started'))) {
          return { child, workDirectory: path };
        }
      }
    }
  }
  child.kill('SIGKILL');
  return assert.fail('the program did not start');
}

describe('a rig', skipWithout('ext4'), () => {
  it('leaves nothing mounted, attached, running or on disk after success', async () => {
    const workDirectory = await withRig({}, async (rig) => {
      const run = await rig.run(['/bin/sh', '-c', 'echo a > a; sleep 1000 & echo done'], QUIET);
      assert.equal(run.marks[0]?.mark.text, 'done\n');
    });
    await nothingLeft(workDirectory);
  });

  it('leaves nothing after a program that fails, and says how it failed', async () => {
    const workDirectory = await withRig({}, async (rig) => {
      await assert.rejects(
        rig.run(['/bin/sh', '-c', 'echo why >&2; exit 3'], QUIET),
        (error) => error instanceof UsageError && /exit code 3: why/.test(error.message),
      );
    });
    await nothingLeft(workDirectory);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    it(`leaves nothing after ${signal}`, async () => {
      const { child, workDirectory } = await startHanging();
      child.kill(signal);
      await nothingLeft(workDirectory);
    });
  }

  it('that was killed together with its keeper is swept by the next one, which spares the living', async () => {
    const { child, workDirectory } = await startHanging();
    const keeper = Number(readFileSync(join(workDirectory, 'keeper'), 'utf8').split('-')[0]);
    process.kill(keeper, 'SIGKILL');
    child.kill('SIGKILL');
    for (let round = 0; existsSync(`/proc/${child.pid}`) && round < 100; round += 1)
      await sleep(20);
    // What stayed may be gone by now: a rig of another test that starts here sweeps it as well.
    const living = makeWorkDirectory();
    await withRig({}, async (rig) => {
      assert.ok(existsSync(rig.workDirectory));
      assert.ok(existsSync(living), 'a directory of a living owner stays');
      const again = await sweepDeadOwners(rig.keeper);
      assert.deepEqual(again, [], 'the rig swept when it was made');
      await nothingLeft(workDirectory);
    });
    const cleaner = await Keeper.start(living);
    await cleaner.close();
  });

  it('whose processes are all killed at once, with much to write, holds no device and no process', async () => {
    const { child, workDirectory } = await startHanging('head -c 8000000 /dev/urandom > big');
    // Another rig may get the same device afterwards: the kernel counts what is attached.
    const attached = (device: string): string | null => {
      const place = device.replace('/dev/', '/sys/block/');
      return existsSync(`${place}/loop`) ? readFileSync(`${place}/diskseq`, 'utf8') : null;
    };
    const devices = new Map(loopDevicesUnder(workDirectory).map((one) => [one, attached(one)]));
    assert.ok(devices.size > 0);
    const keeper = Number(readFileSync(join(workDirectory, 'keeper'), 'utf8').split('-')[0]);
    const daemon = Number(readFileSync(join(workDirectory, 'run-1/daemon.pid'), 'utf8'));
    for (const pid of [daemon, keeper, child.pid ?? 0]) process.kill(pid, 'SIGKILL');
    const held = (): string[] => [
      ...[...devices].filter(([one, disk]) => attached(one) === disk).map(([one]) => one),
      ...[daemon, keeper].filter((pid) => existsSync(`/proc/${pid}`)).map(String),
    ];
    for (let round = 0; round < 200 && held().length > 0; round += 1) await sleep(50);
    assert.deepEqual(held(), []);
    await withRig({}, async () => {
      await nothingLeft(workDirectory);
    });
  });

  it('works beside others at the same time', async () => {
    const results = await Promise.all(
      ['one', 'two', 'three'].map((word) =>
        cutPower('ext4', `echo ${word} > file; sync file; echo done`, (disk) => {
          const text = fileText(disk, 'file');
          return text === null || text === '' || text === `${word}\n` ? null : `foreign ${text}`;
        }),
      ),
    );
    for (const result of results) assert.deepEqual(result.findings, []);
  });

  it('runs the program without root when it is told a user', async () => {
    await withRig({ user: 'nobody', setup: 'echo mine > mine' }, async (rig) => {
      const run = await rig.run(
        ['/bin/sh', '-c', 'id -u; test -w mine; test ! -w /dev/shm/..'],
        QUIET,
      );
      const uid = Number(run.marks[0]?.mark.text);
      assert.ok(uid > 0, `user id ${uid}`);
    });
  });

  it('makes what set-up did durable, and nothing of it can be lost', async () => {
    const result = await cutPower(
      'ext4',
      'echo more > more',
      (disk) => (fileText(disk, 'base') === 'base\n' ? null : 'set-up lost'),
      { setup: 'echo base > base' },
    );
    assert.deepEqual(result.findings, []);
  });

  it('names a user, a mount option or a program that does not exist', async () => {
    const profile = diskProfile('ext4');
    await assert.rejects(Rig.create({ profile, user: 'no-such-user' }), /no user 'no-such-user'/);
    await assert.rejects(Rig.create({ profile, mountOptions: 'no-such-option' }), /no-such-option/);
    await withRig({}, async (rig) => {
      await assert.rejects(rig.run(['/no/such/program'], QUIET), /no\/such\/program/);
    });
  });

  it('writes back and commits while the program renames and removes what it would write back', async () => {
    const step = 'mkdir -p d/e; echo a > d/e/f; echo line; mv d g; rm -r g';
    await withRig({}, async (rig) => {
      const plan = { seed: 1, duringChance: 1, atEnd: [] };
      const run = await rig.run(
        ['/bin/sh', '-e', '-c', `for n in $(seq 40); do ${step}; done`],
        plan,
      );
      const actions = run.perturbed.map((one) => one.split('@')[0]);
      assert.ok(actions.includes('write-back') && actions.includes('commit'), actions.join());
    });
  });

  it('returns from a mark only when its place in the log is noted', async () => {
    const source = `
      const { mark } = await import('${pathToFileURL(MARK).href}');
      const fs = await import('node:fs');
      for (let round = 0; round < 5; round += 1) {
        const fd = fs.openSync('file' + round, 'w');
        fs.writeSync(fd, 'content');
        fs.fsyncSync(fd);
        mark('synced ' + round);
        fs.closeSync(fd);
      }`;
    await withRig({}, async (rig) => {
      const run = await rig.run(nodeProgram(source), QUIET);
      const marks = run.marks.filter(({ mark }) => mark.source === 'mark');
      assert.deepEqual(
        marks.map(({ mark }) => mark.text),
        [0, 1, 2, 3, 4].map((round) => `synced ${round}`),
      );
      // Each sync writes to the log, and the program did not go on before its mark was noted.
      for (let index = 1; index < marks.length; index += 1) {
        const [before, here] = [marks[index - 1], marks[index]];
        assert.ok(before !== undefined && here !== undefined && here.position > before.position);
      }
    });
  });
});

describe('a keeper', skipWithout('ext4'), () => {
  it('refuses what the kernel refuses, by the name of the error', async () => {
    const directory = makeWorkDirectory();
    const keeper = await Keeper.start(directory);
    try {
      const image = join(directory, 'no file system here');
      writeFileSync(image, '');
      truncateSync(image, 1 << 20);
      const device = await keeper.attachLoop(image);
      mkdirSync(join(directory, 'disk'));
      await assert.rejects(
        keeper.mount({
          source: device,
          target: join(directory, 'disk'),
          type: 'ext4',
          flags: 0,
          data: '',
        }),
        { name: 'KeeperError', code: 'EINVAL' },
      );
      await assert.rejects(keeper.attachLoop('/no/such/file'), { code: 'ENOENT' });
    } finally {
      await keeper.close();
    }
    await nothingLeft(directory);
  });
});
