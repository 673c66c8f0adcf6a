/** What to do when a store cannot be opened, behind what the engine says. */

import { errorCode } from '../vfs/errno.ts';

const ADVICE: Readonly<Record<string, string>> = {
  HOLDFAST_CORRUPTION: 'repair the store, or restore a copy',
  HOLDFAST_MISSING: 'look at the path, or open it with createIfMissing',
  HOLDFAST_EXISTS: 'name another directory, or open it without errorIfExists',
};

/** The result of opening. What it throws says what to do, once. */
export async function withAdvice<T>(opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    const advice = ADVICE[errorCode(error) ?? ''];
    if (advice === undefined || !(error instanceof Error)) throw error;
    if (!/repair|restore/.test(error.message)) error.message += `: ${advice}`;
    throw error;
  }
}
