/**
 * How many crash states a second the rig mounts, reads, compares and unmounts, by file system; the file system's own
 * check and an external checker apart. `npm run bench:powercut -- [FS…]`, as root, on a machine where nothing else runs:
 * mounts wait for the kernel's threads, so that CPU time says little.
 */

import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { ProcessChecker } from '../src/lab/check/process-checker.ts';
import { diskProfile, diskProfiles } from '../src/lab/powercut/disk-profile.ts';
import { examinePowercut, type PowercutOptions } from '../src/lab/powercut/examine-powercut.ts';
import type { PowercutCertificate } from '../src/lab/powercut/powercut-result.ts';
import { missingForRig } from '../src/lab/powercut/rig-needs.ts';
import { describeMachine } from './machine.ts';

/** Twelve saves over a temporary file with their syncs, and a log that grows: some hundred different disks. */
const STORY = `for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
  echo "state $round" > new; sync new; mv new "state$((round % 3))"
  echo "saved $round" >> log; sync log
done`;

/** Images that are also checked by tools: these are slow, and their rate does not depend on how many. */
const TOOL_IMAGES = 60;

async function measure(name: string, more: Partial<PowercutOptions>): Promise<PowercutCertificate> {
  const result = await examinePowercut({
    profile: diskProfile(name),
    program: ['/bin/sh', '-e', '-c', STORY],
    checker: { name: 'none', check: () => ({ ok: true }) },
    runs: 1,
    seed: 1,
    subsetsMax: 64,
    tornMax: 8,
    imagesMax: Infinity,
    checkFileSystems: false,
    devices: 2,
    ...more,
  });
  return result.certificate;
}

async function row(name: string): Promise<string> {
  const mounted = await measure(name, {});
  const checker = new ProcessChecker({ command: 'cat log', timeLimitMs: 30_000 });
  try {
    const tools = await measure(name, { checker, imagesMax: TOOL_IMAGES, checkFileSystems: true });
    const cells = [
      name,
      mounted.imagesMounted,
      mounted.devices,
      mounted.imagesPerSecond,
      tools.fileSystemChecksPerSecond,
      tools.checksPerSecond,
    ];
    return `| ${cells.map(String).join(' | ')} |`;
  } finally {
    await checker.close();
  }
}

const asked = parseArgs({ allowPositionals: true }).positionals;
const names = asked.length > 0 ? asked : diskProfiles.map((profile) => profile.name);
console.log(describeMachine('/dev/shm'));
console.log('| file system | states mounted | devices | states/s | fsck/s | external checks/s |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const name of names) {
  const missing = missingForRig(diskProfile(name));
  console.log(missing.length > 0 ? `| ${name} | ${missing.join('; ')} |` : await row(name));
}
console.log(`load at the end: ${loadavg()[0]?.toFixed(1)}`);
