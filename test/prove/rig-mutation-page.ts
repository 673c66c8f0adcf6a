/** The page that says which syncs real kernels miss when they are taken away: figures only, from the run's notes. */

import type { KernelAnswer, MutatedSite, MutationProgress } from './prove-rig-mutations.ts';

/** Markdown. */
export function mutationPage(
  all: readonly MutationProgress[],
  fileSystems: readonly string[],
  policy: string,
  model: string,
): string {
  const kernels = [...new Set(all.map(({ kernel }) => `Linux ${kernel}`))].join(', ');
  return [
    '# Syncs taken away, on real kernels',
    '',
    'Written by `npm run prove:rig:mutations -- --page` from what `npm run prove:rig:mutations` has done. Each place in the',
    'code where a brief story of the log or of an engine syncs (`test/support/rig-subjects.ts`) is made to sync nothing, and',
    `power is cut: on the kernels of a few file systems, and on the disks of the model \`${model}\`, the weakest on which`,
    'software can be written. A cell says how many different trees showed a loss, of how many. Where only the model does,',
    'these kernels happen to do more than they promise, or not often enough the opposite; where only a kernel does, the',
    'model was not asked for enough disks here. "Not seen": neither lost anything in this story; the mutation runs under models have longer ones ([wal](wal.md), [lsm](lsm.md), [bitcask](bitcask.md),',
    '[btree](btree.md)).',
    '',
    `${kernels}, policy \`${policy}\`.`,
    '',
    '| Subject | Places | Shown by a kernel | By the model only | Not seen |',
    '| --- | --- | --- | --- | --- |',
    ...all.map(totals),
    ...all.flatMap((progress) => section(progress, fileSystems, model)),
    '',
  ].join('\n');
}

function totals({ subject, sites, complete }: MutationProgress): string {
  const shown = sites.filter(isShown).length;
  const only = sites.filter((site) => !isShown(site) && site.model).length;
  const name = complete ? subject : `${subject} (not all tried)`;
  return `| ${[name, sites.length, shown, only, sites.length - shown - only].join(' | ')} |`;
}

function section(
  { subject, sites }: MutationProgress,
  fileSystems: readonly string[],
  model: string,
): string[] {
  return [
    '',
    `## ${subject}`,
    '',
    `| Taken away | ${fileSystems.join(' | ')} | ${model} |`,
    `| --- |${' --- |'.repeat(fileSystems.length + 1)}`,
    ...sites.map(({ kind, site, kernels, model: caught }) => {
      const told = kind === 'dropped' ? site : `${kind}: ${site}`;
      const cells = fileSystems.map((name) => cell(kernels[name]));
      return `| ${[told, ...cells, caught ? 'loses' : '–'].join(' | ')} |`;
    }),
  ];
}

function cell(answer: KernelAnswer | undefined): string {
  if (answer === undefined || answer.mounted === 0) return 'not tried';
  return answer.failed === 0 ? `– of ${answer.trees}` : `${answer.failed} of ${answer.trees}`;
}

function isShown({ kernels }: MutatedSite): boolean {
  return Object.values(kernels).some(({ failed }) => failed > 0);
}
