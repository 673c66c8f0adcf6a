/** The lock of LevelDB programs, as the kernel lists it, keeps Holdfast out of their directories. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Locks a file as LevelDB does: the whole of it, for writing, until standard input ends. */
const LOCKER = `
import fcntl, struct, sys
file = open(sys.argv[1], 'a+')
fcntl.fcntl(file, fcntl.F_SETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0))
print('locked', flush=True)
sys.stdin.read()
`;

const canLock = process.platform === 'linux' && spawnSync('python3', ['-V']).status === 0;
const skip = canLock ? false : 'it needs Linux and python3';

test('a directory that a LevelDB program has open is refused', { skip }, async (scope) => {
  const directory = join(temporaryDirectory(scope), 'store');
  await (await lsmKind.open(directory)).close();
  const locker = spawn('python3', ['-c', LOCKER, join(directory, 'LOCK')]);
  scope.after(() => locker.kill('SIGKILL'));
  await once(locker.stdout, 'data');
  const names = readdirSync(directory);
  const refusal = {
    code: 'HOLDFAST_LOCKED',
    message: new RegExp(`LOCK: the directory is in use by process ${locker.pid}, .*LevelDB`),
  };
  await assert.rejects(lsmKind.open(directory), refusal);
  await assert.rejects(lsmKind.repair(directory), refusal);
  await assert.rejects(lsmKind.destroy(directory), refusal);
  assert.deepEqual(readdirSync(directory), names, 'nothing was changed');
  locker.stdin.end();
  await once(locker, 'close');
  // The file alone locks nothing.
  await (await lsmKind.open(directory)).close();
});
