/**
 * The golden stores of `test/golden/{lsm,bitcask,btree}`: of each good and damaged one, `dump`, `verify`, opening and
 * repair say what is written beside it. Every look is at a copy. HOLDFAST_GOLDEN=write makes those that are missing:
 * for a new version of a format, in a new folder. HOLDFAST_GOLDEN=text writes what is said of them anew.
 */

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { commandTable } from '../../src/cli/command-table.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { GOLDEN_STORES } from '../support/store-goldens.ts';
import type { GoldenStore } from '../support/store-goldens.ts';
import { testContext } from '../support/test-context.ts';

const TOP = fileURLToPath(new URL('../../../test/golden', import.meta.url));
const MODE = process.env['HOLDFAST_GOLDEN'] ?? '';

function placeOf({ engine, version, name }: GoldenStore): string {
  return join(TOP, engine, version, name);
}

/** What all of it comes to: the dump in full, and of the others what a user has to rely on. */
async function said(store: GoldenStore, top: string): Promise<string> {
  const copy = (to: string): string => {
    cpSync(placeOf(store), join(top, to), { recursive: true });
    return join(top, to);
  };
  const { engine } = store;
  copy('store');
  const dump = await run(top, 'dump', 'store');
  const verify = await run(top, 'verify', 'store', '--json');
  const parts = [
    `$ holdfast dump store\n${dump.out}${dump.err}exit code ${dump.code}`,
    `$ holdfast verify store\n${damagedIn(verify.out)}exit code ${verify.code}`,
    `open\n${await opened(copy('opened'), engine)}`,
  ];
  const repair = await run(top, 'repair', copy('repaired'), '--json');
  const saved = repair.code === 2 ? '' : `, ${savedIn(repair.out)} entries saved`;
  parts.push(`$ holdfast repair\nexit code ${repair.code}${saved}`);
  return `${parts.join('\n\n').replaceAll(`${top}/`, '')}\n`;
}

async function run(
  cwd: string,
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  const context = testContext({ cwd });
  const code = await runCli(words, context, commandTable, '0');
  return { code, out: context.out, err: context.err };
}

/** The files with damage, without the words that describe it. */
function damagedIn(report: string): string {
  if (report === '') return '';
  const { damage } = JSON.parse(report) as { damage: { file: string }[] };
  return [...new Set(damage.map(({ file }) => `damaged ${file}\n`))].join('');
}

function savedIn(report: string): number {
  return (JSON.parse(report) as { savedEntries: number }).savedEntries;
}

/** Its entries, or the code of the error. */
async function opened(directory: string, engine: GoldenStore['engine']): Promise<string> {
  const db = new HoldfastLevel(directory, { engine, createIfMissing: false });
  try {
    await db.open();
  } catch (error) {
    return errorCode((error as Error).cause) ?? String(error);
  }
  try {
    const lines = (await db.iterator().all()).map(([key, value]) =>
      value.length > 20 ? `${key} = ${value.slice(0, 3)}… (${value.length})` : `${key} = ${value}`,
    );
    return [...lines, `cut: ${db.recovery.dropped.length}`].join('\n');
  } catch (error) {
    return errorCode(error) ?? String(error);
  } finally {
    await db.close();
  }
}

for (const store of GOLDEN_STORES) {
  test(`golden store of ${store.engine} ${store.version}: ${store.name}`, async (scope) => {
    const place = placeOf(store);
    const expected = `${place}.txt`;
    if (MODE === 'write' && !existsSync(expected)) {
      for (const [name, bytes] of await store.make()) {
        mkdirSync(dirname(join(place, name)), { recursive: true });
        writeFileSync(join(place, name), bytes);
      }
    }
    const text = await said(store, temporaryDirectory(scope));
    if (MODE === 'text' || (MODE === 'write' && !existsSync(expected))) {
      writeFileSync(expected, text);
    }
    assert.equal(text, readFileSync(expected, 'utf8'));
  });
}

test('each golden store has its maker', () => {
  for (const engine of ['lsm', 'bitcask', 'btree']) {
    const versions = readdirSync(join(TOP, engine));
    const names = versions.flatMap((version) =>
      readdirSync(join(TOP, engine, version)).map((name) => join(version, name)),
    );
    const made = names.filter((name) => !name.endsWith('.txt'));
    const makers = GOLDEN_STORES.filter((store) => store.engine === engine);
    const ours = makers.map(({ version, name }) => join(version, name));
    assert.deepEqual(made.toSorted(), ours.toSorted());
  }
});
