/**
 * Verifying a store that another process may be writing: files are read one after the other, and
 * what two of them say of different moments may look like damage. Damage lasts, so what is reported
 * is what every look finds. Not here: what is looked at, which is the engine's to know.
 */

import type { Damage, Progress, ProgressOptions, VerifyReport } from '../engine/engine-reports.ts';

/** After so many looks, what all of them found is damage however the rest of it changes. */
const LOOKS_MAX = 6;

/**
 * What `look` finds, where it finds damage twice over: until two looks find the same, or nothing
 * is left that all of them found. So a store that nobody writes is read twice where it is damaged,
 * and once where it is not.
 */
export async function settledReport(
  look: (options: ProgressOptions) => Promise<VerifyReport>,
  options: ProgressOptions = {},
): Promise<VerifyReport> {
  const progress = onwards(options);
  let report = await look(progress.options);
  let lasting = report.damage;
  for (let looks = 1; lasting.length > 0 && looks < LOOKS_MAX; looks++) {
    const before = new Set(report.damage.map(textOf));
    progress.again();
    report = await look(progress.options);
    const now = new Set(report.damage.map(textOf));
    lasting = lasting.filter((each) => now.has(textOf(each)));
    if (now.size === before.size && [...now].every((each) => before.has(each))) break;
  }
  return { ...report, sound: lasting.length === 0, damage: lasting };
}

function textOf({ path, offset, message }: Damage): string {
  return JSON.stringify([path, offset ?? null, message]);
}

/** Options whose reports go on where those of the look before ended: progress never goes back. */
function onwards({ onProgress, signal }: ProgressOptions): {
  readonly options: ProgressOptions;
  again(): void;
} {
  let before = 0;
  let done = 0;
  const shown = (progress: Progress): void => {
    done = before + progress.done;
    onProgress?.({ ...progress, done, total: before + progress.total });
  };
  return {
    options: { onProgress: onProgress && shown, signal },
    again: () => {
      before = done;
    },
  };
}
