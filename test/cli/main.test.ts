import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandTable } from '../../src/cli/command-table.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { testContext } from '../support/test-context.ts';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const processContext = new URL('../../src/cli/process-context.js', import.meta.url).href;
let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-main-'));
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Writes a small program that uses the process context the way `main.ts` does. */
async function program(name: string, body: string): Promise<string> {
  const path = join(directory, name);
  const text = `import { processContext } from ${JSON.stringify(processContext)};
import { writeFileSync } from 'node:fs';
const context = processContext();
${body}`;
  await writeFile(path, text);
  return path;
}

test('the program prints the version of its package', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' });
  assert.equal(status, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('wrong use ends the process with exit code 2', () => {
  const { status, stderr } = spawnSync(process.execPath, [main, 'nonsense'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /^holdfast: unknown command 'nonsense'/);
});

test('the list of commands is that of the table, and each command explains itself', async () => {
  const help = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
  assert.equal(help.status, 0, help.stderr);
  const names = [...help.stdout.matchAll(/^ {2}(\S+) {2}/gm)].map((match) => match[1] ?? '');
  assert.deepEqual(names, Object.keys(commandTable));
  for (const name of names) {
    const context = testContext();
    assert.equal(await runCli([name, '--help'], context, commandTable, ''), 0, name);
    assert.ok(context.out.startsWith(`Usage: holdfast ${name} `), context.out);
  }
});

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} runs the hooks, the last one first, and exits ${exitCode}`, async () => {
    const log = join(directory, `${signal}.log`);
    const path = await program(
      `${signal}.mjs`,
      `context.onInterrupt(() => writeFileSync(${JSON.stringify(log)}, 'last ', { flag: 'a' }));
       const undo = context.onInterrupt(() => writeFileSync(${JSON.stringify(log)}, 'undone '));
       context.onInterrupt(async () => {
         await null;
         writeFileSync(${JSON.stringify(log)}, 'first ', { flag: 'a' });
         throw new Error('no matter');
       });
       undo();
       setInterval(() => {}, 1000);
       context.stdout.write('ready');`,
    );
    const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => child.kill(signal));
    const [code] = await once(child);
    assert.equal(code, exitCode);
    assert.equal(readFileSync(log, 'utf8'), 'first last ');
  });
}

test('a reader that goes away ends the command quietly, after its hooks', async () => {
  const flag = join(directory, 'cleaned');
  const path = await program(
    'pipe.mjs',
    `context.onInterrupt(() => writeFileSync(${JSON.stringify(flag)}, ''));
     setInterval(() => context.stdout.write('x'.repeat(65536)), 1);`,
  );
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = await once(child);
  assert.equal(code, 141);
  assert.equal(err, '');
  assert.ok(existsSync(flag));
});

test('long output through a pipe arrives whole before the process ends', async () => {
  const path = await program(
    'long.mjs',
    `context.stdout.write('x'.repeat(1_000_000)); await context.end(3);`,
  );
  const { status, stdout } = spawnSync(process.execPath, [path], { encoding: 'utf8' });
  assert.equal(status, 3);
  assert.equal(stdout.length, 1_000_000);
});

/** The exit code and signal of a child. */
function once(child: ReturnType<typeof spawn>): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
}
