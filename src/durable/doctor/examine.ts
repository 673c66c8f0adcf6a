/**
 * The doctor's entry: a directory in, facts and answer out. The only place that decides by platform.
 */

import { currentRuntime } from '../sync-table.ts';
import { assessPlace, type DoctorAnswer } from './assess-place.ts';
import { macPlace, windowsPlace } from './foreign-place.ts';
import { judgeMeasurement } from './judge-flush.ts';
import { linuxPlace } from './linux-place.ts';
import { measureSyncs, type MeasureOptions, type Measurement } from './measure-syncs.ts';
import type { PlaceFacts } from './place-facts.ts';
import { systemReader, type SystemReader } from './system-reader.ts';

/** Where the facts come from; a test gives its own. */
export interface ExamineSources {
  /** As in `process.platform`. Default: this machine's. */
  readonly platform?: string;
  readonly reader?: SystemReader;
  /** What `/sbin/mount` prints on macOS; without it the volume's type is not known there. */
  readonly mountText?: string | null;
}

/** What a directory is on and what that means. */
export interface Examination {
  readonly facts: PlaceFacts;
  readonly answer: DoctorAnswer;
  /** Null unless it was asked for. */
  readonly measurement: Measurement | null;
}

/** `directory` is absolute and without links. Reads a few files of `/proc` and `/sys`, writes nothing. */
export function examine(directory: string, sources: ExamineSources = {}): Examination {
  const facts = gatherFacts(directory, sources);
  return { facts, answer: assessPlace(facts), measurement: null };
}

/** `examination` with figures, and judged again with what they say. Writes in the directory; see `measureSyncs`. */
export async function examineByMeasuring(
  { facts }: Examination,
  options: MeasureOptions = {},
): Promise<Examination> {
  const measurement = await measureSyncs(facts.directory, options);
  return { facts, answer: assessPlace(facts, judgeMeasurement(facts, measurement)), measurement };
}

function gatherFacts(directory: string, sources: ExamineSources): PlaceFacts {
  const { platform = process.platform, reader = systemReader, mountText = null } = sources;
  switch (platform) {
    case 'linux':
    case 'android':
      return linuxPlace(reader, directory);
    case 'darwin':
      return macPlace(directory, mountText, currentRuntime());
    case 'win32':
      return windowsPlace(directory, null, currentRuntime());
    default:
      return { platform: 'other', directory, name: platform };
  }
}
