/**
 * Mutations on the kernel: each place in the code where a subject's brief story syncs is made to sync nothing, and the
 * mutant runs under the rig and under the model of the weakest disk. The page says which losses these kernels show, and
 * which only a weaker disk would. What is done is noted, so an interrupted run goes on where it was.
 *
 *   npm run prove:rig:mutations -- [--subject log,…] [--fs ext4,xfs] [--policy sync] [--images 80] [--budget 150]
 *                                  [--seconds N] [--progress DIRECTORY] [--fresh] [--page]
 *
 * `--page` writes docs/proof/kernel-mutations.md from what has been noted.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { UsageError } from '../../src/base/errors.ts';
import { findsFailure } from '../../src/lab/suite/explore-crash-test.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { MutatingVfs, type MutationKind } from '../support/mutation-run.ts';
import { RIG_SUBJECTS, rigSubject } from '../support/rig-subjects.ts';
import { cutPowerOfStores, StoreJudge, storyProgram } from '../support/store-rig.ts';
import { mutationPage } from './rig-mutation-page.ts';
import { PROGRESS_DIRECTORY } from './rig-progress.ts';

/** The weakest disk on which software can be written. */
const MODEL = 'posix';
const PAGE = 'docs/proof/kernel-mutations.md';
const KINDS: readonly MutationKind[] = ['dropped', 'opened without sync'];

/** A place whose syncs were taken away. */
export interface MutatedSite {
  readonly kind: MutationKind;
  readonly site: string;
  /** Whether the model shows a loss. */
  readonly model: boolean;
  /** By file system: what it showed. */
  readonly kernels: Record<string, KernelAnswer>;
}

export interface KernelAnswer {
  readonly mounted: number;
  /** Different trees, and how many of them had lost something. */
  readonly trees: number;
  readonly failed: number;
}

/** What is noted of one subject. */
export interface MutationProgress {
  readonly subject: string;
  readonly kernel: string;
  readonly sites: MutatedSite[];
  complete: boolean;
}

const { values } = parseArgs({
  options: {
    subject: { type: 'string', default: RIG_SUBJECTS.join() },
    fs: { type: 'string', default: 'ext4,xfs' },
    policy: { type: 'string', default: 'sync' },
    images: { type: 'string', default: '80' },
    budget: { type: 'string', default: '150' },
    seconds: { type: 'string', default: 'Infinity' },
    progress: { type: 'string', default: PROGRESS_DIRECTORY },
    fresh: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
  },
});
const { policy } = values;
const subjects = values.subject.split(',');
const fileSystems = values.fs.split(',');

async function main(): Promise<void> {
  mkdirSync(values.progress, { recursive: true });
  if (values.page) {
    writeFileSync(PAGE, mutationPage(subjects.map(load), fileSystems, policy, MODEL));
    console.log(`${PAGE} is written`);
    return;
  }
  if (values.fresh) for (const subject of subjects) rmSync(pathOf(subject), { force: true });
  const end = performance.now() + Number(values.seconds) * 1000;
  for (const subject of subjects) await tryAll(subject, end);
}

async function tryAll(subject: string, end: number): Promise<void> {
  const progress = load(subject);
  const { sites } = progress;
  for (const kind of KINDS) {
    for (const site of await sitesOf(subject, kind)) {
      let mutated = sites.find((one) => one.kind === kind && one.site === site);
      if (mutated === undefined) {
        if (performance.now() > end) return;
        mutated = { kind, site, model: await underModel(subject, kind, site), kernels: {} };
        sites.push(mutated);
      }
      for (const name of fileSystems) {
        if (mutated.kernels[name] !== undefined) continue;
        if (performance.now() > end) return;
        mutated.kernels[name] = await onKernel(subject, name, kind, site);
        save(progress);
        console.log(`${subject}, ${name}: ${JSON.stringify(mutated)}`);
      }
    }
  }
  progress.complete = true;
  save(progress);
}

/** The places where the story syncs, in the order in which it comes to them. */
async function sitesOf(subject: string, kind: MutationKind): Promise<string[]> {
  const sites = new Set<string>();
  const at = (what: string): boolean => {
    sites.add(what);
    return false;
  };
  const vfs = new MutatingVfs(new MemoryVfs(), { kind, at });
  await rigSubject(subject, policy, true).workload(vfs, { mark: () => undefined });
  return [...sites];
}

async function underModel(subject: string, kind: MutationKind, site: string): Promise<boolean> {
  const { workload, recover, check } = rigSubject(subject, policy, true);
  const mutation = { kind, at: (what: string) => what === site };
  return await findsFailure({
    workload: (vfs, context) => workload(new MutatingVfs(vfs, mutation), context),
    recover,
    check,
    models: [MODEL],
    nested: 0,
    budget: Number(values.budget),
  });
}

/** A program that fails, or has not met the place, has shown nothing: mounted 0. */
async function onKernel(
  subject: string,
  fileSystem: string,
  kind: MutationKind,
  site: string,
): Promise<KernelAnswer> {
  const judge = new StoreJudge(fileSystem, policy, [subject]);
  const program = [...storyProgram(policy, [subject], 'mutate'), kind, site];
  try {
    const { certificate, findings } = await cutPowerOfStores(fileSystem, policy, [subject], judge, {
      program,
      runs: 3,
      imagesMax: Number(values.images),
      subsetsMax: 32,
      tornMax: 4,
    });
    const failed = findings.reduce((sum, { trees }) => sum + trees, 0);
    return { mounted: certificate.imagesMounted, trees: certificate.distinctTrees, failed };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${subject}, ${fileSystem}, ${kind}: ${site}: ${error.message}`);
    return { mounted: 0, trees: 0, failed: 0 };
  }
}

function pathOf(subject: string): string {
  return join(values.progress, `rig-mutations-${subject}-${policy}.json`);
}

function load(subject: string): MutationProgress {
  const path = pathOf(subject);
  return existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as MutationProgress)
    : { subject, kernel: release(), sites: [], complete: false };
}

function save(progress: MutationProgress): void {
  writeFileSync(pathOf(progress.subject), JSON.stringify(progress));
}

await main();
