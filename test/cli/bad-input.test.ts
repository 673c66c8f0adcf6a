/**
 * Bad input to every command, as a user meets it: one clear line that names the thing, exit code 2, nothing left in
 * the directory for temporary files, and never a word that sounds like a pass.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-bad-input-'));
  for (const folder of ['root', 'temporary']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'root/file'), 'old');
  writeFileSync(join(directory, 'plain'), 'no directory');
  symlinkSync('loop', join(directory, 'loop'));
  writeFileSync(join(directory, 'no-trace'), 'no trace');
  writeFileSync(join(directory, 'empty'), '');
  writeFileSync(join(directory, 'fails.mjs'), 'process.exit(7);\n');
  writeFileSync(
    join(directory, 'good.mjs'),
    `import { writeFileSync } from 'node:fs';\nwriteFileSync('root/file', 'new');\n`,
  );
  holdfast('record --root root -o trace -- node good.mjs');
  const lines = readFileSync(join(directory, 'trace'), 'utf8').split('\n');
  writeFileSync(join(directory, 'cut'), lines.slice(0, -3).join('\n'));
  writeFileSync(join(directory, 'damaged'), lines.join('\n').replace('"write"', '"wrote"'));
  writeFileSync(join(directory, 'other-version'), lines.join('\n').replace(/:1\b/, ':99'));
});

after(() => {
  rmSync(directory, { recursive: true, force: true });
});

function holdfast(words: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...words.split(' ')], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: join(directory, 'temporary') },
  });
}

/** Words, and what the one line must say. */
const CASES: readonly (readonly [words: string, says: RegExp])[] = [
  ['models ext5', /unknown model "ext5"/],
  ['doctor missing', /cannot read \S*missing: there is no such directory/],
  ['doctor plain', /plain is not a directory/],
  // An empty word, as of a shell variable that is not set.
  ['compact ', /an argument is empty/],
  ['backup root ', /an argument is empty/],
  ['stats plain', /plain is a file, and a store is a directory \(HOLDFAST_MISSING\)/],
  ['stats missing', /missing does not exist \(HOLDFAST_MISSING\)/],
  ['stats loop', /loop' \(ELOOP\)$/m],
  ['backup loop copy', /loop' \(ELOOP\)$/m],
  ['verify loop', /loop' \(ELOOP\)$/m],
  ['verify missing', /cannot read \S*missing: .* \(HOLDFAST_MISSING\)$/m],
  ['dump missing', /\(HOLDFAST_MISSING\)$/m],
  ['record --root root -o loop -- node good.mjs', /loop' \(ELOOP\)$/m],
  ['doctor . .', /unexpected argument '\.'/],
  ['record -o made -- node good.mjs', /--root is missing/],
  ['record --root root -- node good.mjs', /-o|--output/],
  ['record --root root -o made', /the program to run is missing: put it after --/],
  ['record --root missing -o made -- node good.mjs', /missing/],
  ['record --root plain -o made -- node good.mjs', /plain/],
  ['record --root root -o missing/trace -- node good.mjs', /missing\/trace/],
  ['record --root root -o made -- no-such-program', /no-such-program/],
  ['record --root root -o made -- node missing.mjs', /missing\.mjs|exit code/],
  ['record --root root -o made -- node fails.mjs', /exit code 7|exited with 7|code 7/],
  ['check --root missing -- node good.mjs', /missing/],
  ['check --root root --model ext5 -- node good.mjs', /unknown model "ext5"/],
  ['check --root root --check no-such-checker -- node good.mjs', /no-such-checker/],
  ['check --root root --budget many -- node good.mjs', /--budget takes a number/],
  ['check --root root --check true --dump true -- node good.mjs', /exclude each other/],
  ['check --root root --check false -- node good.mjs', /the checker false .* undamaged disk/],
  ['check --root root --setup false -- node good.mjs', /the set-up command failed/],
  ['check --root absent --setup true -- node good.mjs', /absent cannot be recorded: ENOENT/],
  ['check --root root -- node fails.mjs', /exit code 7/],
  // Told before the program runs, which would say something else.
  ['check --root root --html absent/a.html -- node fails.mjs', /absent\/a\.html cannot be written/],
  ['audit --root root --html absent/a.html -- node fails.mjs', /absent\/a\.html cannot be written/],
  ['explore missing', /missing cannot be opened/],
  ['explore no-trace', /no-trace is not a Holdfast trace/],
  ['explore empty', /empty is not a Holdfast trace/],
  ['explore cut', /cut/],
  ['explore damaged', /damaged/],
  ['explore other-version', /other-version.*version/],
  ['explore trace --model x', /unknown model "x"/],
  ['explore trace --budget none', /--budget/],
  ['replay nonsense --trace trace', /"nonsense" is not a replay token/],
  ['powercut --fs ext9 --check true -- true', /unknown file system 'ext9'/],
];

suite('bad input', () => {
  for (const [words, says] of CASES) {
    test(`holdfast ${words}`, () => {
      const { status, stdout, stderr } = holdfast(words);
      const output = `${stdout}${stderr}`;
      assert.equal(status, 2, output);
      assert.match(stderr, says);
      // What comes before it can only be what the program itself printed.
      assert.match(stderr, /(?:^|\n)holdfast \w+: [^\n]+\n$/, 'our line is the last');
      assert.equal(stderr.match(/^holdfast/gm)?.length, 1, 'one line is ours');
      assert.doesNotMatch(output, /internal error|passed|nothing found/i);
      assert.deepEqual(readdirSync(join(directory, 'temporary')), [], 'temporary files are left');
    });
  }
});
