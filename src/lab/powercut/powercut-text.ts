/** The result of a power-cut examination as text for people. Nothing here decides anything. */

import type { Sighting } from './obligations.ts';
import type { DamageFinding, PowercutFinding, PowercutResult } from './powercut-result.ts';

/** How text looks on the caller's output. */
export interface PowercutTextStyle {
  bold(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  dim(text: string): string;
  /** Spells control characters out: messages and names come from programs. */
  printable(text: string): string;
}

const TREE_LINES_MAX = 12;
const LOST_MAX = 6;

/** The report, ending with a newline. */
export function powercutText(result: PowercutResult, style: PowercutTextStyle): string {
  const { certificate } = result;
  const options = certificate.mountOptions === '' ? '' : ` (${certificate.mountOptions})`;
  const lines = [
    style.bold(`power cut on ${certificate.fileSystem}${options}, Linux ${certificate.kernel}`),
    style.dim(style.printable(certificate.program.join(' '))),
    '',
    ...result.findings.flatMap((finding) => findingLines(finding, style)),
    ...result.damage.flatMap((damage) => damageLines(damage, style)),
    verdictLine(result, style),
    ...certificateLines(result),
  ];
  return `${lines.join('\n')}\n`;
}

function findingLines(finding: PowercutFinding, style: PowercutTextStyle): string[] {
  const { tree } = finding;
  const shown = tree.slice(0, TREE_LINES_MAX).map((line) => `    ${style.printable(line)}`);
  const more = tree.length - shown.length;
  return [
    style.red(`FOUND ${style.printable(finding.message)}`),
    `  on ${count(finding.trees, 'different tree')}; the least loss among them:`,
    ...sightingLines(finding.example),
    `  ${count(finding.marks, 'mark')} had been noted by then; the kernel recovered this tree:`,
    ...(shown.length === 0 ? ['    (empty)'] : shown),
    ...(more > 0 ? [`    and ${more} more`] : []),
    '',
  ];
}

function damageLines(damage: DamageFinding, style: PowercutTextStyle): string[] {
  const { images, imagesWithoutTear } = damage;
  const which =
    imagesWithoutTear === 0
      ? 'all with a torn block write'
      : `${imagesWithoutTear} of them without any torn write`;
  return [
    style.yellow(`FILE SYSTEM DAMAGED ${style.printable(damage.message)}`),
    `  on ${count(images, 'disk')}, ${which}; no program can do better`,
    ...sightingLines(damage.example),
    '',
  ];
}

function sightingLines(sighting: Sighting): string[] {
  const { lost } = sighting;
  const what = lost.slice(0, LOST_MAX).map(({ entry, offset, length, keptFrom, keptTo }) => {
    const kept = keptTo === 0 ? 'nothing kept' : `bytes ${keptFrom} to ${keptTo} kept`;
    return `    write ${entry}: ${length} bytes at ${offset}, ${kept}`;
  });
  const summary =
    lost.length === 0
      ? 'every block write so far survived'
      : `${lost.length} of ${count(sighting.inFlight, 'write')} in flight lost or torn:`;
  return [
    `  run ${sighting.run + 1}, power cut after ${sighting.position} block-log entries; ${summary}`,
    ...what,
    ...(lost.length > LOST_MAX ? [`    and ${lost.length - LOST_MAX} more`] : []),
  ];
}

function verdictLine(result: PowercutResult, style: PowercutTextStyle): string {
  const { findings, complete } = result;
  if (findings.length > 0) return style.red(count(findings.length, 'finding'));
  if (!complete) return style.yellow('nothing found, but not everything could be looked at');
  return style.green('nothing found');
}

function certificateLines(result: PowercutResult): string[] {
  const { certificate } = result;
  const lines = certificate.runs.map((run, index) => {
    const sampled =
      run.sampledEpochs === 0 ? 'all walked' : `${run.sampledEpochs} of the epochs sampled`;
    const left = run.skippedImages === 0 ? '' : `, ${run.skippedImages} left out`;
    return (
      `  run ${index + 1}: ${run.entries} log entries in ${count(run.epochs, 'epoch')}, ` +
      `${run.subsets} subsets (${sampled}), ${run.states} states with torn writes, ` +
      `${run.distinctImages} distinct disks (${run.newImages} new${left}); perturbed by ${actions(run.perturbed)}`
    );
  });
  const clean = result.damage.length === 0 ? ', all clean' : '';
  const checks =
    certificate.fileSystemsChecked === 0
      ? 'file systems not checked'
      : `${certificate.fileSystemsChecked} file systems checked${clean}` +
        rate(certificate.fileSystemChecksPerSecond);
  return [
    ...lines,
    `  ${certificate.imagesMounted} disks mounted and read${rate(certificate.imagesPerSecond)}; ` +
      `${certificate.distinctTrees} different trees, ${certificate.treesChecked} checks` +
      rate(certificate.checksPerSecond),
    `  ${checks}`,
    `  seed ${certificate.seed}, at most ${certificate.subsetsMax} subsets and ` +
      `${certificate.tornMax} torn states an epoch, sectors of ${certificate.sectorBytes} bytes`,
  ];
}

/** `2 commits, 1 write-back`; where each was made is in the JSON form. */
function actions(perturbed: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const action of perturbed) {
    const name = action.split('@')[0] ?? action;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const told = [...counts].map(([name, times]) => count(times, name));
  return told.length === 0 ? 'nothing' : told.join(', ');
}

function rate(perSecond: number | null): string {
  return perSecond === null ? '' : ` (${perSecond} a second)`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
