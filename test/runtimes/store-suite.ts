/**
 * `abstract-level`'s own suite on each engine, on real directories, as a plain program: for runtimes
 * that are not Node (`npm run test:runtimes`), whose test runners differ. Exits 1 when an assertion
 * fails.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

import { DISK_ENGINES } from '../../src/level/engine-registry.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { abstractLevelSuite, SUITE_ASSERTIONS } from '../level/abstract-level-suite.ts';
import { unsynced } from '../level/unsynced-kind.ts';

const FAILURES_SHOWN = 10;

async function main(): Promise<void> {
  const top = mkdtempSync(join(tmpdir(), 'holdfast-runtime-'));
  try {
    for (const kind of DISK_ENGINES) {
      const { name } = kind;
      // Not synced: the question is what the runtime's file calls do, not the disk.
      const engine = unsynced(kind);
      let count = 0;
      const started = performance.now();
      const { assertions, failures } = await abstractLevelSuite(
        (options) => new HoldfastLevel(join(top, `${name}-${count++}`), { ...options, engine }),
      );
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      const short = assertions === SUITE_ASSERTIONS ? '' : ` of ${SUITE_ASSERTIONS}`;
      process.stdout.write(
        `${name}: ${assertions}${short} assertions, ${failures.length} failed, ${seconds} s\n`,
      );
      for (const failure of failures.slice(0, FAILURES_SHOWN)) {
        process.stdout.write(`  ${failure}\n`);
      }
      if (failures.length > 0 || assertions !== SUITE_ASSERTIONS) process.exitCode = 1;
    }
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

await main();
