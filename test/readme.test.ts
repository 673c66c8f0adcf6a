/**
 * The programs (`js`) and commands (`sh`) of these documents, run as written and in their order, in a directory for
 * each where the package is installed. The commands that install and build are run by `.ci/run`.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findSnippets } from './support/documents.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const guides = readdirSync(join(top, 'docs/guides'))
  .filter((name) => name !== 'index.md')
  .map((name) => `docs/guides/${name}`);
for (const document of [
  'README.md',
  'docs/lab.md',
  'docs/migrate-from-classic-level.md',
  ...guides,
]) {
  suite(document, () => runDocument(document));
}

function runDocument(document: string): void {
  const snippets = findSnippets(readFileSync(join(top, document), 'utf8')).filter(
    ({ language, text }) => language === 'js' || (language === 'sh' && !/^npm ci\b/.test(text)),
  );
  const commands = snippets.flatMap(({ language, text }) => (language === 'sh' ? [text] : []));
  let directory = '';

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-readme-'));
    const modules = join(directory, 'node_modules');
    mkdirSync(join(modules, '.bin'), { recursive: true });
    symlinkSync(top, join(modules, 'holdfast'));
    // What npm makes of `bin` at installation.
    const main = JSON.stringify(join(top, 'dist/cli/main.js'));
    const shim = `#!/bin/sh\nexec node ${main} "$@"\n`;
    writeFileSync(join(modules, '.bin/holdfast'), shim, { mode: 0o755 });
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
  });

  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('has programs to run', () => {
    assert.ok(snippets.some(({ language }) => language === 'js'));
  });

  for (const { language, text, line, fileName, exitCodes } of snippets) {
    test(`the ${language} block at line ${line} runs`, () => {
      const file = fileName ?? `line-${line}.mjs`;
      if (language === 'js') writeFileSync(join(directory, file), text);
      // A checker: the command that follows it runs it.
      if (text.includes('process.env.HOLDFAST_')) return;
      // The reader runs it with a command further down, and not before.
      if (language === 'js' && commands.some((command) => command.includes(`node ${file}`))) return;
      const [program, args] =
        language === 'js' ? [process.execPath, [file]] : ['bash', ['-euo', 'pipefail', '-c', text]];
      const { status, stdout, stderr } = spawnSync(program, args, {
        cwd: directory,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
      assert.ok(exitCodes.includes(status ?? -1), `exit code ${status}\n${stdout}${stderr}`);
    });
  }
}
