/**
 * Runs every litmus program on every file system that this kernel can mount and writes docs/models/kernels.md:
 * `npm run models:kernels -- [--runs N] [--seed N] [--jobs N] [FS…]`. As root; half an hour on two cores. Results so
 * far are kept in build/litmus-results.jsonl, so that an interrupted run goes on where it was: what was noted counts
 * as long as program, model, kernel and options are the same. `--fresh` begins anew. The exit code is 1 when a tree was
 * found that its model forbids.
 */

import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { kernelsPage } from '../build/src/lab/litmus/kernels-page.js';
import { litmusOnKernel } from '../build/src/lab/litmus/litmus-kernel.js';
import { litmusPrograms } from '../build/src/lab/litmus/litmus-list.js';
import { modelByName } from '../build/src/lab/model/model-list.js';
import { diskProfiles } from '../build/src/lab/powercut/disk-profile.js';
import { missingForRig } from '../build/src/lab/powercut/rig-needs.js';
import { wrongUse } from './entry-words.mjs';

const LIMITS = { subsetsMax: 64, tornMax: 8 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    fresh: { type: 'boolean', default: false },
  },
});
const [runs, seed, jobs] = ['runs', 'seed', 'jobs'].map((name) => {
  if (!/^[1-9]\d*$/.test(values[name])) wrongUse(`--${name} takes a number, not '${values[name]}'`);
  return Number(values[name]);
});
const top = fileURLToPath(new URL('..', import.meta.url));
const noted = join(top, 'build/litmus-results.jsonl');
if (values.fresh) rmSync(noted, { force: true });

/** Equal for results that would come of the same run. */
function keyOf(program, profile) {
  const asked = [release(), runs, seed, LIMITS, program, profile, modelByName(profile.model)];
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 16);
}

/** Results of this run and of interrupted ones, by key. */
const known = new Map();
if (existsSync(noted)) {
  for (const line of readFileSync(noted, 'utf8').trim().split('\n').filter(Boolean)) {
    const { key, result } = JSON.parse(line);
    known.set(key, result);
  }
}

const left = [];
const tasks = [];
const names = diskProfiles.map(({ name }) => name);
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined)
  wrongUse(`no such file system: ${unknown}; there are ${names.join(', ')}`);
for (const profile of diskProfiles) {
  if (positionals.length > 0 && !positionals.includes(profile.name)) continue;
  const missing = missingForRig(profile);
  if (missing.length > 0) {
    console.error(`${profile.name} is left out: ${missing.join('; ')}`);
    continue;
  }
  for (const program of litmusPrograms) {
    const task = { program, profile, key: keyOf(program, profile) };
    if (program.notOn?.includes(profile.name)) left.push(`${program.name} on ${profile.name}`);
    else tasks.push(task);
  }
}

const next = tasks.filter(({ key }) => !known.has(key)).values();
async function work() {
  for (const { program, profile, key } of next) {
    const result = await litmusOnKernel(program, { profile, runs, seed, ...LIMITS });
    known.set(key, result);
    appendFileSync(noted, `${JSON.stringify({ key, result })}\n`);
    const { images, forbidden } = result;
    console.error(
      `${profile.name} ${program.name}: ${images} disks, ${forbidden.length} forbidden`,
    );
  }
}
await Promise.all(Array.from({ length: jobs }, work));

const results = tasks.map(({ key }) => known.get(key));
mkdirSync(join(top, 'docs/models'), { recursive: true });
const date = new Date().toISOString().slice(0, 10);
writeFileSync(
  join(top, 'docs/models/kernels.md'),
  kernelsPage(results, { date, runs, seed, ...LIMITS, left }),
);
process.exitCode = results.some(({ forbidden }) => forbidden.length > 0) ? 1 : 0;
