/** Which files this process has open, as Linux lists them. */

import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a directory that this process has open. */
export function openIn(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', name));
      return path.startsWith(directory) ? [path] : [];
    } catch {
      // The listing's own descriptor, which is closed by now.
      return [];
    }
  });
}
