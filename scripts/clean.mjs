/** Removes what the compiler wrote: `dist` and `build`, or only the folders named. */

import { rmSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folders = process.argv.length > 2 ? process.argv.slice(2) : ['dist', 'build'];
for (const folder of folders) {
  const path = fileURLToPath(new URL(`../${folder}`, import.meta.url));
  rmSync(path, { recursive: true, force: true });
}
