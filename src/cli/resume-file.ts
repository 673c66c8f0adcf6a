/** `--resume FILE`: what a run of `explore` or `check` came to is kept there, and the next one goes on with it. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { UsageError } from '../base/errors.ts';
import { writeFile } from '../durable/atomic-write-file.ts';
import type { ExploredPart } from '../lab/explore/explored-part.ts';
import { decodeExplored, encodeExplored, type ExploredSubject } from '../lab/explored-trace.ts';
import type { LabResult } from '../lab/lab-run.ts';
import type { CrashModel } from '../lab/model/crash-model.ts';

export class ResumeFile {
  /** As the user named it. */
  readonly name: string;
  readonly #path: string;
  readonly #subject: ExploredSubject;

  constructor(name: string, cwd: string, subject: ExploredSubject) {
    this.name = name;
    this.#path = resolve(cwd, name);
    this.#subject = subject;
  }

  /** What earlier runs came to, by model; empty where there is no file yet. @throws UsageError */
  read(models: readonly CrashModel[]): Map<string, ExploredPart> {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
      throw new UsageError(`--resume ${this.name} cannot be read: ${String(error)}`);
    }
    return decodeExplored(text, this.#subject, models, this.name);
  }

  /** When it resolves, this run and those before it are in the file, durably. */
  async write(result: LabResult): Promise<void> {
    const parts = result.runs.flatMap(({ exploration: { model, part } }) =>
      part === null ? [] : [{ model, part }],
    );
    await writeFile(this.#path, encodeExplored(this.#subject, parts));
  }
}
