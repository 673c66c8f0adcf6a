/**
 * The crash states that lead to one disk: the first is of the workload's trace, each further one of the trace of
 * the recovery from the disk before. As text, states with a slash between them.
 */

import { decodeState, encodeState, type CrashState } from '../explore/crash-state.ts';

/** One printable word. */
export function encodeStatePath(states: readonly CrashState[]): string {
  return states.map(encodeState).join('/');
}

/** @throws UsageError when the text is no list of states. */
export function decodeStatePath(text: string): CrashState[] {
  return text.split('/').map(decodeState);
}
