/** What each model allows of each litmus program once it has ended, as text: held in a golden file. */

import { listModels, modelByName } from '../model/model-list.ts';
import { LitmusModel } from './litmus-allowed.ts';
import type { LitmusProgram } from './litmus-program.ts';

/** The models of the list, and the modifiers on a model where they matter most. */
export const litmusModelNames: readonly string[] = [
  ...listModels().map(({ name }) => name),
  'ext4+fastcommit',
  'ext4+nobarrier',
  'xfs+volatile',
  'posix+splitrename',
  'posix+nopsow',
];

/** By model, the outcomes that it allows once the program has ended. */
export function allowedOutcomes(program: LitmusProgram): Map<string, readonly string[]> {
  return new Map(
    litmusModelNames.map((name) => {
      const disks = new LitmusModel(program, modelByName(name)).after(program.steps.length);
      return [name, disks.outcomes];
    }),
  );
}

/** One paragraph a program: models with the same outcomes together. */
export function allowedPage(
  known: ReadonlyMap<LitmusProgram, ReadonlyMap<string, readonly string[]>>,
): string {
  const parts = [...known].map(([program, models]) => allowedText(program, models));
  return `${parts.join('\n\n')}\n`;
}

function allowedText(
  program: LitmusProgram,
  models: ReadonlyMap<string, readonly string[]>,
): string {
  const byOutcomes = new Map<string, string[]>();
  for (const [name, outcomes] of models) {
    const key = outcomes.map((outcome) => `    ${outcome}`).join('\n');
    byOutcomes.set(key, [...(byOutcomes.get(key) ?? []), name]);
  }
  const groups = [...byOutcomes].map(([outcomes, names]) => `  ${names.join(', ')}\n${outcomes}`);
  return [`${program.name}: ${program.question}`, ...groups].join('\n');
}
