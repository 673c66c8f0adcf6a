/**
 * An oracle that knows nothing of the program: what recovery shows after a crash under any model must be
 * something that it also shows after some crash in which nothing was reordered. Otherwise the program relies on an
 * order that it only imagined. What was acknowledged is not looked at; that is for marks and other oracles.
 */

import { UsageError } from '../../base/errors.ts';
import type { Checker, CrashedDisk, Verdict } from './checker.ts';
import type { Dumper } from './process-dump.ts';

export interface RobustnessOracleOptions {
  readonly dumper: Dumper;
  /**
   * The disks of crashes in order (the `prefix` model), the undamaged first and last one among them. Gone through
   * once, by `prepare`; equal disks should come once.
   */
  readonly inOrderDisks: Iterable<CrashedDisk>;
}

/**
 * Tells a dump command that is itself wrong from one that can be compared. Returns when it succeeds on the
 * undamaged disks, and prints the same of the last one a second time.
 * @throws UsageError `HOLDFAST_USAGE` otherwise.
 */
export async function validateDumper(
  dumper: Dumper,
  firstDisk: CrashedDisk,
  lastDisk: CrashedDisk,
): Promise<void> {
  const first = await dumper.dump(firstDisk);
  const last = await dumper.dump(lastDisk);
  for (const { status, sample } of [first, last]) {
    if (status === 'exit 0') continue;
    const said = sample === '' ? '' : `: ${sample}`;
    throw new UsageError(
      `the dump command ${dumper.name} fails on an undamaged disk with ${status}${said}`,
    );
  }
  const again = await dumper.dump(lastDisk);
  if (again.key === last.key) return;
  throw new UsageError(
    `the dump command ${dumper.name} prints something else each time (a date, a path, a number of the process?)`,
  );
}

const PASSED: Verdict = { ok: true };

export class RobustnessOracle implements Checker {
  readonly name: string;
  readonly concurrency: number;
  readonly #dumper: Dumper;
  readonly #inOrderDisks: Iterable<CrashedDisk>;
  #outputs: Set<string> | null = null;
  #prepared: Promise<void> | null = null;

  constructor(options: RobustnessOracleOptions) {
    this.#dumper = options.dumper;
    this.#inOrderDisks = options.inOrderDisks;
    this.name = `robustness of ${options.dumper.name}`;
    this.concurrency = options.dumper.concurrency ?? 1;
  }

  get remembered(): number {
    return this.#dumper.remembered ?? 0;
  }

  get doubts(): readonly string[] {
    return this.#dumper.doubts ?? [];
  }

  /** How many different outputs crashes in order give; 0 before `prepare`. */
  get outputCount(): number {
    return this.#outputs?.size ?? 0;
  }

  /**
   * Learns what crashes in order show. Called by the first `check` where nobody did before.
   * @throws UsageError `HOLDFAST_USAGE` when the command cannot be started.
   */
  prepare(): Promise<void> {
    this.#prepared ??= this.#learn();
    return this.#prepared;
  }

  async check(disk: CrashedDisk): Promise<Verdict> {
    await this.prepare();
    const { key, status, sample } = await this.#dumper.dump(disk);
    if (this.#outputs?.has(key) === true) return PASSED;
    const how = status === 'exit 0' ? 'shows' : `ends with ${status} and shows`;
    const what = sample === '' ? 'nothing' : JSON.stringify(sample);
    return { ok: false, message: `recovery ${how} ${what}: no crash in order gives this output` };
  }

  async close(): Promise<void> {
    await this.#dumper.close?.();
  }

  async #learn(): Promise<void> {
    const outputs = new Set<string>();
    const running = new Set<Promise<void>>();
    for (const disk of this.#inOrderDisks) {
      const learned: Promise<void> = this.#learnFrom(disk, outputs).finally(() => {
        running.delete(learned);
      });
      running.add(learned);
      if (running.size >= this.concurrency) await Promise.race(running);
    }
    await Promise.all(running);
    if (outputs.size === 0) throw new UsageError('there is no crash in order to compare with');
    this.#outputs = outputs;
  }

  async #learnFrom(disk: CrashedDisk, outputs: Set<string>): Promise<void> {
    const { key, status } = await this.#dumper.dump(disk);
    if (status.startsWith('missing')) {
      throw new UsageError(`the dump command ${this.#dumper.name} cannot be started: ${status}`);
    }
    outputs.add(key);
  }
}
