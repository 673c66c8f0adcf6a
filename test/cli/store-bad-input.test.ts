/**
 * Bad input to stores, engine by engine: the golden stores that are damaged, newer or foreign, as the command line and
 * as a program meet them, and calls that go over a limit, come too late or find the disk full. One clear line with a
 * code of docs/errors.md; nothing is lost, changed or left half open.
 */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { commandTable } from '../../src/cli/command-table.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testContext } from '../support/test-context.ts';

const GOLDEN = fileURLToPath(new URL('../../../test/golden', import.meta.url));
const ERRORS = readFileSync(
  fileURLToPath(new URL('../../../docs/errors.md', import.meta.url)),
  'utf8',
);

type EngineName = 'lsm' | 'bitcask' | 'btree';

/** Of each golden store that is not to be opened: the code, and the file that the line names. */
const REFUSED: Readonly<Record<EngineName, Readonly<Record<string, readonly [string, string]>>>> = {
  lsm: {
    'damaged-log': ['HOLDFAST_CORRUPTION', '000002.log'],
    'missing-log': ['HOLDFAST_CORRUPTION', '000003.log'],
    'damaged-table': ['HOLDFAST_CORRUPTION', '000005.ldb'],
    'cut-table': ['HOLDFAST_CORRUPTION', '000005.ldb'],
    'missing-table': ['HOLDFAST_CORRUPTION', '000005.ldb'],
    'damaged-manifest': ['HOLDFAST_CORRUPTION', 'MANIFEST-000001'],
    'missing-manifest': ['HOLDFAST_CORRUPTION', 'CURRENT'],
    'empty-current': ['HOLDFAST_CORRUPTION', 'CURRENT'],
    'missing-current': ['HOLDFAST_CORRUPTION', 'CURRENT'],
    'newer-format': ['HOLDFAST_FORMAT', 'MANIFEST-000001'],
    'other-order': ['HOLDFAST_FOREIGN', 'MANIFEST-000001'],
  },
  bitcask: {
    'damaged-data': ['HOLDFAST_CORRUPTION', '0000000001.data'],
    'cut-data': ['HOLDFAST_CORRUPTION', '0000000001.data'],
    'missing-data': ['HOLDFAST_CORRUPTION', '0000000001.data'],
    'damaged-manifest': ['HOLDFAST_CORRUPTION', 'BITCASK'],
    'missing-manifest': ['HOLDFAST_CORRUPTION', 'BITCASK'],
    'newer-data': ['HOLDFAST_FORMAT', '0000000001.data'],
  },
  btree: {
    'damaged-meta-page': ['HOLDFAST_CORRUPTION', 'tree.pages'],
    'damaged-page': ['HOLDFAST_CORRUPTION', 'tree.pages'],
    'cut-pages': ['HOLDFAST_CORRUPTION', 'tree.pages'],
    'missing-log': ['HOLDFAST_CORRUPTION', 'log'],
    'missing-pages': ['HOLDFAST_CORRUPTION', 'tree.pages'],
    'newer-format': ['HOLDFAST_FORMAT', 'tree.pages'],
    'not-ours': ['HOLDFAST_FOREIGN', 'tree.pages'],
  },
};

/** Damage that only reading what is there finds: `open` does not read all tables and pages. */
const FOUND_BY_READING = new Set(['damaged-table', 'damaged-data', 'damaged-page', 'cut-pages']);

/** What is too large for an engine, and cheap to make. */
const TOO_LARGE: Readonly<Record<EngineName, () => [key: Buffer, value: Buffer]>> = {
  lsm: () => [Buffer.from('k'), Buffer.allocUnsafe(2 ** 28)],
  bitcask: () => [Buffer.alloc(70_000, 'k'), Buffer.from('v')],
  btree: () => [Buffer.alloc(2000, 'k'), Buffer.from('v')],
};

function content(directory: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(directory.length)] = readFileSync(path, 'hex');
  }
  return files;
}

/** Opens a store and reads all of it. */
async function readAll(directory: string, engine: EngineName): Promise<void> {
  const db = new HoldfastLevel(directory, { engine });
  try {
    await db.open();
    await db.iterator().all();
  } finally {
    await db.close();
  }
}

/** The code of an error, or of its cause where opening failed. */
function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: string; cause?: unknown };
  return code === 'LEVEL_DATABASE_NOT_OPEN' ? codeOf(cause) : (code ?? String(error));
}

for (const [engine, cases] of Object.entries(REFUSED) as [EngineName, typeof REFUSED.lsm][]) {
  suite(`bad input to a store of ${engine}`, () => {
    for (const [name, [code, file]] of Object.entries(cases)) {
      test(`${name}: ${code}, and nothing is changed`, async (scope) => {
        const top = temporaryDirectory(scope);
        const db = join(top, 'db');
        cpSync(join(GOLDEN, engine, 'v1', name), db, { recursive: true });
        const before = content(db);
        const reading = await readAll(db, engine).then(
          () => assert.fail('it was read'),
          (error: unknown) => error,
        );
        assert.equal(codeOf(reading), code);
        assert.match(ERRORS, new RegExp(`^## ${code}$`, 'm'));
        if (FOUND_BY_READING.has(name)) return;
        const said = testContext({ cwd: top });
        assert.equal(await runCli(['compact', 'db'], said, commandTable, '0'), 2);
        assert.match(said.err, new RegExp(`^holdfast compact: [^\\n]+ \\(${code}\\)\\n$`));
        assert.ok(said.err.includes(file), said.err);
        assert.doesNotMatch(said.err, /internal error|\n +at /);
        assert.deepEqual(content(db), before);
      });
    }

    test('the directory of another program is left alone', async (scope) => {
      const top = temporaryDirectory(scope);
      mkdirSync(join(top, 'mail'));
      writeFileSync(join(top, 'mail/letter.txt'), 'text');
      const before = content(top);
      await assert.rejects(readAll(join(top, 'mail'), engine), (error) => {
        assert.equal(codeOf(error), 'HOLDFAST_FOREIGN');
        return true;
      });
      for (const command of ['stats', 'compact', 'repair']) {
        const said = testContext({ cwd: top });
        assert.equal(await runCli([command, 'mail'], said, commandTable, '0'), 2);
        assert.match(said.err, /mail holds no store: there is none of .*\(HOLDFAST_MISSING\)\n$/);
      }
      assert.deepEqual(content(top), before);
    });

    test('what is too large, too late or finds no room is refused, and the rest goes on', async () => {
      const vfs = new MemoryVfs();
      const options = { engine, dispatch: new SyncDispatch(vfs), keyEncoding: 'buffer' } as const;
      const buffers = { ...options, valueEncoding: 'buffer' } as const;
      const db = new HoldfastLevel<Buffer, Buffer>('/db', buffers);
      const [a, b] = [Buffer.from('a'), Buffer.from('b')];
      await db.put(a, a);
      const [key, value] = TOO_LARGE[engine]();
      await assert.rejects(db.put(key, value), { code: 'HOLDFAST_TOO_LARGE' });
      vfs.capacityBytes = 0;
      await assert.rejects(db.put(b, Buffer.alloc(3 << 20)), { code: 'ENOSPC' });
      vfs.capacityBytes = Infinity;
      await db.put(b, b);
      await db.close();
      await assert.rejects(db.put(a, b), { code: 'LEVEL_DATABASE_NOT_OPEN' });
      const again = new HoldfastLevel<Buffer, Buffer>('/db', buffers);
      await again.open();
      assert.deepEqual(await again.iterator().all(), [
        [a, a],
        [b, b],
      ]);
      await again.close();
    });
  });
}
