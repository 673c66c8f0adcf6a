/**
 * The golden logs of `test/golden/log`: today's code writes the same bytes, and says of each good and damaged one
 * what is written beside it. HOLDFAST_GOLDEN=write makes them anew: for a new version of the format, in a new folder.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { commandTable } from '../../src/cli/command-table.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { HoldfastError } from '../../src/base/errors.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';
import { aloneWith } from '../support/alone-options.ts';
import { GOLDEN_LOGS, type Files } from '../support/log-goldens.ts';
import { testContext } from '../support/test-context.ts';

const TOP = fileURLToPath(new URL('../../../test/golden/log/v1', import.meta.url));

/** What `dump`, `verify` and opening say, one after the other. */
async function said(directory: string): Promise<string> {
  const parts: string[] = [];
  for (const command of ['dump', 'verify']) {
    const context = testContext({ cwd: directory });
    const code = await runCli([command, '.'], context, commandTable, '0');
    parts.push(`$ holdfast ${command} .\n${context.out}${context.err}exit code ${code}\n`);
  }
  return [...parts, opening(filesIn(directory))]
    .join('\n')
    .replaceAll(`${directory}/`, '')
    .replaceAll(directory, '.');
}

function opening(files: Files): string {
  const vfs = new MemoryVfs();
  vfs.mkdirSync('/log');
  for (const [name, bytes] of files) {
    const file = vfs.openSync(`/log/${name}`, { write: true, create: true });
    file.writeSync(bytes, 0, bytes.length, 0);
    file.closeSync();
  }
  const lines = ['open:'];
  try {
    const log = WriteAheadLog.openSync('/log', aloneWith(vfs));
    const { firstSequence, lastSequence, trustedSequence, dropped, foreign } = log.recovery;
    lines.push(`sequence ${firstSequence} to ${lastSequence}, known durable to ${trustedSequence}`);
    for (const each of dropped) {
      lines.push(`dropped ${each.bytes} bytes at ${each.offset} of ${each.path}: ${each.reason}`);
    }
    lines.push(...foreign.map((name) => `foreign: ${name}`));
    log.closeSync();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    lines.push(`${error.code}: ${error.message}`);
  }
  return `${lines.join('\n')}\n`;
}

function filesIn(directory: string): Files {
  return new Map(
    readdirSync(directory)
      .toSorted()
      .map((name) => [name, readFileSync(join(directory, name))]),
  );
}

for (const { name, make } of GOLDEN_LOGS) {
  test(`golden log ${name}`, async () => {
    const directory = join(TOP, name);
    const expected = `${directory}.txt`;
    const files = await make();
    if (process.env['HOLDFAST_GOLDEN'] === 'write') {
      mkdirSync(directory, { recursive: true });
      for (const [file, bytes] of files) writeFileSync(join(directory, file), bytes);
      writeFileSync(expected, await said(directory));
    }
    const golden = filesIn(directory);
    assert.deepEqual([...golden.keys()], [...files.keys()].toSorted());
    for (const [file, bytes] of files)
      assert.ok(Buffer.from(golden.get(file) ?? []).equals(bytes), `${file} differs`);
    assert.equal(await said(directory), readFileSync(expected, 'utf8'));
  });
}

test('each golden log has its maker', () => {
  const directories = readdirSync(TOP).filter((name) => !name.endsWith('.txt'));
  assert.deepEqual(directories.toSorted(), GOLDEN_LOGS.map(({ name }) => name).toSorted());
});
