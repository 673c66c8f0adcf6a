/** The commands on stores, of each engine: what they print, as text and as JSON, and what they leave on the disk. */

import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';

import { commandTable } from '../../src/cli/command-table.ts';
import { counted } from '../../src/cli/output.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testContext } from '../support/test-context.ts';

const ENGINES = ['lsm', 'bitcask', 'btree'] as const;
type EngineName = (typeof ENGINES)[number];

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(cwd: string, ...words: string[]): Promise<Said> {
  const said = testContext({ cwd });
  const code = await runCli(words, said, commandTable, '0');
  return { code, out: said.out, err: said.err };
}

async function json(cwd: string, ...words: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run(cwd, ...words, '--json');
  assert.equal(code, 0, err);
  return JSON.parse(out) as Record<string, unknown>;
}

/** The store `db` in a directory that goes with the test. */
async function madeStore(scope: TestContext, engine: EngineName): Promise<string> {
  const top = temporaryDirectory(scope);
  const db = new HoldfastLevel(join(top, 'db'), { engine });
  await db.put('a', '1');
  await db.batch([
    { type: 'put', key: 'ключ', value: 'two' },
    { type: 'put', key: 'long', value: 'L'.repeat(6000) },
    { type: 'del', key: 'a' },
  ]);
  await db.close();
  return top;
}

async function entriesOf(directory: string, engine: EngineName): Promise<[string, string][]> {
  const db = new HoldfastLevel(directory, { engine, createIfMissing: false });
  const entries = await db.iterator().all();
  await db.close();
  return entries;
}

/** Every file below a directory with its bytes. */
function content(directory: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(directory.length)] = readFileSync(path, 'hex');
  }
  return files;
}

/** In the middle: an entry, and no beginning that opening reads. */
function flipAByte(file: string): void {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

const ENTRIES = [
  ['long', 'L'.repeat(6000)],
  ['ключ', 'two'],
];

for (const engine of ENGINES) {
  suite(`the commands on a store of ${engine}`, () => {
    test('dump shows every entry, as text and in full as JSON', async (scope) => {
      const top = await madeStore(scope, engine);
      const { code, out, err } = await run(top, 'dump', 'db');
      assert.equal(code, 0, err);
      assert.match(out, /key "ключ" value "two"/);
      assert.match(out, /"long" value(Bytes 6000| "L{64}"… \(6000 bytes\))/);
      const lines = (await run(top, 'dump', '--json', 'db')).out.trim().split('\n');
      const keys = lines.map((line) => (JSON.parse(line) as { key?: string }).key);
      assert.ok(keys.includes(Buffer.from('ключ').toString('hex')));
    });

    test('what only looks changes nothing', async (scope) => {
      const top = await madeStore(scope, engine);
      const before = content(join(top, 'db'));
      for (const command of ['dump', 'stats', 'verify'])
        assert.equal((await run(top, command, 'db')).code, 0);
      assert.deepEqual(content(join(top, 'db')), before);
    });

    test('verify says good, and names the file that is damaged', async (scope) => {
      const top = await madeStore(scope, engine);
      const report = await json(top, 'verify', 'db');
      assert.equal(report['format'], `${engine} store`);
      assert.deepEqual([report['damage'], report['torn'], report['notes']], [[], [], []]);
      await run(top, 'compact', 'db');
      const [name, offset] = damagedPlace(join(top, 'db'));
      const bytes = readFileSync(join(top, 'db', name));
      bytes[offset] = (bytes[offset] ?? 0) ^ 1;
      writeFileSync(join(top, 'db', name), bytes);
      const { code, out } = await run(top, 'verify', 'db');
      assert.equal(code, 1);
      assert.match(out, new RegExp(`^damaged db/${name}(:\\d+)? `, 'm'));
      assert.match(out, /^damaged$/m);
    });

    test('stats has the figures', async (scope) => {
      const top = await madeStore(scope, engine);
      const stats = await json(top, 'stats', 'db');
      assert.equal(stats['directory'], 'db');
      assert.equal(stats['engine'], engine);
      assert.ok(Number(stats['diskBytes']) > 0);
      assert.match((await run(top, 'stats', 'db')).out, new RegExp(`^engine +${engine}$`, 'm'));
    });

    test('compact leaves all entries', async (scope) => {
      const top = await madeStore(scope, engine);
      const { code, out } = await run(top, 'compact', 'db');
      assert.equal(code, 0);
      assert.match(out, /^compacted db: [\d,]+ bytes before, [\d,]+ bytes now\n$/);
      assert.deepEqual(await entriesOf(join(top, 'db'), engine), ENTRIES);
    });

    test('a backup of a damaged store is told to be damaged, or refused', async (scope) => {
      const top = await madeStore(scope, engine);
      assert.equal((await run(top, 'compact', 'db')).code, 0);
      const data = readdirSync(join(top, 'db'), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ldb|data|pages)$/.test(name))
        .map((name) => join(top, 'db', name));
      assert.ok(data.length > 0);
      for (const file of data) flipAByte(file);
      const { code, out, err } = await run(top, 'backup', 'db', 'copy');
      if (engine === 'btree') assert.equal(code, 2);
      else assert.deepEqual([code, out.startsWith('copied db')], [1, true]);
      assert.match(err, /damaged/);
    });

    test('a backup is a store, and a restored backup is one again', async (scope) => {
      const top = await madeStore(scope, engine);
      const made = await json(top, 'backup', 'db', 'copy');
      assert.deepEqual([made['directory'], made['target'], made['engine']], ['db', 'copy', engine]);
      assert.equal((await run(top, 'verify', 'copy')).code, 0);
      const restored = await json(top, 'restore', 'copy', 'deep/again');
      assert.equal(restored['directory'], 'deep/again');
      assert.deepEqual(await entriesOf(join(top, 'deep/again'), engine), ENTRIES);
      const inside = await run(top, 'backup', 'db', 'db/../db/copy');
      assert.equal(inside.code, 2);
      assert.match(inside.err, /db\/copy is inside the store \S+db: name a directory outside/);
      assert.equal(existsSync(join(top, 'db/copy')), false);
      for (const command of ['backup', 'restore']) {
        const refused = await run(top, command, 'db', 'copy');
        assert.equal(refused.code, 2);
        assert.match(refused.err, /copy is not empty, it has .*\(HOLDFAST_EXISTS\)\n$/);
      }
    });

    test('a store that is open is left alone by what needs it for itself', async (scope) => {
      const top = await madeStore(scope, engine);
      const db = new HoldfastLevel(join(top, 'db'), { engine });
      await db.open();
      for (const words of [['compact'], ['backup'], ['restore']]) {
        const target = words[0] === 'compact' ? [] : ['copy'];
        const { code, err } = await run(top, ...words, 'db', ...target);
        assert.equal(code, 2);
        assert.match(err, /in use by .*\(HOLDFAST_LOCKED\)\n$/);
        assert.equal(existsSync(join(top, 'copy')), false);
      }
      assert.equal((await run(top, 'dump', 'db')).code, 0);
      await db.close();
    });
  });
}

test('dump shows CURRENT by itself, and says where it names no manifest', async (scope) => {
  const top = await madeStore(scope, 'lsm');
  const { code, out } = await run(top, 'dump', 'db/CURRENT');
  assert.equal(code, 0);
  assert.match(out, /^db\/CURRENT:0 current manifest MANIFEST-\d+\n$/);
  writeFileSync(join(top, 'db/CURRENT'), 'x');
  const damaged = await run(top, 'verify', 'db/CURRENT');
  assert.equal(damaged.code, 1);
  assert.match(damaged.out, /^db\/CURRENT +1 byte +the name of a manifest\n/);
});

test('what is one is counted as one', () => {
  assert.equal(counted(1, 'file'), '1 file');
  assert.equal(counted(0, 'entry', 'entries'), '0 entries');
});

test('a damaged backup is told to be damaged once, with what was found', async (scope) => {
  const top = await madeStore(scope, 'lsm');
  await run(top, 'compact', 'db');
  const [name, offset] = damagedPlace(join(top, 'db'));
  const bytes = readFileSync(join(top, 'db', name));
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(join(top, 'db', name), bytes);
  const { code, err } = await run(top, 'restore', 'db', 'again');
  assert.equal(code, 2);
  assert.match(err, /expected a sound backup, and nothing was restored, found damage \(expected/);
  assert.equal(err.split('is damaged at byte').length, 2);
  assert.equal(existsSync(join(top, 'again')), false);
});

for (const engine of ENGINES) {
  test(`repair of a store of ${engine} says what was lost, and opens it again`, async (scope) => {
    const top = await madeStore(scope, engine);
    await run(top, 'compact', 'db');
    assert.match((await run(top, 'repair', 'db')).out, /^repaired db: 2 entries saved/);
    cpSync(join(top, 'db'), join(top, 'worse'), { recursive: true });
    damageRoot(join(top, 'worse'), engine);
    const { code, out } = await run(top, 'repair', 'worse', '--json');
    assert.equal(code, 1);
    const report = JSON.parse(out) as { savedEntries: number; damage: { message: string }[] };
    assert.ok(report.damage.length > 0);
    assert.deepEqual(await entriesOf(join(top, 'worse'), engine), ENTRIES);
  });
}

test('an interrupted backup or restore leaves nothing, and what they read as it was', async (scope) => {
  const top = await madeStore(scope, 'bitcask');
  for (const command of ['backup', 'restore']) {
    const said = testContext({ cwd: top });
    const running = runCli([command, 'db', 'copy'], said, commandTable, '0');
    while (said.hooks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const hook of said.hooks) await hook();
    // The command itself never ends: the process would.
    assert.equal(await Promise.race([running, Promise.resolve('interrupted')]), 'interrupted');
    assert.equal(existsSync(join(top, 'copy')), false, command);
  }
  assert.deepEqual(await entriesOf(join(top, 'db'), 'bitcask'), ENTRIES);
});

/** Damages what all the rest is found by. */
function damageRoot(directory: string, engine: EngineName): void {
  if (engine !== 'btree') {
    writeFileSync(join(directory, engine === 'lsm' ? 'CURRENT' : 'BITCASK'), '');
    return;
  }
  const pages = readFileSync(join(directory, 'tree.pages'));
  pages.fill(0xff, 60, 80);
  writeFileSync(join(directory, 'tree.pages'), pages);
}

/** A byte of an entry, and the file it is in. */
function damagedPlace(directory: string): [name: string, offset: number] {
  const name = readdirSync(directory).find((each) => /\.(ldb|data|pages)$/.test(each));
  assert.ok(name !== undefined);
  return [name, name === 'tree.pages' ? 2 * 4096 + 8 : 60];
}
