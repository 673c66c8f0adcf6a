/** The version of the package that these files belong to. */

import { readFileSync } from 'node:fs';

/** Whether they run from `dist` or from `build`; `unknown` where the package was taken apart. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), 'utf8');
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === 'holdfast' && version !== undefined) return version;
    } catch {
      // No package.json at this level: it is one further up.
    }
  }
  return 'unknown';
}
