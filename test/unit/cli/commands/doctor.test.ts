import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { afterEach, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import { doctorText } from '../../../../src/cli/commands/doctor-text.ts';
import { doctorCommand } from '../../../../src/cli/commands/doctor.ts';
import { paletteFor } from '../../../../src/cli/output.ts';
import { runCli } from '../../../../src/cli/run-cli.ts';
import { assessPlace } from '../../../../src/durable/doctor/assess-place.ts';
import { doctorJson, type DoctorJson } from '../../../../src/durable/doctor/doctor-json.ts';
import type { Examination } from '../../../../src/durable/doctor/examine.ts';
import { linuxPlace } from '../../../../src/durable/doctor/linux-place.ts';
import { testContext, type TestContext } from '../../../support/test-context.ts';
import { fakeDisk, fakeSystem, joined } from '../../durable/doctor/fake-system.ts';

const MAIN = fileURLToPath(new URL('../../../../src/cli/main.js', import.meta.url));

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-doctor-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function doctor(...words: string[]): Promise<{ context: TestContext; exitCode: number }> {
  const context = testContext({ cwd: directory });
  const table = { doctor: () => Promise.resolve(doctorCommand) };
  return { context, exitCode: await runCli(['doctor', ...words], context, table, '0') };
}

/** XFS with barriers off, on a drive that needs them. */
function examined(mount: string): Examination {
  const facts = linuxPlace(
    fakeSystem(
      joined(fakeDisk('8:0', '/sys/devices/pci0000:00/ata1/block/sda', 'write back'), {
        files: { '/proc/self/mountinfo': `${mount}\n` },
      }),
    ),
    '/data',
  );
  return { facts, answer: assessPlace(facts), measurement: null };
}

test('a directory that cannot be used is one clear line and exit code 2', async () => {
  writeFileSync(join(directory, 'file'), '');
  symlinkSync('loop', join(directory, 'loop'));
  const cases: [string, RegExp][] = [
    ['none', /^holdfast doctor: cannot read .*none: there is no such directory\n$/],
    ['file', /^holdfast doctor: .*file is not a directory\n$/],
    ['file/x', /^holdfast doctor: cannot read .*: a part of the path is not a directory\n$/],
    ['loop', /^holdfast doctor: cannot read .*: too many symbolic links\n$/],
  ];
  for (const [word, message] of cases) {
    const { context, exitCode } = await doctor(word);
    assert.equal(exitCode, 2, word);
    assert.match(context.err, message);
    assert.equal(context.out, '');
  }
  assert.equal((await doctor('a', 'b')).exitCode, 2);
});

test('a link is followed, and the directory it leads to is named', async () => {
  mkdirSync(join(directory, 'real'));
  symlinkSync('real', join(directory, 'link'));
  const { context } = await doctor('link', '--json');
  assert.match((JSON.parse(context.out) as DoctorJson).directory, /real$/);
});

test('the exit code says what the verdict says', async () => {
  const { context, exitCode } = await doctor('--json');
  const { verdict } = JSON.parse(context.out) as DoctorJson;
  assert.equal(exitCode, { holds: 0, fails: 1, assumed: 3 }[verdict]);
});

test('the text names the place, the model, each reason with its page, and every promise', () => {
  const examination = examined('1 0 8:0 / / rw - xfs /dev/sda rw,nobarrier');
  const context = testContext();
  assert.equal(
    doctorText(examination, paletteFor(context, context.stdout)),
    `Directory    /data
File system  xfs on /dev/sda at / (barriers off)
Device       sda: disk, volatile cache, flushes are sent
Crash model  xfs+nobarrier

FAILS: Promises are broken here: a power cut can take what was reported as durable.
Still promised: no value is returned whose bytes were never written.
  1. xfs at / is mounted with barriers off: a sync returns while the bytes are in the
     device's volatile cache. A power cut may take them, in any order, and damage the file
     system itself.
     docs/doctor.md#no-barrier

  fails (1)  the bytes of a file, once it is synced
  fails (1)  new and removed names, once their directory is synced
  fails (1)  a rename leaves the old or the new file, never neither
  fails (1)  what was synced first is not lost before what came later
  holds      a directory has one owner at a time
  fails (1)  policies: sync, batch, none
  fails (1)  P1 durable means durable, P2 prefix, P3 whole or absent, P4 no silent
             damage, P5 no resurrection, P6 recovery trusts only the disk
  holds      P7 fail-stop, P8 one owner
`,
  );
});

test('a mount point cannot steer the terminal', () => {
  const examination = examined('1 0 8:0 / / rw - xfs /dev/\u001b[31mred rw');
  const context = testContext();
  const text = doctorText(examination, paletteFor(context, context.stdout));
  assert.ok(!text.includes('\u001b'));
  assert.match(text, /\\x1b\[31mred/);
});

test('the JSON has the fields that the page documents', () => {
  const json = doctorJson(examined('1 0 8:0 / / rw - xfs /dev/sda rw,nobarrier'));
  assert.deepEqual(Object.keys(json), [
    'format',
    'version',
    'directory',
    'verdict',
    'model',
    'fileSystem',
    'devices',
    'claims',
    'policies',
    'promises',
    'reasons',
    'notes',
    'facts',
  ]);
  assert.deepEqual(json.promises['P1'], { verdict: 'fails', reasons: ['no-barrier'] });
  assert.deepEqual(json.policies['batch'], { verdict: 'fails', reasons: ['no-barrier'] });
  assert.equal(json.reasons[0]?.see, 'docs/doctor.md#no-barrier');
});

test('measuring adds figures and leaves nothing behind', async () => {
  const { context, exitCode } = await doctor('--measure', '--json');
  const { measurement, verdict } = JSON.parse(context.out) as DoctorJson;
  assert.ok((measurement?.rounds ?? 0) > 0);
  assert.ok(measurement?.methods.some(({ id }) => id === 'overwrite-fdatasync'));
  assert.equal(exitCode, { holds: 0, fails: 1, assumed: 3 }[verdict]);
  assert.deepEqual(readdirSync(directory), []);
  assert.equal(context.hooks.length, 0, 'the interrupt hook is taken back');
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  const skip = process.platform === 'win32' ? 'Windows has no such signals' : false;
  test(`${signal} while measuring leaves nothing behind`, { skip }, async () => {
    const child = spawn(process.execPath, [MAIN, 'doctor', '--measure', directory]);
    let out = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    while (child.exitCode === null && readdirSync(directory).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill(signal);
    assert.equal(await ended, code);
    assert.equal(out, '', 'it was interrupted while measuring');
    assert.deepEqual(readdirSync(directory), []);
  });
}
