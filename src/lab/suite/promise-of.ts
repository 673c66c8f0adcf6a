/**
 * Whether somebody's function has to be waited for. Not `instanceof Promise` alone: test runners that load modules
 * into a context of their own have another `Promise`, and what is not waited for would pass.
 */

/** The promise to wait for; null for a value that is there. */
export function promiseOf<T>(value: T | PromiseLike<T>): Promise<T> | null {
  if (value instanceof Promise) return value as Promise<T>;
  return isThenable(value) ? Promise.resolve(value) : null;
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  const holds = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return holds && 'then' in value && typeof value.then === 'function';
}
