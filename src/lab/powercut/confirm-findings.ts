/**
 * Takes findings of the explorer to the real kernel: makes the recorded calls again on a disk of the rig, mounts what
 * power cuts could leave, and looks for the same complaint of the same checker. A finding that no state shows is
 * *not reproduced here*, which says nothing against it: other kernels, other moments of write-back.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checker } from '../check/checker.ts';
import { marksAt } from '../explore/marks-at.ts';
import type { Trace } from '../record/operation.ts';
import type { DiskProfile } from './disk-profile.ts';
import { examinePowercut } from './examine-powercut.ts';
import { kernelsFor, type NearKernel } from './near-kernel.ts';
import type { Sighting } from './obligations.ts';
import { requireForRig } from './rig-needs.ts';
import { replayScript, traceReplay } from './trace-replay.ts';

const LIMITS = { runs: 3, seed: 1, subsetsMax: 128, tornMax: 16, imagesMax: 2000 } as const;

/** What is looked for: a complaint, and the models under which the explorer met it. */
export interface FindingToConfirm {
  readonly messages: readonly string[];
  readonly models: readonly string[];
}

/** What the kernel of one profile said. */
export interface KernelAnswer {
  readonly profile: string;
  /** Models that no file system of this rig stands for, to which this one is the nearest; empty for its own. */
  readonly instead: readonly string[];
  readonly disks: number;
  /** Where it was seen with the least loss; null when it was not. */
  readonly sighting: Sighting | null;
  /** The checker's words there. */
  readonly message: string | null;
}

export interface ConfirmOptions {
  progress?(text: string): void;
  onRig?(takeDown: () => Promise<void>): () => void;
}

/**
 * One list of answers a finding, in their order. Where none of its models is that of a file system that the rig can
 * make, the nearest ones are asked; a list is empty when there is none of these either.
 *
 * @throws {UsageError} when the rig lacks something (root, a program), or the trace cannot be made again.
 */
export async function confirmFindings(
  trace: Trace,
  findings: readonly FindingToConfirm[],
  checker: Checker,
  options: ConfirmOptions = {},
): Promise<KernelAnswer[][]> {
  const answers: KernelAnswer[][] = findings.map(() => []);
  const asked = findings.map(({ models }) => kernelsFor(models));
  const names = new Set(asked.flat().map(({ profile }) => profile.name));
  const wanted = [...names].flatMap((name) => {
    const one = asked.flat().find(({ profile }) => profile.name === name);
    return one === undefined ? [] : [one.profile];
  });
  for (const profile of wanted) requireForRig(profile);
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-confirm-'));
  try {
    const { setup, steps } = traceReplay(trace);
    const path = (name: string): string => join(directory, name);
    writeFileSync(path('replay.pl'), replayScript);
    writeFileSync(path('setup'), setup);
    writeFileSync(path('steps'), steps);
    for (const profile of wanted) {
      const seen = await complaints(trace, profile, checker, path, options);
      findings.forEach(({ messages }, index) => {
        for (const kernel of asked[index] ?? []) {
          if (kernel.profile.name !== profile.name) continue;
          answers[index]?.push(answerOf(kernel, messages, seen));
        }
      });
    }
    return answers;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Complaints {
  readonly disks: number;
  readonly findings: readonly { readonly message: string; readonly example: Sighting }[];
}

async function complaints(
  trace: Trace,
  profile: DiskProfile,
  checker: Checker,
  path: (name: string) => string,
  options: ConfirmOptions,
): Promise<Complaints> {
  const marks = marksAt(trace, Infinity);
  const result = await examinePowercut({
    ...LIMITS,
    ...options,
    profile,
    setup: `perl '${path('replay.pl')}' '${path('setup')}'`,
    program: ['perl', path('replay.pl'), path('steps')],
    checker: {
      name: checker.name,
      check: ({ root, marks: noted }) => {
        // The rig's marks are those of the trace, in order, and one for the end of the replay itself.
        const count = noted.filter(({ source }) => source === 'mark').length;
        return checker.check({ root, marks: marks.slice(0, count) });
      },
    },
    checkFileSystems: false,
    devices: 2,
  });
  return { disks: result.certificate.imagesMounted, findings: result.findings };
}

function answerOf(
  { profile, instead }: NearKernel,
  messages: readonly string[],
  { disks, findings }: Complaints,
): KernelAnswer {
  const kinds = new Set(messages.map(kindOf));
  const found = findings.find(({ message }) => kinds.has(kindOf(message)));
  return {
    profile: profile.name,
    instead,
    disks,
    sighting: found?.example ?? null,
    message: found?.message ?? null,
  };
}

/** Numbers in a message are sizes and places, which differ from state to state. */
function kindOf(message: string): string {
  return message.replace(/\d+/g, '#');
}

/** One line an answer: `reproduced on ext4: …`. */
export function confirmationText(answers: readonly KernelAnswer[]): string[] {
  if (answers.length === 0) {
    return ['not tried: no file system of this rig has one of its models, or is near to one'];
  }
  return answers.map(({ profile, instead, disks, sighting, message }) => {
    const which =
      instead.length === 0
        ? ''
        : `no kernel here has the model ${instead.join(', ')}; on ${profile}, which is near: `;
    if (sighting === null || message === null) {
      return `${which}not reproduced here on ${profile} (${disks} disks mounted)`;
    }
    const { position, inFlight, lost } = sighting;
    const kept = inFlight - lost.length;
    const gone = lost.map(({ offset, length }) => `${length} bytes at ${offset}`).join(', ');
    const writes = `${kept} of ${inFlight} block writes in flight kept`;
    const cut = `power cut after ${position} block-log entries, ${writes}`;
    return `${which}reproduced on ${profile}: ${message} (${cut}${gone === '' ? '' : `; lost ${gone}`})`;
  });
}
