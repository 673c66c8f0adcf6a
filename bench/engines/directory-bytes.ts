/** What a directory takes on the disk. */

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of all blocks under a directory; 0 when it is missing. */
export function directoryBytes(directory: string): number {
  let bytes = 0;
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch {
    // Not made yet.
    return 0;
  }
  for (const name of names) {
    try {
      bytes += lstatSync(join(directory, name)).blocks * 512;
    } catch {
      // Removed meanwhile, by the store at work in it.
    }
  }
  return bytes;
}
