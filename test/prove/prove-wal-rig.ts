/**
 * The long proof on a real kernel: power cuts of the log's programs until so many crash states of one file system have
 * been mounted. What is done is noted, so an interrupted run goes on where it was.
 *
 *   npm run prove:wal:rig -- --fs ext4 [--images 5000] [--fresh]
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';

import { diskProfile } from '../../src/lab/powercut/disk-profile.ts';
import { missingForRig } from '../../src/lab/powercut/rig-needs.ts';
import { cutPowerOfLog, RIG_STORIES } from '../support/wal-rig.ts';

/** Mounted in one go, with a seed of its own. */
const SLICE_IMAGES = 250;

interface Progress {
  seed: number;
  mounted: number;
  trees: number;
  findings: string[];
}

const { values } = parseArgs({
  options: {
    fs: { type: 'string', default: 'ext4' },
    images: { type: 'string', default: '5000' },
    fresh: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const missing = missingForRig(diskProfile(values.fs));
  if (missing.length > 0) {
    console.error(missing.join('; '));
    process.exitCode = 2;
    return;
  }
  const path = `.holdfast/prove-wal-${values.fs}.json`;
  mkdirSync('.holdfast', { recursive: true });
  if (values.fresh) rmSync(path, { force: true });
  const progress: Progress = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Progress)
    : { seed: 0, mounted: 0, trees: 0, findings: [] };
  while (progress.mounted < Number(values.images)) {
    progress.seed++;
    for (const story of RIG_STORIES) {
      const more = {
        seed: progress.seed,
        runs: 3,
        imagesMax: SLICE_IMAGES,
        subsetsMax: 128,
        tornMax: 16,
      };
      const { certificate, findings } = await cutPowerOfLog(values.fs, story, more);
      progress.mounted += certificate.imagesMounted;
      progress.trees += certificate.distinctTrees;
      for (const { message, example } of findings) {
        progress.findings.push(
          `${story}, seed ${progress.seed}: ${message} (${JSON.stringify(example)})`,
        );
      }
    }
    writeFileSync(path, JSON.stringify(progress));
    console.log(told(progress));
  }
  for (const finding of progress.findings) console.log(`FOUND ${finding}`);
  console.log(`Linux ${release()}, ${told(progress)}`);
  if (progress.findings.length > 0) process.exitCode = 1;
}

function told({ seed, mounted, trees, findings }: Progress): string {
  return `${values.fs}: ${mounted} crash states mounted in ${seed} rounds, ${trees} different trees checked, ${findings.length} failed`;
}

await main();
