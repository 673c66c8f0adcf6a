/** `docs/models/kernels.md`: what the litmus programs showed on this kernel, as a page. */

import { litmusPrograms } from './litmus-list.ts';
import type { ForbiddenTree, LitmusKernelResult } from './litmus-kernel.ts';

/** What the run was, beside its results. */
export interface KernelsPageFacts {
  /** `2026-11-22`. */
  readonly date: string;
  /** Runs of each program, and the seed of the first. */
  readonly runs: number;
  readonly seed: number;
  /** Most subsets and torn states of each epoch. */
  readonly subsetsMax: number;
  readonly tornMax: number;
  /** Programs that a kernel refused to run: `exchange on ext2`. */
  readonly left: readonly string[];
}

export function kernelsPage(
  results: readonly LitmusKernelResult[],
  { date, runs, seed, subsetsMax, tornMax, left }: KernelsPageFacts,
): string {
  const profiles = [...new Set(results.map(({ profile }) => profile))];
  const kernels = [...new Set(results.map(({ kernel }) => kernel))].join(', ');
  const lines = [
    '# The models against a real kernel',
    '',
    `Written by \`npm run models:kernels\` on ${date}, Linux ${kernels}. Do not edit: run it again.`,
    '',
    `${runs} runs of each program with the seeds ${seed} to ${seed + runs - 1}: the first leaves data pending and commits`,
    'names at the end, the second writes some files back first, the others also commit and write back at moments that',
    `the seed chooses. Of each epoch of the block log at most ${subsetsMax} subsets and ${tornMax} torn states.`,
    '',
    'Each litmus program runs on a fresh file system whose block writes are logged. Every disk that a power cut could',
    'have left is mounted, and its tree must be one that the model allows when that many steps had returned. _Mixed_',
    'trees are allowed only with the sectors of different allowed disks mixed in one file. _Damaged_ disks could not',
    'be mounted or read; in brackets those without a torn write.',
    '',
    '## By file system',
    '',
    ...table([
      [
        'profile',
        'model',
        'programs',
        'states',
        'disks mounted',
        'trees',
        'mixed',
        'forbidden',
        'damaged',
      ],
      ...profiles.map((profile) => profileRow(results.filter((one) => one.profile === profile))),
    ]),
    '',
    '## Trees that the model forbids',
    '',
    ...forbiddenLines(results),
    ...(left.length === 0
      ? []
      : ['', `Not run, because the file system has no such call: ${left.join(', ')}.`]),
    '',
    '## By program',
    '',
    'Outcomes once every step had returned. _Never seen_ are those that the model allows and no run reached, out of so',
    'many crash states (_disks_ are the different ones, which were mounted): what a model allows more than a kernel',
    'shows costs at worst a finding that is marked _not reproduced here_; what it allows less would be a missed bug.',
    '',
    ...litmusPrograms.flatMap(({ name }) => programLines(name, results)),
  ];
  return `${lines.join('\n')}\n`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)];
}

function sum(
  results: readonly LitmusKernelResult[],
  of: (one: LitmusKernelResult) => number,
): string {
  return String(results.reduce((total, one) => total + of(one), 0));
}

function profileRow(results: readonly LitmusKernelResult[]): string[] {
  const damaged = sum(results, (one) => one.damaged);
  const damagedWhole = sum(results, (one) => one.damagedWhole);
  return [
    results[0]?.profile ?? '',
    results[0]?.model ?? '',
    String(results.length),
    sum(results, (one) => one.states),
    sum(results, (one) => one.images),
    sum(results, (one) => one.trees),
    sum(results, (one) => one.mixed),
    sum(results, (one) => one.forbidden.length),
    `${damaged} (${damagedWhole})`,
  ];
}

function forbiddenLines(results: readonly LitmusKernelResult[]): string[] {
  const lines = results.flatMap(({ program, profile, forbidden }) =>
    forbidden.map((one) => `- ${program} on ${profile}, ${forbiddenText(one)}`),
  );
  return lines.length === 0 ? ['None.'] : lines;
}

function forbiddenText({ returned, outcome, tree }: ForbiddenTree): string {
  return `after ${returned} steps: ${outcome} (\`${tree.replaceAll('\n', '; ')}\`)`;
}

function programLines(name: string, results: readonly LitmusKernelResult[]): string[] {
  const program = litmusPrograms.find((one) => one.name === name);
  const own = results.filter((one) => one.program === name);
  if (program === undefined || own.length === 0) return [];
  return [
    `### ${name}`,
    '',
    `${program.question[0]?.toUpperCase() ?? ''}${program.question.slice(1)} (${program.cell})`,
    '',
    ...table([
      ['profile', 'states', 'disks', 'seen', 'never seen'],
      ...own.map(({ profile, states, images, reached, unreached }) => [
        profile,
        String(states),
        String(images),
        reached.join('; '),
        unreached.join('; '),
      ]),
    ]),
    '',
  ];
}
