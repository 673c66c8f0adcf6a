/** What the commands on a store that they open share: opening it as it is, and saying what that cut off. */

import { relative } from 'node:path';

import type { RecoveryReport } from '../engine/engine-reports.ts';
import type { Engine } from '../engine/engine.ts';
import { withAdvice } from '../level/advice.ts';
import { storeAt } from '../level/store-places.ts';
import type { CommandContext } from './command.ts';
import { counted, printable } from './output.ts';

/**
 * Opens the store in a directory, works on it and closes it, also where the work fails. Makes nothing where no store
 * is.
 * @throws HOLDFAST_MISSING; what opening, the work and closing throw
 */
export async function withStore<Result>(
  directory: string,
  work: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const { kind } = await storeAt(directory);
  const engine = await withAdvice(kind.open(directory, { createIfMissing: false }));
  let result: Result;
  try {
    result = await work(engine);
  } catch (error) {
    // What went wrong first is what counts: closing says it again.
    await engine.close().catch(() => undefined);
    throw error;
  }
  await engine.close();
  return result;
}

/** What opening cut off, as lines. Paths are shown from the working directory. */
export function droppedLines({ dropped }: RecoveryReport, { cwd }: CommandContext): string[] {
  return dropped.map(({ path, offset, bytes, reason }) =>
    printable(`cut ${relative(cwd, path)}:${offset} ${counted(bytes, 'byte')}: ${reason}`),
  );
}

/** The same for `--json`. */
export function droppedJson({ dropped }: RecoveryReport, { cwd }: CommandContext): object[] {
  return dropped.map((each) => ({ ...each, path: relative(cwd, each.path) }));
}

/** `relative`, and `.` for the working directory itself. */
export function shownPath(path: string, { cwd }: CommandContext): string {
  return relative(cwd, path) || '.';
}

/** Bytes for people: `12,345,678 bytes`. */
export function shownBytes(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes.toLocaleString('en-US')} bytes`;
}
