/**
 * Which names of a recorded tree may become names in a real directory. Traces and crashed trees come from other
 * people: a name that leaves its directory is refused, never repaired.
 */

import { UsageError } from '../../base/errors.ts';

/**
 * Returns when `name` is one plain component of a path.
 * @throws UsageError `HOLDFAST_USAGE` for `''`, `.`, `..`, and names with `/`, NUL or (on Windows) `\` or `:`.
 */
export function requireSafeName(name: string, directory: string): void {
  if (isSafe(name)) return;
  const shown = JSON.stringify(name);
  const place = directory === '' ? 'the root' : JSON.stringify(directory);
  throw new UsageError(
    `the tree has the name ${shown} in ${place}: refused, it would leave the directory`,
  );
}

function isSafe(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false;
  if (name.includes('/') || name.includes('\0')) return false;
  if (process.platform !== 'win32') return true;
  return !name.includes('\\') && !name.includes(':');
}
