/**
 * The certificate as text, below the table: for each model what was walked, checked, known and skipped, and why; then
 * what holds for all. The numbers are those of `json-report.ts`; what they mean is in `docs/formats/report.md`.
 */

import type { Exploration } from '../explore/exploration.ts';
import type { LabResult } from '../lab-run.ts';
import { skippedIn, type Skipped } from './skipped.ts';

/** How deep crashes inside recovery were followed, and runs with an injected fault: a recorded run has neither. */
export const RECORDED_RUN = { nestedDepth: 0, faults: 0 } as const;

const WHY: Readonly<Record<Skipped['why'], string>> = {
  'same-disks': 'nothing new there',
  budget: 'the budget ended',
  outcomes: 'a block had more contents than are told apart',
};

/** A line for each model, with a second one where states were sampled; then one or two for the run. */
export function certificateLines(result: LabResult): string[] {
  const lines = result.runs.flatMap(({ exploration }) => modelLines(exploration));
  const { seed, remembered, runs } = result;
  const isSampled = runs.some(({ exploration }) => exploration.sampled > 0);
  const { nestedDepth, faults } = RECORDED_RUN;
  lines.push(
    `seed ${seed}${isSampled ? '' : ', nothing sampled'}; crashes inside recovery: depth ${nestedDepth}; ` +
      `runs with a fault: ${faults}`,
  );
  if (remembered !== null) {
    const disks = count(remembered, 'disk');
    lines.push(`${disks} needed no run: the command had read the same on another one`);
  }
  return lines;
}

function modelLines(exploration: Exploration): string[] {
  const { model, crashPoints, walkedPoints, walked, checked, reused, runs } = exploration;
  const { sampled, seed, sampledShare, decidedBy } = exploration;
  const asked = decidedBy === 'reads' ? 'reading' : 'disk';
  const parts = [
    `${walkedPoints} of ${count(crashPoints, 'crash point')} and ${count(walked, 'state')} walked`,
    `${count(checked, asked)} checked`,
    `${count(reused, 'verdict')} reused`,
    skippedText(skippedIn(exploration)),
  ];
  if (runs > 1) parts.push(`in ${runs} runs`);
  const lines = [`${model.name}: ${parts.join(', ')}`];
  if (sampled > 0) {
    const share = sampledShare === null ? 'unknown' : sampledShare.toExponential(1);
    lines.push(
      `${model.name}: ${count(sampled, 'state')} drawn with seed ${seed} where not all were walked; ` +
        `share seen there ${share}`,
    );
  }
  return lines;
}

function skippedText(skipped: readonly Skipped[]): string {
  if (skipped.length === 0) return 'nothing skipped';
  const texts = (Object.keys(WHY) as Skipped['why'][]).flatMap((why) => {
    const what = skipped.filter((one) => one.why === why).map(skippedCount);
    return what.length === 0 ? [] : [`${what.join(' and ')} (${WHY[why]})`];
  });
  return `skipped ${texts.join(', ')}`;
}

function skippedCount({ count: digits, what }: Skipped): string {
  if (digits === null) return `uncounted ${what}`;
  return digits === '1' ? `1 ${what.slice(0, -1)}` : `${shortCount(BigInt(digits))} ${what}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Whole up to ten million, then as a power of ten. */
export function shortCount(number: bigint): string {
  const digits = String(number);
  if (digits.length <= 7) return digits;
  return `${digits[0]}.${digits.slice(1, 3)}e${digits.length - 1}`;
}
