/**
 * The doctor's answer for programs. The form is documented in `docs/doctor.md`; a field is added without a new
 * version, but never changes its meaning or goes.
 */

import type { DoctorAnswer } from './assess-place.ts';
import { describeDevices, describeFileSystem } from './describe-place.ts';
import { pageOf, type Judged } from './doctor-answer.ts';
import type { Examination } from './examine.ts';
import type { PlaceFacts } from './place-facts.ts';
import type { Measurement } from './measure-syncs.ts';

/** Version 1 of the JSON form. */
export interface DoctorJson {
  readonly format: 'holdfast-doctor';
  readonly version: 1;
  readonly directory: string;
  readonly verdict: DoctorAnswer['verdict'];
  readonly model: DoctorAnswer['model'];
  /** The same words as in the text form. */
  readonly fileSystem: string;
  readonly devices: readonly string[];
  readonly claims: JudgedJson;
  readonly policies: JudgedJson;
  readonly promises: JudgedJson;
  readonly reasons: readonly (DoctorAnswer['reasons'][number] & { readonly see: string })[];
  readonly notes: readonly (DoctorAnswer['notes'][number] & { readonly see: string })[];
  /** Everything the answer rests on, as it was read. */
  readonly facts: PlaceFacts;
  /** Only with `--measure`. */
  readonly measurement?: Measurement;
}

/** By id: the verdict, and the ids of the reasons for it. */
export type JudgedJson = Readonly<
  Record<string, { readonly verdict: string; readonly reasons: readonly string[] }>
>;

/** Plain data, ready for `JSON.stringify`. */
export function doctorJson({ facts, answer, measurement }: Examination): DoctorJson {
  return {
    format: 'holdfast-doctor',
    version: 1,
    directory: facts.directory,
    verdict: answer.verdict,
    model: answer.model,
    fileSystem: describeFileSystem(facts),
    devices: describeDevices(facts),
    claims: byId(answer.claims),
    policies: byId(answer.policies),
    promises: byId(answer.promises),
    reasons: answer.reasons.map((one) => ({ ...one, see: pageOf(one.id) })),
    notes: answer.notes.map((one) => ({ ...one, see: pageOf(one.id) })),
    facts,
    ...(measurement === null ? {} : { measurement }),
  };
}

function byId(judged: readonly Judged<string>[]): JudgedJson {
  return Object.fromEntries(judged.map(({ id, verdict, reasons }) => [id, { verdict, reasons }]));
}
