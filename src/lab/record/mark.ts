/**
 * How a program tells the laboratory what it has told the outside world. Without a recorder or a rig it does
 * nothing, so it may stay in a program. A line on standard output is the same for programs that cannot call this.
 */

import { markAtRig } from './rig-mark.ts';

/** Where a recorder in the same thread puts its hook. */
const HOOK: unique symbol = Symbol.for('holdfast.mark') as typeof HOOK;

type MarkHook = (text: string) => void;

/**
 * Says "this has been promised": whatever a crash leaves after this call must be consistent with `text`, which
 * the checker gets. Call it after the promise is true, not before.
 */
export function mark(text: string): void {
  if (typeof text !== 'string') throw new TypeError('mark takes a string');
  const hook: unknown = Reflect.get(globalThis, HOOK);
  if (typeof hook === 'function') (hook as MarkHook)(text);
  else markAtRig(text);
}

/** Makes `mark` call a recorder; gives back what undoes it. Not for programs. */
export function setMarkHook(hook: MarkHook): () => void {
  const before: unknown = Reflect.get(globalThis, HOOK);
  Reflect.set(globalThis, HOOK, hook);
  return () => {
    Reflect.set(globalThis, HOOK, before);
  };
}
