/**
 * How `node-vfs.ts` makes a call: repeated when a signal interrupted it, and with the path in the
 * error. Not here: the calls themselves.
 */

import { errorCode } from './errno.ts';

/** What Node's callback interface calls at the end. */
export type Callback<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

/** One call on the thread pool, begun again as long as a signal interrupts it. */
export function retrying<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const done: Callback<T> = (error, value) => {
      if (error?.code === 'EINTR') start(done);
      else if (error) reject(error);
      else resolve(value as T);
    };
    start(done);
  });
}

/** As `retrying`, on the calling thread. */
export function retryingSync<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      // Every other error belongs to the caller.
      if (errorCode(error) !== 'EINTR') throw error;
    }
  }
}

/**
 * Calls on a descriptor fail without naming the file: the path is added for whoever reads the
 * message.
 */
export function withPath<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw named(error, path);
  }
}

/** The same error with the path in it, if it is a system error without one. */
export function named(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || errorCode(error) === undefined || 'path' in error) return error;
  error.message += ` '${path}'`;
  return Object.assign(error, { path });
}
