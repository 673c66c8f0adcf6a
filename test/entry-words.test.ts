/** What the programs of `npm run` say when they are asked for help or used wrongly: a line, and nothing begins. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const LOADED = /node --import \.\/scripts\/entry-words\.mjs (\S+)$/;
/** Those that people start with words of their own. */
const programs = Object.entries(scripts).filter(([name]) =>
  /^(?:bench|prove|models):|^(?:found|start|test:gigabytes)$/.test(name),
);

function run(program: string, ...words: string[]): { status: number | null; said: string } {
  const args = ['--import', './scripts/entry-words.mjs', program, ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: top,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, said: `${stdout}${stderr}` };
}

for (const [name, command] of programs) {
  test(`npm run ${name} hands its words to the program, which answers for them`, () => {
    assert.match(command, LOADED);
  });
}

for (const name of ['found', 'start', 'models:kernels', 'bench:append-file', 'bench:wal']) {
  const program = LOADED.exec(scripts[name] ?? '')?.[1] ?? '';

  test(`npm run ${name} -- --nonsense is one line and exit code 2`, () => {
    const { status, said } = run(program, '--nonsense');
    assert.match(said, /^[\w-]+: unknown option '--nonsense' \(--help says what there is\)\n$/);
    assert.equal(status, 2);
  });
}

test('npm run found -- --help says what there is', () => {
  const { status, said } = run('scripts/found.mjs', '--help');
  assert.match(said, /^Runs programs [^]*npm run found -- \[--fresh\]/);
  assert.equal(status, 0);
});

for (const [program, word, line] of [
  ['scripts/found.mjs', 'nobody', /^found: no such case: nobody; there are \w[^\n]*\n$/],
  ['scripts/start.mjs', 'nobody.mjs', /^start: there is no \S*nobody\.mjs\n$/],
  ['scripts/models-kernels.mjs', 'ext9', /^models-kernels: no such file system: ext9; [^\n]*\n$/],
  ['scripts/models-kernels.mjs', '--runs=x', /^models-kernels: --runs takes a number, not 'x'\n$/],
] as const) {
  test(`node ${program} ${word} is one line and exit code 2`, () => {
    const { status, said } = run(program, word);
    assert.match(said, line);
    assert.equal(status, 2);
  });
}
