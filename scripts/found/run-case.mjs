/** Runs one case, and makes of the report what is kept of it: no stacks, no numbers of operations. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

import { recipeOf, top } from './cases.mjs';
import { placeOf } from './install.mjs';

const holdfast = join(top, 'dist/cli/main.js');

export function runCase(one, versions, confirm) {
  const start = performance.now();
  const options = `--json ${confirm ? '--confirm ' : ''}${one.check}`;
  const ran = spawnSync('sh', ['-c', `node '${holdfast}' check ${options}`], {
    cwd: placeOf(one),
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 30,
  });
  const text = String(ran.stdout);
  const begin = text.indexOf('{\n  "format"');
  if (begin === -1) throw new Error(`no report, exit code ${ran.status}: ${text.slice(-500)}`);
  const report = JSON.parse(text.slice(begin));
  return {
    case: one.id,
    recipe: recipeOf(one),
    versions,
    holdfast: JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')).version,
    node: process.version,
    kernel: release(),
    command: `holdfast check ${confirm ? '--confirm ' : ''}${one.check}`,
    seconds: Math.round((performance.now() - start) / 1000),
    verdict: report.verdict,
    unmodelled: report.unmodelled,
    doubts: report.doubts,
    models: report.models.map(modelOf),
    findings: report.findings.map((finding, index) =>
      findingOf(finding, report.confirmed?.[index] ?? null),
    ),
  };
}

function modelOf({ model, statesAllowed, disksDistinct, disksChecked, violations, complete }) {
  return { model, statesAllowed, disksDistinct, disksChecked, violations, complete };
}

function findingOf({ models, examples }, confirmed) {
  const { kind, missingSync, crashAfter, lost, proof } = examples[0];
  const after = missingSync === null ? crashAfter : missingSync.after;
  return {
    models,
    kind,
    missing:
      missingSync === null
        ? null
        : `${missingSync.call} of the ${missingSync.of} ${missingSync.path}`,
    after: after === null ? null : after.what,
    place: after === null ? null : placeIn(after),
    lost: lost.map(({ what }) => what),
    shows: [...new Set(examples.map(({ message }) => message))],
    repaired: proof === null ? null : proof.complete,
    kernel: confirmed === null ? null : confirmed.map(answerOf),
  };
}

/** The line to look at, relative to the package that it is in. */
function placeIn({ stack, site }) {
  const frame = stack[site ?? 0] ?? stack[0];
  if (frame?.file === undefined || frame.file === null) return null;
  const file = frame.file.replace(/^file:\/\//, '').replace(/^.*\/node_modules\//, '');
  const short = file.replace(/^.*\/build\/found\/[^/]+\//, '');
  return frame.line > 0 ? `${short}:${frame.line}` : `${short} ${frame.function ?? ''}`.trim();
}

function answerOf({ profile, instead, disks, sighting }) {
  return { profile, instead, disks, reproduced: sighting !== null };
}
