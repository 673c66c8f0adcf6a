/**
 * Runs the compiled tests with `node:test`: `npm test`, `npm test -- FILTER…` (parts of paths; `!PART` leaves files out). Each test file
 * has its own process. Prints what was skipped and why; with HOLDFAST_REQUIRE_ALL=1 a skipped test is a failure.
 * `node --test` is not used: what it takes for a test file differs between Node versions.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

/** A test (on Node 20 and 22: a test file) that takes longer fails. */
const TEST_LIMIT_MS = 10 * 60_000;
/** When nothing at all is heard for so long, a test process hangs, and the run ends as a failure. */
const SILENCE_LIMIT_MS = TEST_LIMIT_MS + 60_000;
const CONCURRENCY = 2;

const top = fileURLToPath(new URL('..', import.meta.url));
const filters = process.argv.slice(2).filter((filter) => !filter.startsWith('!'));
const excluded = process.argv
  .slice(2)
  .flatMap((filter) => (filter.startsWith('!') ? [filter.slice(1)] : []));
const requireAll = process.env['HOLDFAST_REQUIRE_ALL'] === '1';

/** The test files that the sources name, so that a file left in `build` by an older source is not run. */
const files = readdirSync(join(top, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !/(^|\/)(fixtures|golden)\//.test(name))
  .map((name) => `test/${name}`)
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
  .filter((name) => !excluded.some((part) => name.includes(part)))
  .map((name) => join(top, 'build', name.replace(/\.ts$/, '.js')))
  .toSorted();

if (files.length === 0) fail(`no test file matches: ${filters.join(' ')}`);
const missing = files.find((file) => !existsSync(file));
if (missing !== undefined) fail(`${relative(top, missing)} is not built: npm run build:dev`);

const skipped = [];
const filesHeard = new Set();
let failed = false;
let failures = 0;
let passes = 0;

const watchdog = new AbortController();
const silence = setTimeout(() => {
  console.error('\nrun-tests: a test process does not end; it is stopped');
  failed = true;
  watchdog.abort();
}, SILENCE_LIMIT_MS);

const events = run({
  files,
  concurrency: CONCURRENCY,
  timeout: TEST_LIMIT_MS,
  signal: watchdog.signal,
});
events.on('data', () => silence.refresh());
events.on('test:pass', (event) => {
  // Some Node versions report the file itself as a test; only what is in it counts.
  if (event.name === event.file) return;
  filesHeard.add(event.file);
  if (event.skip !== undefined) skipped.push({ ...event, reason: event.skip });
  else if (event.todo !== undefined) skipped.push({ ...event, reason: `to do: ${event.todo}` });
  else passes += 1;
});
events.on('test:fail', (event) => {
  failed = true;
  // A suite fails with its tests; counting both would disagree with the summary.
  if (event.details.type !== 'suite') failures += 1;
});
const report = events.compose(new spec());
report.pipe(process.stdout);
await finished(report);
clearTimeout(silence);

if (skipped.length > 0) {
  console.log(`\nSkipped (${skipped.length}):`);
  for (const { file, name, reason } of skipped) {
    const where = file === undefined ? '' : `${relative(top, file).replace(/^build\//, '')}: `;
    const why = typeof reason === 'string' && reason !== '' ? reason : 'no reason given';
    console.log(`  ${where}${name} (${why})`);
  }
}
if (failed) fail(`${failures} failed on Node ${process.version}`);
if (passes === 0) fail('nothing passed: a run without a test proves nothing');
// Node 20 reports a test under the file that declares it: for a contract suite that is the contract.
const runsContract = (file) => readFileSync(file, 'utf8').includes('/contract/');
const silent = files.filter((file) => !filesHeard.has(file) && !runsContract(file));
if (silent.length > 0) {
  const names = silent.map((file) => relative(top, file)).join(', ');
  fail(`no test passed or was skipped in ${names}`);
}
const unexplained = skipped.filter(({ reason }) => typeof reason !== 'string' || reason === '');
if (unexplained.length > 0) fail(`${unexplained.length} skipped without a reason`);
if (requireAll && skipped.length > 0) {
  fail(`${skipped.length} skipped, but HOLDFAST_REQUIRE_ALL=1 asks for every test`);
}

/** Ends the run with one line and exit code 1. */
function fail(message) {
  console.error(`run-tests: ${message}`);
  process.exit(1);
}
