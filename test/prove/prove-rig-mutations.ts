/**
 * Mutations on the kernel: each sync of a subject's brief story is taken away in turn, as in the mutation runs under
 * models, and the mutant runs under the rig. The table says which losses this kernel shows, and which only a weaker disk
 * would. What is done is noted, so an interrupted run goes on where it was.
 *
 *   npm run prove:rig:mutations -- [--subject log] [--fs ext4] [--policy sync] [--images 120] [--budget 150] [--seconds N] [--fresh]
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { findsFailure } from '../../src/lab/suite/explore-crash-test.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { MutatingVfs, type Mutation, type MutationKind } from '../support/mutation-run.ts';
import { rigSubject } from '../support/rig-subjects.ts';
import { cutPowerOfStores, StoreJudge, storyProgram } from '../support/store-rig.ts';

/** The weakest disk on which software can be written. */
const MODEL = 'posix';

interface Mutant extends Mutation {
  readonly what: string;
  /** Whether the kernel showed a loss, and whether the model does; the model is asked where the kernel shows none. */
  readonly kernel: boolean;
  readonly model: boolean;
}

interface Progress {
  readonly mutants: Mutant[];
  complete: boolean;
}

const { values } = parseArgs({
  options: {
    subject: { type: 'string', default: 'log' },
    fs: { type: 'string', default: 'ext4' },
    policy: { type: 'string', default: 'sync' },
    images: { type: 'string', default: '120' },
    budget: { type: 'string', default: '150' },
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
    : { mutants: [], complete: false };
  const end = performance.now() + Number(values.seconds) * 1000;
  while (!progress.complete && performance.now() < end) {
    const mutation = next(progress.mutants);
    const what = await nameOf(mutation);
    if (what === null) {
      progress.complete = mutation.kind === KINDS.at(-1);
      if (!progress.complete) progress.mutants.push({ ...NO_MORE, kind: mutation.kind });
    } else {
      const kernel = await onKernel(mutation);
      const model = kernel || (await underModel(mutation));
      progress.mutants.push({ ...mutation, what, kernel, model });
    }
    save(progress);
  }
  report(progress);
}

const KINDS: readonly MutationKind[] = ['dropped', 'opened without sync'];
/** Stands where the mutants of one kind end. */
const NO_MORE = { nth: 0, what: '', kernel: false, model: false };

function next(mutants: readonly Mutant[]): Mutation {
  const last = mutants.at(-1);
  if (last === undefined) return { kind: 'dropped', nth: 1 };
  return last.nth === 0
    ? { kind: KINDS[KINDS.indexOf(last.kind) + 1] ?? 'dropped', nth: 1 }
    : { kind: last.kind, nth: last.nth + 1 };
}

/** What it takes away; null when the story has no such sync. */
async function nameOf(mutation: Mutation): Promise<string | null> {
  const vfs = new MutatingVfs(new MemoryVfs(), mutation);
  await rigSubject(subject, policy, true).workload(vfs, { mark: () => undefined });
  return vfs.met;
}

async function underModel(mutation: Mutation): Promise<boolean> {
  const { workload, recover, check } = rigSubject(subject, policy, true);
  return await findsFailure({
    workload: (vfs, context) => workload(new MutatingVfs(vfs, mutation), context),
    recover,
    check,
    models: [MODEL],
    nested: 0,
    budget: Number(values.budget),
  });
}

async function onKernel({ kind, nth }: Mutation): Promise<boolean> {
  const judge = new StoreJudge(fileSystem, policy, [subject]);
  const program = [...storyProgram(policy, [subject], 'mutate'), kind, String(nth)];
  const { findings } = await cutPowerOfStores(fileSystem, policy, [subject], judge, {
    program,
    runs: 1,
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
function report({ mutants, complete }: Progress): void {
  const rows = new Map<string, { tried: number; model: number; kernel: number }>();
  for (const { kind, nth, what, kernel, model } of mutants) {
    if (nth === 0) continue;
    const name = `${kind}: ${what}`;
    const row = rows.get(name) ?? { tried: 0, model: 0, kernel: 0 };
    rows.set(name, row);
    row.tried++;
    if (kernel) row.kernel++;
    else if (model) row.model++;
  }
  console.log(
    `| ${subject}, ${policy}: taken away | Mutants | Shown by ${fileSystem} | By ${MODEL} only |`,
  );
  console.log('| --- | --- | --- | --- |');
  for (const [name, { tried, model, kernel }] of rows) {
    console.log(`| ${name} | ${tried} | ${kernel} | ${model} |`);
  }
  console.log(`${complete ? 'All' : 'Not all'} tried`);
}

await main();
