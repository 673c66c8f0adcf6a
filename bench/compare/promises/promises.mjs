/**
 * `npm run promises`: what each store has kept of its answers after a power cut, under each model of a file system. The
 * same small program and the same judge for all, recorded by strace, since most of them are native code. Writes
 * a page and the figures to bench/results; a store that is there already is kept, unless `--again`.
 * `-- --only TEXT` takes some of the stores, `--disks N` and `--seconds N` bound each model (seconds are shared out over its crash
 * points: on a busy machine give plenty), `--out` and `--page` name other
 * places.
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { RebuiltFiles } from '../../../dist/lab/check/rebuilt-files.js';
import { explainViolations } from '../../../dist/lab/explain/repair.js';
import { ContentStore } from '../../../dist/lab/explore/content-store.js';
import { ExploreDeadline } from '../../../dist/lab/explore/explore-budget.js';
import { exploreModel } from '../../../dist/lab/explore/explorer.js';
import { overlapsNotModelled } from '../../../dist/lab/explore/open-overlaps.js';
import { VerdictCache } from '../../../dist/lab/explore/verdict-cache.js';
import { modelByName, recordProgram } from '../../../dist/lab/index.js';
import { DiskJudge, judgeOnce } from './disk-judge.mjs';
import { steps } from './steps.mjs';
import { STORES } from './stores.mjs';
import { promisesPage } from './promises-page.mjs';

const here = import.meta.dirname;
const top = join(here, '../../..');
const TRACES = join(top, 'build/promises');
/** Of Linux: on macOS native code syncs in another way than it was recorded here. */
const MODELS = ['ext4', 'ext4-journal', 'xfs', 'btrfs', 'posix'];
const ROUNDS = [0, 1];
/** Recordings of a store until two writes to the same bytes do not overlap. */
const RECORDINGS_MAX = 8;

/** Disks of the model that no store is explored whole under. */
const DISKS_POSIX = 600;

/** Seconds in which the first failure of a model is explained. */
const EXPLAIN_SECONDS = 15;

/** What SQLite and LMDB share between processes, and make anew. */
const REBUILT = ['*-shm', '*lock.mdb', '*-lock'];

let values;
try {
  ({ values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      disks: { type: 'string', default: '8000' },
      seconds: { type: 'string', default: '3600' },
      jobs: { type: 'string', default: '2' },
      again: { type: 'boolean', default: false },
      out: { type: 'string', default: join(top, 'bench/results') },
      page: { type: 'string', default: join(top, 'bench/results/promises.md') },
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

/**
 * Whether two writes to the same bytes were under way at once. Where a write with O_APPEND lands is then for the kernel
 * to say, and the recorder does not know it: it would show one on top of the other.
 */
function hasDoubtfulWrites(trace) {
  const writes = trace.operations.filter(({ kind }) => kind === 'write');
  return writes.some((one) =>
    writes.some(
      (other) =>
        other !== one &&
        other.inode === one.inode &&
        other.start < (one.end ?? Infinity) &&
        one.start < (other.end ?? Infinity) &&
        other.offset < one.offset + one.length &&
        one.offset < other.offset + other.length,
    ),
  );
}

/** The traces of both rounds, recorded again while one is in doubt. */
async function record(name) {
  for (let left = RECORDINGS_MAX; ; left--) {
    const traces = await recordOnce(name);
    const isDoubtful = traces.some(hasDoubtfulWrites);
    if (!isDoubtful || left === 1) return { traces, isDoubtful };
  }
}

/** A judge that objects to the disk as the program left it would object to any. */
async function requireSound(name, round, root) {
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-promises-'));
  cpSync(root, copy, { recursive: true });
  const told = steps(round).length;
  const { wrong, why } = await judgeOnce({ name, round, directory: copy, told });
  rmSync(copy, { recursive: true, force: true });
  if (wrong.length > 0) throw new Error(`${name}: without any power cut it ${why}`);
}

/** The store is made, and opened again. The traces stay in build/promises. */
async function recordOnce(name) {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-promises-'));
  const root = join(scratch, 'root');
  const place = join(root, 'db');
  mkdirSync(root);
  mkdirSync(TRACES, { recursive: true });
  try {
    STORES[name].prepare(place);
    const traces = [];
    for (const round of ROUNDS) {
      const command = [process.execPath, join(here, 'program.mjs'), name, String(round), place];
      const tracePath = join(TRACES, `${name.replaceAll(/[^a-z+-]+/gi, '-')}-${round}.trace`);
      rmSync(tracePath, { force: true });
      const options = { root, via: 'strace', output: 'ignore', tracePath };
      traces.push(await recordProgram({ ...options, command }));
      await requireSound(name, round, root);
    }
    return traces;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function examine(name, round, trace) {
  const rebuilt = new RebuiltFiles(REBUILT);
  const judge = new DiskJudge(name, { round, jobs: Number(values.jobs), rebuilt });
  const unmodelled = unmodelledIn(trace).filter((what) => !rebuilt.explains(what));
  const store = new ContentStore();
  const models = [];
  try {
    for (const model of MODELS.map(modelByName)) {
      // Nearly always too many to look at all: a look, not a verdict.
      const disksMax = model.name === 'posix' ? DISKS_POSIX : Number(values.disks);
      const bounds = { disksMax, walkedMax: disksMax * 100, countStates: false, seed: 1 };
      const deadline = new ExploreDeadline(Number(values.seconds));
      const options = { checker: judge, store, deadline, verdicts: new VerdictCache(), ...bounds };
      judge.tally = new Map();
      const exploration = await exploreModel(trace, model, options);
      const tally = Object.fromEntries(judge.tally);
      const { distinct, complete, violationCount } = exploration;
      let findings = [];
      const first = exploration.violations[0]?.message ?? null;
      if (violationCount > 0 && isWorthExplaining(name, tally)) {
        const explained = {
          ...options,
          deadline: new ExploreDeadline(EXPLAIN_SECONDS),
          disksMax: distinct + 500,
        };
        findings = (await explainViolations(trace, model, exploration, explained)).map(plain);
      }
      console.error(
        name,
        round,
        model.name,
        distinct,
        complete,
        JSON.stringify(tally),
        exploration.violations
          .slice(0, 3)
          .map((v) => v.message)
          .join(' // '),
      );
      models.push({
        model: model.name,
        disks: distinct,
        complete,
        failing: violationCount,
        tally,
        first,
        findings,
      });
    }
    return { round, unmodelled, doubts: [...judge.doubts], models };
  } finally {
    await judge.close();
  }
}

/** A loss that the documentation speaks of needs no cause. */
function isWorthExplaining(name, tally) {
  return STORES[name].lasts.promised || Object.keys(tally).some((what) => !what.startsWith('lost'));
}

/** What could not be modelled, each once. */
function unmodelledIn(trace) {
  const names = new Set(overlapsNotModelled(trace));
  for (const { kind, what } of trace.operations) if (kind === 'unmodelled') names.add(what);
  return [...names];
}

function plain({ kind, message, lost, crashAfter, sync }) {
  return {
    kind,
    message,
    lost: lost.map(({ what }) => what),
    crashAfter: crashAfter?.what ?? null,
    missing:
      sync === null
        ? null
        : `${sync.call} of the ${sync.of} ${sync.path}, after ${sync.after.what}`,
  };
}

mkdirSync(values.out, { recursive: true });
const path = join(values.out, 'promises.json');
const known = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
const results = known.filter(
  ({ store }) => store in STORES && !(values.again && store.includes(values.only)),
);
for (const [store, { needs }] of Object.entries(STORES)) {
  if (!store.includes(values.only) || results.some((one) => one.store === store)) continue;
  const version = versionOf(needs);
  if (version === undefined) {
    process.stderr.write(`${store}: not installed (npm ci --prefix bench/compare)\n`);
    continue;
  }
  const started = Date.now();
  const { traces, isDoubtful } = await record(store);
  const rounds = [];
  for (const round of ROUNDS) rounds.push(await examine(store, round, traces[round]));
  if (isDoubtful) rounds[0].doubts.push('two writes to the same bytes were under way at once');
  results.push({ store, version, rounds });
  const order = Object.keys(STORES);
  results.sort((a, b) => order.indexOf(a.store) - order.indexOf(b.store));
  writeFileSync(path, `${JSON.stringify(results, undefined, 1)}\n`);
  process.stderr.write(`${store}: ${Math.round((Date.now() - started) / 1000)} s\n`);
}
const text = promisesPage(results);
writeFileSync(values.page, text);
process.stdout.write(text);
