/**
 * `npm run bench:engines -- [DIRECTORY] [--entries N] [--rounds N] [--only PART]… [--out DIRECTORY]`:
 * the store's engines beside every rival that is installed, in one run; a table, the figures as JSON
 * and a chart in `bench/results`. `--entries 20000` runs in about two minutes.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { describeMachine } from '../machine.ts';
import { allContestants } from './contestants.ts';
import { EngineRun } from './engine-run.ts';
import { chart } from './result-chart.ts';
import { aimTable, contestantTable, limitTable } from './result-table.ts';

const ENTRIES = 1_000_000;
const ROUNDS = 5;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      entries: { type: 'string', default: String(ENTRIES) },
      'value-bytes': { type: 'string', default: '100' },
      rounds: { type: 'string', default: String(ROUNDS) },
      only: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'bench/results' },
    },
  });
  const entries = positive('--entries', values.entries);
  const rounds = positive('--rounds', values.rounds);
  const parent = positionals[0] ?? tmpdir();
  const contestants = (await allContestants()).filter(
    ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part)),
  );
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'holdfast-bench-'));
  const run = new EngineRun(
    contestants,
    {
      entries,
      valueBytes: positive('--value-bytes', values['value-bytes']),
      loads: Math.min(3, rounds),
      reads: rounds,
      singles: rounds * 10,
      callers: rounds * 4,
    },
    directory,
    (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
  );
  const before = loadavg()[0] ?? 0;
  try {
    await run.run();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const about = `${describeMachine(parent)}; ${entries.toLocaleString('en')} entries, ${rounds} rounds, load before the run ${before.toFixed(1)}`;
  const rivals = contestants
    .filter(({ version }) => version !== '')
    .map(({ name, version }) => `${name} ${version}`);
  const text = [
    about,
    rivals.length === 0 ? '' : `Rivals: ${rivals.join(', ')}.`,
    aimTable(run.figures),
    contestantTable(run.figures),
    limitTable(run.figures),
  ].join('\n\n');
  mkdirSync(values.out, { recursive: true });
  const machineReadable = { about, rivals, figures: run.figures };
  writeFileSync(
    join(values.out, 'engines.json'),
    `${JSON.stringify(machineReadable, undefined, 2)}\n`,
  );
  writeFileSync(join(values.out, 'engines.md'), `# The engines beside their rivals\n\n${text}\n`);
  const title = `${entries.toLocaleString('en')} entries of 16 + ${values['value-bytes']} bytes`;
  writeFileSync(join(values.out, 'engines.svg'), chart(run.figures, title));
  process.stdout.write(`${text}\n`);
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  process.stderr.write(`bench:engines: ${option} takes a positive integer, not ${text}\n`);
  process.exit(2);
}

await main();
