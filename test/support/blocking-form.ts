/**
 * The blocking calls of a vfs in the dress of the asynchronous ones, so that one test tries both
 * forms.
 */

import type { Vfs } from '../../src/vfs/vfs.ts';

/** A vfs (and its handles) of which `x()` calls `xSync()`. */
export function blockingForm(vfs: Vfs): Vfs {
  return dressed(vfs);
}

function dressed<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key): unknown {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof key !== 'string' || typeof value !== 'function') return value;
      const blocking: unknown = Reflect.get(object, `${key}Sync`, object);
      if (typeof blocking !== 'function') return value;
      return async (...values: unknown[]): Promise<unknown> => {
        const result: unknown = Reflect.apply(blocking, object, values);
        return isHandle(result) ? dressed(result) : result;
      };
    },
  });
}

function isHandle(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'closeSync' in value;
}
