/**
 * `npm run promises`: what each store has kept of its answers after a power cut, under each model of a file system. The
 * same small program and the same judge for all, recorded by strace, since most of them are native code. Writes a
 * table and the figures to bench/results. `-- --only TEXT` takes some of the stores, `--budget N` more or fewer disks
 * of each model.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { STORES } from './stores.mjs';

const here = import.meta.dirname;
const top = join(here, '../../..');
const HOLDFAST = join(top, 'dist/cli/main.js');
const MODELS = ['ext4', 'ext4-journal', 'xfs', 'btrfs', 'apfs-fullfsync', 'posix'];

let values;
try {
  ({ values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      budget: { type: 'string', default: '150' },
      out: { type: 'string', default: join(top, 'bench/results') },
    },
  }));
} catch (error) {
  process.stderr.write(`promises: ${error.message}\n`);
  process.exit(2);
}

function versionOf(name) {
  if (name === null) return JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')).version;
  const file = join(here, '../node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/** The command's own report, and what it says under each model. */
function examine(store) {
  const place = mkdtempSync(join(tmpdir(), 'holdfast-promises-'));
  mkdirSync(join(place, 'state'));
  try {
    const judge = `${process.execPath} ${join(here, 'check.mjs')} '${store}'`;
    const options = `--json --root state --via strace --budget ${values.budget}`.split(' ');
    // What SQLite and LMDB share between processes, and make anew.
    const rebuilt = ['*-shm', '*lock.mdb', '*-lock'].flatMap((name) => ['--rebuilt', name]);
    const program = [process.execPath, join(here, 'program.mjs'), store, 'state'];
    const words = [HOLDFAST, 'check', ...options, ...rebuilt, '--check', judge, '--', ...program];
    const run = spawnSync(process.execPath, words, {
      cwd: place,
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (run.status !== 0 && run.status !== 1 && run.status !== 3) {
      throw new Error(`${store}: ${run.stderr.trim()}`);
    }
    return JSON.parse(run.stdout);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

const results = [];
for (const [store, [needs]] of Object.entries(STORES)) {
  if (!store.includes(values.only)) continue;
  const version = versionOf(needs);
  if (version === undefined) {
    process.stderr.write(`${store}: not installed (npm ci --prefix bench/compare)\n`);
    continue;
  }
  const started = Date.now();
  const report = examine(store);
  results.push({ store, version, report });
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stderr.write(`${store}: ${report.verdict}, ${seconds} s\n`);
}

/** What went wrong under one model, in the words of the judge; that nothing did, and whether all was looked at. */
function cell({ models, findings, unmodelled }, name) {
  const model = models.find((one) => one.model === name);
  const examples = findings.flatMap((finding) => finding.examples);
  const said = examples.filter((one) => one.model === name).map(({ message }) => message);
  const what = new Set(
    said.map((message) => /(lost|torn|refused|half-made):/.exec(message)?.[1] ?? 'fails'),
  );
  if (what.size > 0) return [...what].join(', ');
  return model.complete && unmodelled.length === 0
    ? 'kept'
    : `kept on ${model.disksDistinct} disks`;
}

function table() {
  const rows = results.map(({ store, version, report }) => {
    const cells = MODELS.map((model) => cell(report, model));
    return `| ${store} | ${version} | ${cells.join(' | ')} |`;
  });
  return [
    `| store | version | ${MODELS.join(' | ')} |`,
    `|---|---|${MODELS.map(() => '---').join('|')}|`,
    ...rows,
  ].join('\n');
}

const EXPLAINED = `Two puts and two batches, each awaited, then a close; the power fails at every moment of it. *kept*: on every disk that the
model allows the store opens, has all that had returned, and no half of a batch; *on N disks*: on so many, more are allowed.
*lost*: something is gone that had returned. *torn*: half of a batch is there. *refused*: the store does not open.
*half-made*: it does not open where the power failed while it was made, before anything was told.`;

mkdirSync(values.out, { recursive: true });
writeFileSync(join(values.out, 'promises.json'), `${JSON.stringify(results, undefined, 1)}\n`);
const text = `# What is kept after a power cut\n\n${EXPLAINED}\n\n${table()}\n`;
writeFileSync(join(values.out, 'promises.md'), text);
process.stdout.write(text);
