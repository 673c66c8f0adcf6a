/**
 * How fast the explorer is: whole disks built and read, things seen by a checker that reads little, external
 * checkers, the first finding on each canary. `npm run bench:explore`. CPU time is given beside wall time, because the machine may be busy.
 */

import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

import type { Checker } from '../src/lab/check/checker.ts';
import { ProcessChecker } from '../src/lab/check/process-checker.ts';
import { runCommand } from '../src/lab/check/process-run.ts';
import { ContentStore } from '../src/lab/explore/content-store.ts';
import type { Exploration } from '../src/lab/explore/exploration.ts';
import { exploreModel } from '../src/lab/explore/explorer.ts';
import { VerdictCache } from '../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../src/lab/model/model-list.ts';
import type { Trace } from '../src/lab/record/operation.ts';
import { TraceBuilder } from '../src/lab/record/trace-builder.ts';
import type { FileTreeDirectory } from '../src/vfs/file-tree.ts';
import { benchCanaries } from './canaries.ts';
import { describeMachine } from './machine.ts';

const DISKS = 40_000;
const ROUNDS = 5;
const EXTERNAL_DISKS = 200;

/** Fifty operations on ten files, as a program makes them that saves often and syncs now and then. */
function fiftyOperations(): Trace {
  const builder = new TraceBuilder({ files: { 'd/': '', log: 'start\n' } });
  for (let round = 0; round < 7; round++) {
    const name = `d/${round % 5}`;
    builder.create(`${name}.tmp`).append(`${name}.tmp`, `round ${round}\n`.repeat(20));
    builder.append('log', `saved ${round}\n`);
    if (round % 3 === 0) builder.fsync('log');
    builder.rename(`${name}.tmp`, name);
    builder.create(`f${round}`).append(`f${round}`, 'x'.repeat(100 + round));
  }
  while (builder.build().operations.length < 50) builder.append('log', 'more\n');
  return builder.build();
}

function unsyncedCreates(count: number): Trace {
  const builder = new TraceBuilder();
  for (let step = 0; step < count; step++) builder.create(`f${step}`);
  return builder.build();
}

let bytesRead = 0;

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index++) sum += bytes[index] ?? 0;
  return sum;
}

function readAll(directory: FileTreeDirectory): void {
  for (const node of directory.entries.values()) {
    if (node.kind === 'directory') readAll(node);
    else if (node.kind === 'file') bytesRead += sumOf(node.content);
  }
}

const WHOLE: Checker = {
  name: 'reads everything',
  check: ({ root }) => {
    readAll(root);
    return { ok: true };
  },
};

function lazyReader(name: string): Checker {
  return {
    name: `reads ${name}`,
    reads: 'lazy',
    check: ({ root }) => {
      const node = root.entries.get(name);
      if (node?.kind === 'file') bytesRead += node.content.length;
      return { ok: true };
    },
  };
}

interface Row {
  readonly name: string;
  readonly exploration: Exploration;
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function once(
  trace: Trace,
  checker: Checker,
  disksMax: number,
  model = 'posix',
): Promise<Row> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const exploration = await exploreModel(trace, modelByName(model), {
    checker,
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax,
    walkedMax: Infinity,
  });
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { name: checker.name, exploration, wallMs, cpuMs: (user + system) / 1000 };
}

async function best(
  trace: Trace,
  checker: Checker,
  disksMax: number,
  model = 'posix',
): Promise<Row> {
  const rows: Row[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rows.push(await once(trace, checker, disksMax, model));
  const sorted = rows.toSorted((a, b) => a.cpuMs - b.cpuMs);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new Error('no round was run');
  return median;
}

function tell(what: string, { exploration, wallMs, cpuMs }: Row): void {
  const { distinct, rawStates, walked } = exploration;
  const rate = (ms: number): string => Math.round((distinct / ms) * 1000).toLocaleString('en');
  console.log(
    `${what}: ${distinct} distinct of ${walked} walked, ${rawStates ?? 'uncounted'} raw states, ` +
      `${wallMs.toFixed(1)} ms (CPU ${cpuMs.toFixed(1)} ms): ${rate(cpuMs)}/s CPU, ${rate(wallMs)}/s`,
  );
}

async function external(): Promise<void> {
  const command = ['/bin/cat', '-s', 'log'];
  const startMs = performance.now();
  for (let run = 0; run < EXTERNAL_DISKS; run++) {
    const directory = tmpdir();
    await runCommand({ command: ['/bin/true'], directory, environment: {}, timeLimitMs: 10_000 });
  }
  const bareMs = performance.now() - startMs;
  for (const remember of [false, true]) {
    const checker = new ProcessChecker({ command, remember });
    const row = await once(fiftyOperations(), checker, EXTERNAL_DISKS);
    await checker.close();
    tell(`external checkers, runs ${remember ? '' : 'not '}remembered`, row);
  }
  console.log(`start and end of a bare process: ${(bareMs / EXTERNAL_DISKS).toFixed(2)} ms each`);
}

parseArgs();
console.log(describeMachine(tmpdir()));
const trace = fiftyOperations();
console.log(
  `${trace.operations.length} operations, model posix if none is named, medians of ${ROUNDS} by CPU time`,
);
for (const model of ['ext4', 'xfs', 'posix']) {
  tell(`whole disks under ${model}, every file read`, await best(trace, WHOLE, DISKS, model));
}
tell('one file read', await best(trace, lazyReader('log'), DISKS));
const creates = unsyncedCreates(18);
tell('18 unsynced creates, one file read', await best(creates, lazyReader('f7'), DISKS));
tell('18 unsynced creates, every file read', await once(creates, WHOLE, 1_000_000));
await external();
await benchCanaries();
if (bytesRead < 0) throw new Error('unreachable: keeps the reads from being left out');
