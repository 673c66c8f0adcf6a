/**
 * A program under the rig that has nothing of Holdfast's storage in it: two processes, a file each. Both write blocks,
 * sync each with fdatasync(2), and say so once that has returned. In the root of a disk:
 *
 *   node two-files-program.js append       each block is written after the last one
 *   node two-files-program.js overwrite    into blocks of zeros that were written and synced before, in the same
 *                                          transaction of a journal: a whole commit is made before that
 *
 * What is right on the disk is `two-files.ts`.
 */

import { spawn } from 'node:child_process';
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import process from 'node:process';

import { mark } from '../../src/lab/record/mark.ts';
import { BLOCK_BYTES, blockOf, BLOCKS, FILES } from '../support/two-files.ts';

const [way = 'append', name] = process.argv.slice(2);

if (name === undefined) {
  // The first commit after a mount is a whole one; the files are to be in the transaction after it.
  const first = openSync('first', 'w');
  fsyncSync(first);
  closeSync(first);
  const writers = FILES.map((file) =>
    spawn(process.execPath, [process.argv[1] ?? '', way, file], { stdio: 'inherit' }),
  );
  for (const writer of writers) {
    writer.once('exit', (code) => {
      if (code !== 0) process.exitCode = 1;
    });
  }
} else {
  write(name);
}

function write(file: string): void {
  const descriptor = openSync(file, 'w');
  if (way === 'overwrite') {
    writeSync(descriptor, Buffer.alloc(BLOCKS * BLOCK_BYTES));
    fdatasyncSync(descriptor);
  }
  for (let number = 0; number < BLOCKS; number++) {
    writeSync(descriptor, blockOf(file, number), 0, BLOCK_BYTES, number * BLOCK_BYTES);
    fdatasyncSync(descriptor);
    mark(`${file} ${number}`);
  }
  closeSync(descriptor);
}
