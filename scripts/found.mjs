/**
 * Runs programs that nobody here wrote through `holdfast check --confirm` and writes docs/found.md:
 * `npm run found -- [--fresh] [--no-confirm] [--page] [NAME…]`. Each directory of examples/found has one of them:
 * case.json says what it is, what its documentation promises and what is run. It is installed and run in
 * build/found/NAME, and what came of it is kept in docs/found/NAME.json: a case whose recipe did not change since is not
 * run again, so an interrupted run goes on where it was. `--fresh` runs all again, `--page` writes the page only.
 * As root where a finding is to be confirmed, or a Debian package is missing.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { wrongUse } from './entry-words.mjs';
import { caseNames, readCase, recipeOf, top } from './found/cases.mjs';
import { install } from './found/install.mjs';
import { foundPage, notExamined } from './found/page.mjs';
import { runCase } from './found/run-case.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fresh: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
    'no-confirm': { type: 'boolean', default: false },
  },
});

const all = caseNames();
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  wrongUse(`no such case: ${unknown.join(', ')}; there are ${all.join(', ')}`);
}
const confirm = !values['no-confirm'] && process.getuid?.() === 0;
const resultFile = (name) => join(top, 'docs/found', `${name}.json`);

function isDone(name) {
  if (values.fresh || !existsSync(resultFile(name))) return false;
  const result = JSON.parse(readFileSync(resultFile(name), 'utf8'));
  return result.recipe === recipeOf(readCase(name));
}

const failed = [];
const wanted = values.page ? [] : positionals.length > 0 ? positionals : all;
for (const [index, name] of wanted.entries()) {
  const place = `${index + 1}/${wanted.length} ${name}`;
  if (isDone(name)) {
    console.log(`${place}: is there, with the same recipe`);
    continue;
  }
  const one = readCase(name);
  console.log(`${place}: ${one.name}`);
  try {
    const versions = install(one);
    const result = runCase(one, versions, confirm);
    writeFileSync(resultFile(name), `${JSON.stringify(result, null, 2)}\n`);
    const count = result.findings.length;
    console.log(`${place}: ${result.verdict}, findings: ${count}, ${result.seconds} s`);
  } catch (error) {
    failed.push(name);
    console.error(`${place}: ${error.message}`);
  }
}

const results = all
  .filter((name) => existsSync(resultFile(name)))
  .map((name) => ({
    one: readCase(name),
    result: JSON.parse(readFileSync(resultFile(name), 'utf8')),
  }));
const page = join(top, 'docs/found.md');
writeFileSync(page, foundPage(readFileSync(page, 'utf8'), results));
const prettier = join(top, 'node_modules/prettier/bin/prettier.cjs');
execFileSync('node', [prettier, '--log-level=warn', '--write', page, join(top, 'docs/found')]);

const open = results.flatMap(notExamined);
for (const text of open) console.error(`found: not examined: ${text}`);
if (open.length > 0) process.exitCode = 1;
if (failed.length > 0) {
  console.error(`found: did not run: ${failed.join(', ')}`);
  process.exitCode = 1;
}
