/**
 * The long proof of the write-ahead log: every story explored under the default models, with crashes inside recovery,
 * and some with a fault at each call. Prints the certificate and fails when anything is found.
 *
 *   npm run prove:wal -- [--budget DISKS] [--nested DEPTH] [--only TEXT] [--part stories|faults]
 *
 * `--budget` is for each story. The wide part is `prove-wal-wide.ts`, the kernel's `prove-wal-rig.ts`.
 */

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
  },
});

/** Different disks over all stories, and how often a check decided what it read only. */
class Tally {
  readonly #keys = new DiskKeys();
  readonly disks = new Set<string>();
  lazyChecks = 0;
  storyDisks = 0;

  counting(test: CrashTest): CrashTest {
    const { recover } = test;
    if (recover === undefined) return test;
    return {
      ...test,
      // Recovery judges. What a second one finds is asked where the first is cut short, also at its very end.
      check: () => undefined,
      recover: (vfs, context) => {
        const { root } = context.disk;
        if (root.entries instanceof Map) this.#add(this.#keys.keyOf(root));
        else this.lazyChecks++;
        return recover(vfs, context);
      },
    };
  }

  #add(key: string): void {
    if (this.disks.has(key)) return;
    this.disks.add(key);
    this.storyDisks++;
  }
}

interface Row {
  readonly name: string;
  readonly result: CrashTestResult;
  readonly disks: number;
  readonly seconds: number;
}

async function prove(name: string, test: CrashTest, tally: Tally): Promise<Row> {
  const start = performance.now();
  tally.storyDisks = 0;
  const result = await explore(tally.counting(test));
  const seconds = (performance.now() - start) / 1000;
  const row = { name, result, disks: tally.storyDisks, seconds };
  console.log(lineOf(row));
  if (result.verdict === 'found') console.log(crashTestReport(result, process.cwd()));
  return row;
}

/** `| story | crash points | states allowed | distinct disks | classes | recoveries | faults | verdict |` */
function lineOf({ name, result, disks, seconds }: Row): string {
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

async function main(): Promise<void> {
  const budget = Number(values.budget);
  const wanted = ({ name }: WalStory): boolean => name.includes(values.only);
  const tally = new Tally();
  const rows: Row[] = [];
  const failures: string[] = [];
  const nested = Number(values.nested);
  const withoutFaults = values.part === 'faults' ? [] : WAL_STORIES.filter(wanted);
  const withFaults = values.part === 'stories' ? [] : FAULTY_WAL_STORIES.filter(wanted);
  for (const story of withoutFaults) {
    const test: CrashTest = { ...crashTestOf(story), nested, budget };
    rows.push(await prove(story.name, test, tally));
  }
  for (const story of withFaults) {
    const test: CrashTest = { ...crashTestOf(story), nested, budget, faults: true };
    rows.push(await prove(`${story.name}, a fault at each call`, test, tally));
  }
  const found = rows.filter(({ result }) => result.verdict === 'found');
  failures.push(...found.map(({ name }) => name));
  console.log(
    `${tally.disks.size} distinct disks and ${tally.lazyChecks} checks of classes; ` +
      (failures.length === 0 ? 'none failed' : `failed: ${failures.join('; ')}`),
  );
  if (failures.length > 0) process.exitCode = 1;
}

function shortNumber(count: bigint): string {
  return count > 10n ** 9n ? `10^${String(count).length - 1}` : String(count);
}

await main();
