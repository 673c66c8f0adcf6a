/** The tutorial of docs/powercut.md, run exactly as it is written there. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { skipWithout } from '../support/powercut-needs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PAGE = fileURLToPath(new URL('../../../docs/powercut.md', import.meta.url));

it(
  'the tutorial finds the bug in its program and nothing in the repaired one',
  skipWithout('xfs', 'ext4'),
  (test) => {
    const directory = temporaryDirectory(test);
    const page = readFileSync(PAGE, 'utf8');
    for (const [, name = '', source = ''] of page.matchAll(/```js\n\/\/ (\S+)\n(.*?)```/gs)) {
      writeFileSync(join(directory, name), source);
    }
    const commands = [...page.matchAll(/```sh\n(npx holdfast .*?)```/gs)].map(
      ([, command]) => command,
    );
    assert.equal(commands.length, 3);
    const results = commands.map((command) => {
      const script = `npx() { shift; '${process.execPath}' '${MAIN}' "$@"; }\n${command}`;
      return spawnSync('sh', ['-c', script], { cwd: directory, encoding: 'utf8' });
    });
    const [broken, safe, unchecked] = results;
    assert.ok(broken !== undefined && safe !== undefined && unchecked !== undefined);
    assert.equal(broken.status, 1, broken.stderr);
    assert.match(broken.stdout, /FOUND settings\.json is empty/);
    assert.match(broken.stdout, /FOUND version 2 was promised, version 1 is there/);
    assert.equal(safe.status, 0, safe.stdout + safe.stderr);
    assert.match(safe.stdout, /nothing found/);
    assert.equal(unchecked.status, 1, unchecked.stdout + unchecked.stderr);
    assert.match(unchecked.stdout, /FOUND settings\.json: acknowledged content is gone/);
  },
);
