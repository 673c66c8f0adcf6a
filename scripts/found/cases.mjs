/** The cases of examples/found: their names, what case.json says, and a digest of all that decides of a result. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const top = fileURLToPath(new URL('../..', import.meta.url));
const directory = join(top, 'examples/found');

export function caseNames() {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** What case.json says, with the name and the files of the directory. */
export function readCase(id) {
  const path = join(directory, id);
  const said = JSON.parse(readFileSync(join(path, 'case.json'), 'utf8'));
  const files = readdirSync(path)
    .filter((name) => name !== 'case.json')
    .toSorted();
  return { ...said, id, path, files };
}

/** Equal for results that would come of the same run: texts about the promise and the findings do not count. */
export function recipeOf(one) {
  const programs = one.files.map((name) => [name, readFileSync(join(one.path, name), 'utf8')]);
  const asked = [one.npm ?? {}, one.debian ?? {}, one.check, programs];
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 16);
}
