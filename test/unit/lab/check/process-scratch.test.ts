import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';

import {
  makeScratchDirectory,
  removeScratchDirectory,
} from '../../../../src/lab/check/process-scratch.ts';

test('directories of processes that are no more go when the next one is made', () => {
  const before = process.env['TMPDIR'];
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-sweep-'));
  process.env['TMPDIR'] = directory;
  try {
    const own = makeScratchDirectory();
    const [, namespace = ''] = /\.(\d+)-/.exec(basename(own)) ?? [];
    removeScratchDirectory(own);
    // No process has this number: it is above every limit.
    const dead = join(directory, `holdfast-check-99999999.${namespace}-dead`);
    const alive = join(directory, `holdfast-check-${process.ppid}.${namespace}-alive`);
    const elsewhere = join(directory, 'holdfast-check-99999999.1-elsewhere');
    for (const path of [dead, alive, elsewhere]) mkdirSync(path);
    writeFileSync(join(dead, 'file'), 'left behind');
    const next = makeScratchDirectory();
    assert.equal(existsSync(dead), false);
    assert.ok(existsSync(alive) && existsSync(elsewhere));
    removeScratchDirectory(next);
    assert.equal(readdirSync(directory).length, 2);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(directory, { recursive: true, force: true });
  }
});

test(
  'a process that left its group ends with the directory that it was started for',
  { skip: process.platform !== 'linux' },
  async () => {
    const own = makeScratchDirectory();
    const env = { ...process.env, HOLDFAST_STATE: join(own, '0/state') };
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore', env });
    const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    await new Promise((resolve) => child.on('spawn', resolve));
    removeScratchDirectory(own);
    assert.equal(await ended, 'SIGKILL');
  },
);
