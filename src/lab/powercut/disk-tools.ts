/**
 * The tools of a file system on an image that nobody has mounted: the check that changes nothing, and the repair that a
 * system without a journal makes before it mounts.
 */

import { execFile } from 'node:child_process';
import { UsageError } from '../../base/errors.ts';
import type { DiskProfile } from './disk-profile.ts';

/** A repair command's exit codes: 1 and 2 say that something was repaired. */
const REPAIRED_CODE_MAX = 3;

/**
 * Repairs that take away what was durable. Without a journal the extents of a file that grows reach the disk before its
 * size; e2fsck then clears the whole extent in which the file ends, synced blocks of it too.
 */
const TAKES_AWAY = /end of extent exceeds allowed value/;

/** Runs the file system's own check; null when it is clean, else what it said. */
export async function checkImage(profile: DiskProfile, path: string): Promise<string | null> {
  const { exitCode, output } = await runCommand([...profile.check, path]);
  return exitCode === 0 ? null : complaint(profile.check[0] ?? '', exitCode, output);
}

/**
 * Repairs an image where its kind asks for it; null when it can be mounted now with what was durable on it, else what
 * the tool said.
 */
export async function repairImage(profile: DiskProfile, path: string): Promise<string | null> {
  const { repair } = profile;
  if (repair === null) return null;
  const { exitCode, output } = await runCommand([...repair, path]);
  if (exitCode > REPAIRED_CODE_MAX) return complaint(repair[0] ?? '', exitCode, output);
  const taken = output.split('\n').find((line) => TAKES_AWAY.test(line));
  return taken === undefined ? null : `${repair[0] ?? ''} takes data away: ${taken.trim()}`;
}

interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
}

/** A command that cannot be run at all is an error; any exit code is a result. */
function runCommand(command: readonly string[]): Promise<CommandResult> {
  const [file = '', ...words] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(file, words, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number' && child.exitCode === null) {
        reject(new UsageError(`${file} cannot be run: ${error.message}`, { cause: error }));
        return;
      }
      resolve({ exitCode: child.exitCode ?? 1, output: `${stdout}${stderr}` });
    });
  });
}

function complaint(command: string, exitCode: number, output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const first = lines.find((line) => line !== '' && !/^(e2fsck|Pass|Phase) /.test(line)) ?? '';
  return `${command} ended with exit code ${exitCode}: ${first}`;
}
