/**
 * The long proof of the write-ahead log: every story explored under the default models, with crashes inside recovery,
 * and some with a fault at each call. Prints the certificate and fails when anything is found.
 *
 *   npm run prove:wal -- [--budget DISKS] [--nested DEPTH] [--only TEXT] [--part stories|faults] [--into DIR]
 *                        [--seconds CPU]
 *
 * `--budget` is for each story. With `--into` the results of each stay there, and another run goes on where this one
 * was; with `--seconds` no story is begun after that. The wide part is `prove-wal-wide.ts`, the kernel's `prove-wal-rig.ts`.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { CrashTest, CrashTestResult } from '../../src/lab/suite/crash-test.ts';
import { explore } from '../../src/lab/suite/explore-crash-test.ts';
import { crashTestReport } from '../../src/lab/suite/suite-report.ts';
import { DiskKeys } from '../../src/lab/nested/disk-keys.ts';
import { crashTestOf, FAULTY_WAL_STORIES, WAL_STORIES, type WalStory } from '../lab/wal-stories.ts';

const { values } = parseArgs({
  options: {
    budget: { type: 'string', default: '5000' },
    nested: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '' },
    into: { type: 'string', default: '' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});

/** Different disks of a piece, and how often a check decided what it read only. */
class Tally {
  readonly #keys = new DiskKeys();
  readonly #disks = new Set<string>();
  lazyChecks = 0;

  get disks(): number {
    return this.#disks.size;
  }

  counting(test: CrashTest): CrashTest {
    const { recover } = test;
    if (recover === undefined) return test;
    return {
      ...test,
      // Recovery judges. What a second one finds is asked where the first is cut short, also at its very end.
      check: () => undefined,
      recover: (vfs, context) => {
        const { root } = context.disk;
        if (root.entries instanceof Map) this.#disks.add(this.#keys.keyOf(root));
        else this.lazyChecks++;
        return recover(vfs, context);
      },
    };
  }
}

interface Piece {
  readonly name: string;
  readonly test: CrashTest;
}

interface PieceResult {
  readonly line: string;
  readonly disks: number;
  readonly classChecks: number;
  readonly found: boolean;
}

async function prove({ name, test }: Piece): Promise<PieceResult> {
  const start = process.cpuUsage().user;
  const tally = new Tally();
  const result = await explore(tally.counting(test));
  const seconds = (process.cpuUsage().user - start) / 1e6;
  const found = result.verdict === 'found';
  if (found) console.log(crashTestReport(result, process.cwd()));
  const { disks, lazyChecks: classChecks } = tally;
  return { line: lineOf(name, result, disks, seconds), disks, classChecks, found };
}

/** `| story | crash points | states allowed | distinct disks | classes | recoveries | faults | verdict |` */
function lineOf(name: string, result: CrashTestResult, disks: number, seconds: number): string {
  const { models, nested, faults } = result.certificate;
  const points = Math.max(...models.map(({ crashPoints }) => crashPoints));
  const states = models.reduce((sum, { rawStates }) => sum + (rawStates ?? 0n), 0n);
  const byReads = models.filter(({ decidedBy }) => decidedBy === 'reads');
  const classes = byReads.reduce((sum, { disksDistinct }) => sum + disksDistinct, 0);
  const inside = nested.map(({ explored, recoveries }) => `${explored} of ${recoveries}`);
  const whole = models.filter(({ complete }) => complete).length;
  const cells = [
    name,
    String(points),
    shortNumber(states),
    String(disks),
    String(classes),
    inside.join(', '),
    String(faults.runs),
    `${whole} of ${models.length} models exhaustive`,
    result.verdict === 'found' ? 'FOUND' : 'nothing failed',
    `${seconds.toFixed(0)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function pieces(): Piece[] {
  const budget = Number(values.budget);
  const nested = Number(values.nested);
  const wanted = ({ name }: WalStory): boolean => name.includes(values.only);
  const withoutFaults = values.part === 'faults' ? [] : WAL_STORIES.filter(wanted);
  const withFaults = values.part === 'stories' ? [] : FAULTY_WAL_STORIES.filter(wanted);
  return [
    ...withoutFaults.map((story): Piece => {
      const name = nested === 1 ? story.name : `${story.name}, ${nested} crashes deep`;
      return { name, test: { ...crashTestOf(story), nested, budget } };
    }),
    ...withFaults.map((story): Piece => {
      const test: CrashTest = { ...crashTestOf(story), nested, budget, faults: true };
      return { name: `${story.name}, a fault at each call`, test };
    }),
  ];
}

/** From an earlier run, or made now; null when the time is over. */
async function resultOf(piece: Piece): Promise<PieceResult | null> {
  const path = values.into === '' ? null : join(values.into, `${piece.name}.json`);
  if (path !== null && existsSync(path)) {
    return JSON.parse(readFileSync(path, 'utf8')) as PieceResult;
  }
  if (process.cpuUsage().user / 1e6 > Number(values.seconds)) return null;
  const result = await prove(piece);
  if (path !== null) {
    writeFileSync(`${path}.part`, JSON.stringify(result));
    renameSync(`${path}.part`, path);
  }
  return result;
}

async function main(): Promise<void> {
  if (values.into !== '') mkdirSync(values.into, { recursive: true });
  const all = pieces();
  const results: PieceResult[] = [];
  for (const piece of all) {
    const result = await resultOf(piece);
    if (result === null) continue;
    results.push(result);
    console.log(result.line);
  }
  const sum = (what: 'disks' | 'classChecks'): number =>
    results.reduce((total, result) => total + result[what], 0);
  const failed = results.filter(({ found }) => found).length;
  console.log(
    `${results.length} of ${all.length} pieces: ${sum('disks')} disks (each story's own) and ` +
      `${sum('classChecks')} checks of classes; ${failed === 0 ? 'none failed' : `${failed} FAILED`}`,
  );
  if (failed > 0) process.exitCode = 1;
}

function shortNumber(count: bigint): string {
  return count > 10n ** 9n ? `10^${String(count).length - 1}` : String(count);
}

await main();
