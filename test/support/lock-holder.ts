/**
 * A program, and a worker thread, that takes a directory's lock, for tests with real processes and
 * threads.
 *
 *   hold DIRECTORY          says "held" or the code of the error; on end of input releases
 *   race DIRECTORY COUNT    takes and releases the lock COUNT times, among others that do the same;
 *                           says "done", and "both" when it ever had it together with another
 */

import { closeSync, openSync, unlinkSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';

import { DirectoryLock } from '../../src/durable/lock-file.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { nodeVfs } from '../../src/vfs/node-vfs.ts';

const [mode = '', directory = '', count = '1'] = process.argv.slice(2);
const options = { vfs: nodeVfs };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function hold(): Promise<void> {
  try {
    const lock = await DirectoryLock.acquire(directory, options);
    say('held');
    await once(process.stdin.resume(), 'end');
    await lock.release();
    say('released');
  } catch (error) {
    // For the test to look at.
    say(`${errorCode(error)} ${String(error)}`);
  }
}

async function race(): Promise<void> {
  const inside = join(directory, 'inside');
  for (let taken = 0; taken < Number(count);) {
    const form = taken % 2 === 0 ? 'acquire' : 'acquireSync';
    try {
      const lock = await DirectoryLock[form](directory, options);
      taken++;
      closeSync(openSync(inside, 'wx'));
      await new Promise((resolve) => void setTimeout(resolve, 1));
      unlinkSync(inside);
      await lock.release();
    } catch (error) {
      // Another has it: the usual case here.
      if (errorCode(error) === 'EEXIST') say('both');
      if (errorCode(error) !== 'HOLDFAST_LOCKED') throw error;
      await new Promise((resolve) => void setTimeout(resolve, 2));
    }
  }
  say('done');
}

await (mode === 'race' ? race() : hold());
