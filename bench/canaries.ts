/**
 * How long the explorer takes to the first finding on each canary (`test/canary/programs`): recording the program and
 * exploring its trace apart. Run by `npm run bench:explore`; `node build/bench/canaries.js` runs this alone.
 */

import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

import type { Checker } from '../src/lab/check/checker.ts';
import { OldOrNewOracle } from '../src/lab/check/old-or-new-oracle.ts';
import { ContentStore } from '../src/lab/explore/content-store.ts';
import { exploreModel } from '../src/lab/explore/explorer.ts';
import { VerdictCache } from '../src/lab/explore/verdict-cache.ts';
import { runLab } from '../src/lab/lab-run.ts';
import { modelByName } from '../src/lab/model/model-list.ts';
import type { Trace } from '../src/lab/record/operation.ts';
import { recordProgram } from '../src/lab/record/record-program.ts';
import { CANARY_FILES, indexPointsToRecords } from '../test/canary/canary-root.ts';
import { describeMachine } from './machine.ts';

const ROUNDS = 9;
const BROKEN = '.broken.mjs';
const programs = fileURLToPath(new URL('../../test/canary/programs/', import.meta.url));
const model = modelByName('posix');

/** Milliseconds of the clock and of the processor. */
interface Spent {
  readonly wallMs: number;
  readonly cpuMs: number;
}

function stopwatch(): () => Spent {
  const cpu = process.cpuUsage();
  const start = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
  };
}

async function record(name: string): Promise<Trace> {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'holdfast-canary-'));
  try {
    for (const [file, text] of Object.entries(CANARY_FILES)) writeFileSync(join(root, file), text);
    const command = ['node', join(programs, `${name}${BROKEN}`)];
    return await recordProgram({ root, command, cwd: root, output: 'ignore' });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function checkerOf(name: string, trace: Trace): Checker {
  return name === 'two-files-ordered' ? indexPointsToRecords : new OldOrNewOracle(trace);
}

/** From the trace to the first disk that fails, and how many disks were checked by then. */
async function firstFailure(name: string, trace: Trace): Promise<Spent & { checked: number }> {
  let found: Spent | null = null;
  let checked = 0;
  const read = stopwatch();
  const checker = checkerOf(name, trace);
  const watched: Checker = {
    name: checker.name,
    ...(checker.reads === undefined ? {} : { reads: checker.reads }),
    check: async (disk) => {
      if (found === null) checked++;
      const verdict = await checker.check(disk);
      if (!verdict.ok) found ??= read();
      return verdict;
    },
  };
  const tools = { checker: watched, store: new ContentStore(), verdicts: new VerdictCache() };
  await exploreModel(trace, model, { ...tools, disksMax: 100_000, walkedMax: Infinity });
  if (found === null) throw new Error(`${name} was not caught`);
  return { ...(found as Spent), checked };
}

/** From the trace to the finding with its line and its proof. */
async function explained(name: string, trace: Trace): Promise<Spent> {
  const read = stopwatch();
  const { verdict } = await runLab(trace, { models: [model], checker: checkerOf(name, trace) });
  if (verdict !== 'found') throw new Error(`${name} was not caught`);
  return read();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function timesOf(spent: readonly Spent[]): string {
  const cpu = median(spent.map(({ cpuMs }) => cpuMs));
  const wall = median(spent.map(({ wallMs }) => wallMs));
  return `${cpu.toFixed(1)} ms CPU, ${wall.toFixed(1)} ms`;
}

export async function benchCanaries(): Promise<void> {
  const names = readdirSync(programs).filter((name) => name.endsWith(BROKEN));
  console.log(`first finding on each canary under ${model.name}, medians of ${ROUNDS}:`);
  for (const file of names) {
    const name = file.slice(0, -BROKEN.length);
    const recording = stopwatch();
    const trace = await record(name);
    const { wallMs } = recording();
    const [firsts, whole]: [Spent[], Spent[]] = [[], []];
    let checked = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const first = await firstFailure(name, trace);
      firsts.push(first);
      checked = first.checked;
      whole.push(await explained(name, trace));
    }
    console.log(
      `${name}: disk ${checked} fails, after ${timesOf(firsts)}; explained after ${timesOf(whole)}; ` +
        `recorded in ${wallMs.toFixed(0)} ms (once, wall)`,
    );
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  console.log(describeMachine(tmpdir()));
  await benchCanaries();
}
