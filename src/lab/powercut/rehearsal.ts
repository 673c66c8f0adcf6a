/**
 * A rehearsal: the program runs once, recorded, in a plain directory beside the rig, so that an oracle that needs no
 * checker knows what it does. On the rig it runs again; what it says there is compared with what it said here
 * (`MarkCounter`), since an oracle is worth nothing for a program that does something else each time.
 */

import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import process from 'node:process';

import { UsageError } from '../../base/errors.ts';
import { runCommand } from '../check/process-run.ts';
import type { MarkOperation, Trace } from '../record/operation.ts';
import { recordProgram } from '../record/record-program.ts';
import { guardRehearsal, REHEARSAL_VARIABLE } from './rehearsal-guard.ts';
import { asUser, PROGRAM_MS_MAX, resolveUser, type RigUser } from './rig-program.ts';
import type { RigOptions } from './rig.ts';
import { makeWorkDirectory } from './work-directory.ts';

export interface RehearsalOptions extends Pick<RigOptions, 'setup' | 'user' | 'cwd'> {
  readonly program: readonly string[];
  /** How it is recorded; Node programs with their lines and marks, everything else through strace by default. */
  readonly via?: 'node' | 'strace';
  readonly signal?: AbortSignal;
}

/** @throws {UsageError} when set-up or program fail, or cannot be recorded. Nothing is left behind. */
export async function rehearse(options: RehearsalOptions): Promise<Trace> {
  const user = options.user === undefined ? null : resolveUser(options.user);
  // Named after this process, so that the next rig sweeps it if this one is killed.
  const place = makeWorkDirectory();
  const end = guardRehearsal(place);
  const env = (root: string): NodeJS.ProcessEnv => ({
    ...process.env,
    HOLDFAST_ROOT: root,
    [REHEARSAL_VARIABLE]: place,
  });
  try {
    const root = join(place, 'root');
    mkdirSync(root);
    chmodSync(root, 0o755);
    if (user !== null) chownSync(root, user.uid, user.gid);
    if (options.setup !== undefined) await runSetup(options.setup, root, env(root), user);
    const [name = '', ...words] = options.program;
    const file = name.includes('/') ? resolve(options.cwd ?? '/', name) : name;
    const isNode = user === null && basename(name) === 'node';
    const { signal } = options;
    return await recordProgram({
      root,
      command: [...asUser(user), file, ...words],
      via: options.via ?? (isNode ? 'node' : 'strace'),
      cwd: root,
      env: env(root),
      tracePath: join(place, 'trace'),
      output: 'ignore',
      secondsMax: PROGRAM_MS_MAX / 1000,
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    await end();
  }
}

async function runSetup(
  setup: string,
  root: string,
  environment: NodeJS.ProcessEnv,
  user: RigUser | null,
): Promise<void> {
  const { outcome, exitCode, detail, lastLine } = await runCommand({
    command: [...asUser(user), '/bin/sh', '-c', setup],
    directory: root,
    environment,
    timeLimitMs: PROGRAM_MS_MAX,
  });
  if (outcome === 'exit' && exitCode === 0) return;
  const why = outcome === 'exit' ? `exit code ${exitCode}` : `${outcome} ${detail}`;
  throw new UsageError(`the set-up command failed (${why})${lastLine && `: ${lastLine}`}`);
}

/** Which of the recorded marks a list of marks of the rig stands for. */
export class MarkCounter {
  readonly #recorded: readonly MarkOperation[];

  constructor(recorded: readonly MarkOperation[]) {
    this.#recorded = recorded;
  }

  /**
   * The longest start of the recorded marks that had certainly been given: lines of output reach the rig late, so
   * that the two kinds are counted apart.
   */
  upTo(noted: readonly MarkOperation[]): readonly MarkOperation[] {
    const left = { stdout: textOf(noted, 'stdout').length, mark: 0, exit: 0 };
    for (const { source } of noted) if (source !== 'stdout') left[source] += 1;
    let count = 0;
    for (const { source, text } of this.#recorded) {
      left[source] -= source === 'stdout' ? text.length : 1;
      if (left[source] < 0) break;
      count += 1;
    }
    return this.#recorded.slice(0, count);
  }

  /** @throws {UsageError} when a whole run did not say what was recorded. */
  requireSame(noted: readonly MarkOperation[]): void {
    for (const source of ['stdout', 'mark'] as const) {
      const [before, now] = [this.#recorded, noted].map((marks) => textOf(marks, source));
      if (before === now) continue;
      throw new UsageError(
        'the program says something else each time it runs: the built-in oracles cannot judge it; give --check',
      );
    }
  }
}

function textOf(marks: readonly MarkOperation[], source: MarkOperation['source']): string {
  const ends = source === 'mark' ? '\0' : '';
  return marks.map((mark) => (mark.source === source ? `${mark.text}${ends}` : '')).join('');
}
