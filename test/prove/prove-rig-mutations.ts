/**
 * Mutations on the kernel: each sync of a subject's brief story is taken away in turn, as in the mutation runs under
 * models, and the mutant runs under the rig. The table says which losses this kernel shows, and which only a weaker disk
 * would. What is done is noted, so an interrupted run goes on where it was.
 *
 *   npm run prove:rig:mutations -- [--subject log] [--fs ext4] [--policy sync] [--images 120] [--seconds N] [--fresh]
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { mutationRun, type Mutant } from '../support/mutation-run.ts';
import { rigSubject } from '../support/rig-subjects.ts';
import { cutPowerOfStores, StoreJudge, storyProgram } from '../support/store-rig.ts';

/** The weakest first: it catches nearly all. */
const MODELS = ['posix', 'ext4'];
const MODEL_BUDGET = 150;

interface Progress {
  /** Null until the models have been asked. */
  mutants: Mutant[] | null;
  /** By place in `mutants`: whether the kernel showed a loss. */
  shown: boolean[];
}

const { values } = parseArgs({
  options: {
    subject: { type: 'string', default: 'log' },
    fs: { type: 'string', default: 'ext4' },
    policy: { type: 'string', default: 'sync' },
    images: { type: 'string', default: '120' },
    seconds: { type: 'string', default: 'Infinity' },
    fresh: { type: 'boolean', default: false },
  },
});
const { subject, fs: fileSystem, policy } = values;
const path = `.holdfast/rig-mutations-${subject}-${fileSystem}-${policy}.json`;

async function main(): Promise<void> {
  mkdirSync('.holdfast', { recursive: true });
  if (values.fresh) rmSync(path, { force: true });
  const progress: Progress = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Progress)
    : { mutants: null, shown: [] };
  const end = performance.now() + Number(values.seconds) * 1000;
  progress.mutants ??= await underModels();
  save(progress);
  while (progress.shown.length < progress.mutants.length && performance.now() < end) {
    const mutant = progress.mutants[progress.shown.length];
    if (mutant === undefined) break;
    progress.shown.push(mutant.caughtBy !== null && (await onKernel(mutant)));
    save(progress);
  }
  report(progress.mutants, progress.shown);
}

/** Every mutant that is a sync left out, or a file opened without. */
async function underModels(): Promise<Mutant[]> {
  const { workload, recover, check } = rigSubject(subject, policy, true);
  const test: CrashTest = { workload, recover, check, nested: 0, budget: MODEL_BUDGET };
  return await mutationRun(test, { models: MODELS, kinds: ['dropped', 'opened without sync'] });
}

async function onKernel({ kind, nth }: Mutant): Promise<boolean> {
  const judge = new StoreJudge(fileSystem, policy, [subject]);
  const program = [...storyProgram(policy, [subject], 'mutate'), kind, String(nth)];
  const { findings } = await cutPowerOfStores(fileSystem, policy, [subject], judge, {
    program,
    runs: 2,
    imagesMax: Number(values.images),
    subsetsMax: 32,
    tornMax: 4,
  });
  return findings.length > 0;
}

function save(progress: Progress): void {
  writeFileSync(path, JSON.stringify(progress));
}

/** One line for each kind of sync. */
function report(mutants: readonly Mutant[], shown: readonly boolean[]): void {
  const rows = new Map<string, { tried: number; model: number; kernel: number }>();
  shown.forEach((seen, index) => {
    const { kind, what, caughtBy } = mutants[index] ?? {
      kind: 'dropped',
      what: '',
      caughtBy: null,
    };
    const name = `${kind}: ${what}`;
    const row = rows.get(name) ?? { tried: 0, model: 0, kernel: 0 };
    rows.set(name, row);
    row.tried++;
    if (caughtBy !== null) row.model++;
    if (seen) row.kernel++;
  });
  console.log(
    `| ${subject}, ${policy}: taken away | Mutants | Caught by a model | Shown by ${fileSystem} |`,
  );
  console.log('| --- | --- | --- | --- |');
  for (const [name, { tried, model, kernel }] of rows) {
    console.log(`| ${name} | ${tried} | ${model} | ${kernel} |`);
  }
  console.log(`${shown.length} of ${mutants.length} tried`);
}

await main();
