// Records a program that writes 1.25 GiB of different bytes, with both recorders, and tells what that took. For a
// person to run; a small form of it is in test/record/limits.test.ts. Needs 4 GiB of room for temporary files.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

parseArgs();

const MEBIBYTES = 1280;
const RECORD = new URL('../build/src/lab/record/record-program.js', import.meta.url).href;

const PROGRAM = `const { openSync, writeSync } = require('fs');
const fd = openSync('root/large', 'w');
const data = Buffer.alloc(1048576);
for (let index = 0; index < ${MEBIBYTES}; index++) {
  data.writeUInt32LE(index);
  writeSync(fd, data, 0, data.length, (index % 4) * data.length);
}`;

for (const via of ['node', 'strace']) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-gigabytes-'));
  try {
    mkdirSync(join(directory, 'root'));
    const tracePath = join(directory, 'x.trace');
    const command = [process.execPath, '-e', PROGRAM];
    const options = { root: join(directory, 'root'), tracePath, command, cwd: directory, via };
    const recorder = `const { recordToFile } = await import('${RECORD}');
      const { changes, unmodelled } = await recordToFile(${JSON.stringify(options)});
      const { maxRSS, userCPUTime } = process.resourceUsage();
      console.log(JSON.stringify({ changes, unmodelled, maxRSS, userCPUTime }));`;
    const started = performance.now();
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', recorder]);
    const seconds = (performance.now() - started) / 1000;
    const { changes, unmodelled, maxRSS, userCPUTime } = JSON.parse(String(output));
    console.log(
      `${via}: ${MEBIBYTES} MiB in ${changes} changes, ${unmodelled.length} not modelled; trace of ` +
        `${Math.round(statSync(tracePath).size / 1048576)} MiB; recorder at most ` +
        `${Math.round(maxRSS / 1024)} MiB, ${(userCPUTime / 1e6).toFixed(0)} s of its time; ` +
        `${seconds.toFixed(0)} s in all`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
