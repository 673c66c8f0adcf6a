/**
 * The main job on real programs: each one replaces a real JSON file, is recorded, and every disk that a power cut
 * could leave is checked. `npm start` takes the programs of examples/atomic-save; `npm start -- FILE…` takes
 * yours (each runs in a directory that holds settings.json). The exit code is 0 when the lab could do its work,
 * whatever it found: what it finds is the result.
 */

import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import {
  callersText,
  DEFAULT_MODELS,
  groupFindings,
  modelByName,
  OldOrNewOracle,
  placeText,
  recordProgram,
  runLab,
} from 'holdfast/lab';
import { wrongUse } from './entry-words.mjs';

const top = fileURLToPath(new URL('..', import.meta.url));
const SETTINGS = `${JSON.stringify({ theme: 'light', version: 1, recent: ['a.txt', 'b.txt'] })}\n`;

const examples = ['with-write-file-atomic', 'with-atomically', 'with-holdfast'];
const { positionals } = parseArgs({ allowPositionals: true });
const given = positionals.map((file) => resolve(file));
const missing = given.find((file) => !existsSync(file));
if (missing !== undefined) wrongUse(`there is no ${missing}`);
const programs =
  given.length > 0 ? given : examples.map((name) => join(top, `examples/atomic-save/${name}.mjs`));

/** @returns the trace of one program that found SETTINGS in its directory. */
async function record(program) {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'holdfast-start-'));
  try {
    writeFileSync(join(directory, 'settings.json'), SETTINGS);
    return await recordProgram({
      root: directory,
      command: ['node', program],
      cwd: directory,
      output: 'ignore',
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function pad(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What the first failing disk of a model shows, without the file's name in front. */
function loss({ findings, exploration }) {
  const states = exploration.rawStates === null ? 'too many' : String(exploration.rawStates);
  const shows = [...new Set(findings.map(({ message }) => message.replace(/^[^:]*: /, '')))];
  const found = shows.length > 0 ? shows.join('; ') : 'nothing can be lost';
  const checked = `${exploration.distinct} disks of ${states} states`;
  return [checked, exploration.complete ? found : `${found} (walk cut)`];
}

const models = ['prefix', ...DEFAULT_MODELS].map(modelByName);
const rows = [['program', 'model', 'checked', 'what can be lost']];
const findings = [];
for (const program of programs) {
  const trace = await record(program);
  const result = await runLab(trace, { models, checker: new OldOrNewOracle(trace) });
  result.runs.forEach((run, index) => {
    const name = index === 0 ? basename(program) : '';
    rows.push([name, run.exploration.model.name, ...loss(run)]);
  });
  for (const finding of groupFindings(result)) findings.push({ program, finding });
  for (const what of result.unmodelled) findings.push({ program, what });
}

console.log('Every disk that a power cut could leave while a program replaces settings.json:\n');
console.log(pad(rows));
for (const { program, finding, what } of findings) {
  console.log(`\n${basename(program)}`);
  if (finding === undefined) {
    console.log(`  not modelled: ${what}`);
    continue;
  }
  const { sync, crashAfter, message, proof } = finding.example;
  const place = sync === null ? crashAfter : sync.after;
  const title =
    sync === null
      ? 'no sync can repair this: write a new file, sync it and rename it'
      : `missing: ${sync.call} of the ${sync.of} ${sync.path}`;
  console.log(`  ${title}`);
  if (place !== null) {
    const callers = callersText(place, process.cwd());
    console.log(`  after:   ${placeText(place, process.cwd()) ?? '?'}  (${place.what})`);
    if (callers !== '') console.log(`  called:  ${callers}`);
  }
  console.log(`  shows:   ${message}`);
  console.log(`  models:  ${finding.models.join(', ')}`);
  if (proof?.complete) {
    console.log(`  proof:   with it added, ${proof.distinct} disks, none fails`);
  }
}
