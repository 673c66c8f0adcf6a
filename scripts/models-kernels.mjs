/**
 * Runs every litmus program on every file system that this kernel can mount and writes docs/models/kernels.md:
 * `npm run models:kernels -- [--runs N] [--seed N] [FS…]`. As root; a quarter of an hour. Results so far are kept
 * in build/litmus-results.jsonl, so that an interrupted run goes on where it was; `--fresh` begins anew. The exit
 * code is 1 when a tree was found that its model forbids.
 */

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { kernelsPage } from '../build/src/lab/litmus/kernels-page.js';
import { litmusOnKernel } from '../build/src/lab/litmus/litmus-kernel.js';
import { litmusPrograms } from '../build/src/lab/litmus/litmus-list.js';
import { diskProfiles } from '../build/src/lab/powercut/disk-profile.js';
import { missingForRig } from '../build/src/lab/powercut/rig-needs.js';

const LIMITS = { subsetsMax: 64, tornMax: 8 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
const top = fileURLToPath(new URL('..', import.meta.url));
const noted = join(top, 'build/litmus-results.jsonl');
if (values.fresh) rmSync(noted, { force: true });

const results = existsSync(noted)
  ? readFileSync(noted, 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];
const profiles = diskProfiles.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
);
const left = [];
for (const profile of profiles) {
  const missing = missingForRig(profile);
  if (missing.length > 0) {
    console.error(`${profile.name} is left out: ${missing.join('; ')}`);
    continue;
  }
  for (const program of litmusPrograms) {
    const { name } = program;
    if (program.notOn?.includes(profile.name)) {
      left.push(`${name} on ${profile.name}`);
      continue;
    }
    if (results.some((one) => one.program === name && one.profile === profile.name)) continue;
    const result = await litmusOnKernel(program, { profile, runs, seed, ...LIMITS });
    results.push(result);
    appendFileSync(noted, `${JSON.stringify(result)}\n`);
    const { images, forbidden } = result;
    console.error(`${profile.name} ${name}: ${images} disks, ${forbidden.length} forbidden`);
  }
}
mkdirSync(join(top, 'docs/models'), { recursive: true });
const date = new Date().toISOString().slice(0, 10);
writeFileSync(
  join(top, 'docs/models/kernels.md'),
  kernelsPage(results, { date, runs, seed, left }),
);
process.exitCode = results.some(({ forbidden }) => forbidden.length > 0) ? 1 : 0;
