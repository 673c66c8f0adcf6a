/**
 * Paths taken apart and put together without the shortening that `node:path` does: `link/../name`
 * is beside the link's target, and must stay so. Cheap, since it runs at every replacement.
 */

import { dirname, sep } from 'node:path';

/** `name` in `directory`. */
export function inDirectory(directory: string, name: string): string {
  return directory.endsWith(sep) || directory.endsWith('/')
    ? directory + name
    : directory + sep + name;
}

/** The directory part and the last part of a path that does not end in a separator. */
export function splitPath(path: string): { readonly directory: string; readonly name: string } {
  const at =
    sep === '/' ? path.lastIndexOf('/') : Math.max(path.lastIndexOf('/'), path.lastIndexOf(sep));
  // The forms without a directory part, and drive letters, are for `node:path`.
  const directory = at > 0 && sep === '/' ? path.slice(0, at) : dirname(path);
  return { directory, name: path.slice(at + 1) };
}
