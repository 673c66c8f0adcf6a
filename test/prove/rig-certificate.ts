/** The page that says how far the long proof on real kernels has come: figures only, from its notes. */

import { RIG_POLICIES, RIG_SUBJECTS } from '../support/rig-subjects.ts';
import type { RigProgress } from './rig-progress.ts';

/** Markdown. `last`: the last commit that was tried in every policy; `only`: with one subject alone. */
export function certificatePage(all: readonly RigProgress[], last: string, only?: string): string {
  const done = all.filter(({ slices }) => slices > 0);
  const kernels = [...new Set(done.map(({ kernel }) => `Linux ${kernel}`))].join(', ');
  const days = [...new Set(done.flatMap((one) => one.days))].toSorted().join(', ');
  return [
    '# States of real kernels',
    '',
    'Written by `npm run prove:rig -- --certificate` from what `npm run prove:rig` has done. What it means is in',
    '[kernels.md](kernels.md).',
    '',
    `${kernels}, Node ${process.version}; ${days}. Seeds are the numbers of the slices, from 1.`,
    '',
    'States by the last commit that changed `src/`, on all file systems: ' + commitsOf(done) + '.',
    `Of ${last}: ${only === undefined ? 'every subject in every policy, all side by side' : `${only} alone, in every policy`}.`,
    '',
    '| File system | Slices | States mounted | Different trees | Recoveries cut | States inside them | Checked by fsck | Clean | Failed |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...done.map(
      ({ fileSystem, slices, mounted, trees, recoveries, checked, clean, findings }) =>
        `| ${fileSystem} | ${slices} | ${mounted} | ${trees} | ${recoveries.recoveries} | ${recoveries.mounted} | ${checked} | ${clean} | ${findings.length} |`,
    ),
    '',
    '## By subject and policy',
    '',
    'Mounted states in which the subject was judged, and different contents of its directory among them. Side by side, a',
    'state counts for each subject. `refused`: did not open, and said so; see [kernels.md](kernels.md).',
    '',
    `| File system | Policy | ${RIG_SUBJECTS.join(' | ')} |`,
    `| --- | --- |${' --- |'.repeat(RIG_SUBJECTS.length)}`,
    ...done.flatMap((progress) => RIG_POLICIES.map((policy) => cells(progress, policy))),
    '',
    '## What mounting and checking complained of',
    '',
    ...damageLines(done),
    '',
    '## What failed',
    '',
    ...findingLines(done),
    '',
  ].join('\n');
}

function commitsOf(all: readonly RigProgress[]): string {
  const names = new Set(all.flatMap(({ commits }) => Object.keys(commits)));
  const told = [...names].map((name) => {
    const of = all.map(({ commits }) => commits[name] ?? 0);
    const sum = of.reduce((left, right) => left + right, 0);
    return `${name} ${sum} (at least ${Math.min(...of)} on each)`;
  });
  return told.join(', ');
}

function cells({ fileSystem, cells: all }: RigProgress, policy: string): string {
  const told = RIG_SUBJECTS.map((name) => {
    const cell = all[`${name} ${policy}`];
    if (cell === undefined) return '–';
    const refused = cell.refused === 0 ? '' : `, ${cell.refused} refused`;
    return `${cell.mounted} / ${cell.distinct}${refused}`;
  });
  return `| ${fileSystem} | ${policy} | ${told.join(' | ')} |`;
}

function damageLines(all: readonly RigProgress[]): string[] {
  const sums = new Map<string, { disks: number; untorn: number }>();
  for (const { fileSystem, damage } of all) {
    for (const [message, { disks, untorn }] of Object.entries(damage)) {
      const line = `${fileSystem}: ${withoutNumbers(message)}`;
      const sum = sums.get(line) ?? { disks: 0, untorn: 0 };
      sums.set(line, { disks: sum.disks + disks, untorn: sum.untorn + untorn });
    }
  }
  const lines = [...sums].map(
    ([line, { disks, untorn }]) =>
      `- ${line} (${disks} disks, ${untorn} of them without a torn write)`,
  );
  return lines.length === 0 ? ['Nothing.'] : lines;
}

/** Complaints that differ only in which inode or block they are about are one. */
function withoutNumbers(message: string): string {
  // Paths are those of the disk, where the program's directory is `root`.
  const [tool, ...rest] = message.replaceAll(' /root/', ' ').split(': ');
  return [tool, ...rest.map((part) => part.replaceAll(/\b\d+\b/g, 'N'))].join(': ');
}

/** What failed: which slice of which file system found it, and what the judge says. */
function findingLines(all: readonly RigProgress[]): string[] {
  const lines = all.flatMap(({ fileSystem, findings }) =>
    findings.map((finding) => `- ${fileSystem}: ${finding.replace(/ \(\{"example".*$/s, '')}`),
  );
  return lines.length === 0 ? ['Nothing.'] : lines;
}
