/** Programs that do too much: what is written, how many processes, how long. Each has an answer that says what to do. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import type { RecordProgramOptions } from '../../src/lab/record/program-run.ts';
import { recordProgram } from '../../src/lab/record/record-program.ts';
import { readTraceFile } from '../../src/lab/record/trace-reader.ts';
import { programMissing, straceMissing, tellAll } from '../support/recorded-programs.ts';
import { temporaryDirectory, type TestScope } from '../support/temporary-directory.ts';

interface Place {
  readonly directory: string;
  readonly root: string;
  readonly tracePath: string;
}

function place(t: TestScope): Place {
  const directory = temporaryDirectory(t);
  const root = join(directory, 'root');
  fs.mkdirSync(root);
  return { directory, root, tracePath: join(directory, 'x.trace') };
}

async function record(
  { directory, root, tracePath }: Place,
  command: readonly string[],
  options: Partial<RecordProgramOptions> = {},
): Promise<string[]> {
  const all = { root, tracePath, command, cwd: directory, output: 'ignore', ...options } as const;
  return tellAll(await recordProgram(all));
}

const WRITER = `for (const text of ['12345', '6789', 'ABC']) require('fs').writeFileSync('root/' + text, text)`;

for (const via of ['node', 'strace'] as const) {
  const skip = via === 'strace' && straceMissing();

  test(
    `via ${via}, writes beyond the limit are left out, and the trace says so`,
    { skip },
    async (t) => {
      const command = [process.execPath, '-e', WRITER];
      const lines = await record(place(t), command, { via, limits: { contentBytes: 9 } });
      assert.deepEqual(lines.slice(0, 6), [
        'create 12345 file 644',
        'write 12345 0+5 "12345"',
        'close 12345',
        'create 6789 file 644',
        'write 6789 0+4 "6789"',
        'close 6789',
      ]);
      const cut =
        /^unmodelled what came after the trace was cut: it holds 9 bytes .*; record a shorter run$/;
      assert.match(lines.at(-1) ?? '', cut);
      assert.equal(lines.length, 8, lines.join('\n'));
    },
  );

  test(
    `via ${via}, operations beyond the limit are left out, and the trace says so`,
    { skip },
    async (t) => {
      const command = [process.execPath, '-e', WRITER];
      const lines = await record(place(t), command, { via, limits: { operations: 3 } });
      assert.deepEqual(lines.slice(0, 3), [
        'create 12345 file 644',
        'write 12345 0+5 "12345"',
        'close 12345',
      ]);
      assert.match(lines.at(-1) ?? '', /cut: it holds 3 operations; record a shorter run$/);
    },
  );

  test(
    `via ${via}, a program whose time is over is ended, and kept until then`,
    { skip },
    async (t) => {
      const source = `require('fs').writeFileSync('root/a', 'x');
      require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      setInterval(() => {}, 1000)`;
      const lines = await record(place(t), [process.execPath, '-e', source], {
        via,
        secondsMax: 5,
      });
      assert.deepEqual(lines, [
        'create a file 644',
        'write a 0+1 "x"',
        'close a',
        'unmodelled what came after the trace was cut: the program was ended after 5 s',
      ]);
    },
  );

  test(`via ${via}, a recording that fails keeps the trace that was there`, { skip }, async (t) => {
    const at = place(t);
    await record(at, [process.execPath, '-e', WRITER], { via });
    const before = fs.readFileSync(at.tracePath);
    await assert.rejects(record(at, [process.execPath, '-e', 'process.exit(4)'], { via }), {
      message: /exit code 4/,
    });
    assert.deepEqual(fs.readFileSync(at.tracePath), before);
    assert.deepEqual(fs.readdirSync(at.directory).toSorted(), ['root', 'x.trace']);
  });
}

test('a root that is more than a trace holds is refused, and nothing is left', async (t) => {
  const at = place(t);
  fs.writeFileSync(join(at.root, 'large'), 'twelve bytes');
  const recording = record(at, [process.execPath, '-e', '0'], { limits: { contentBytes: 11 } });
  await assert.rejects(recording, {
    code: 'HOLDFAST_USAGE',
    message: /^the root .* holds more than a trace: it holds 11 bytes .*; record a smaller root$/,
  });
  assert.deepEqual(fs.readdirSync(at.directory), ['root']);
});

test(
  'an interrupted recording ends every process of the program',
  { skip: programMissing('sh') },
  async (t) => {
    const at = place(t);
    const interrupt = new AbortController();
    const started = join(at.root, 'started');
    const script = `(sleep 600 & echo $! > '${started}.part'; mv '${started}.part' '${started}'; wait) & wait`;
    const recording = record(at, ['sh', '-c', script], { via: 'strace', signal: interrupt.signal });
    const outcome = recording.catch((error: unknown) => error);
    while (!fs.existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 20));
    const pid = Number(fs.readFileSync(started, 'utf8'));
    interrupt.abort();
    assert.ok((await outcome) instanceof Error);
    assert.throws(() => {
      const state = /\) (\S)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
      if (state === 'Z') throw new Error('it ended, and its parent has not looked yet');
    });
    assert.deepEqual(fs.readdirSync(at.directory), ['root']);
  },
);

const RECORD = new URL('../../src/lab/record/record-program.js', import.meta.url).href;
const MEBIBYTE = 1024 * 1024;

test('the memory of the recorder does not grow with what the program writes', (t) => {
  const at = place(t);
  const program = `const { openSync, writeSync } = require('fs');
    const fd = openSync('root/large', 'w');
    const data = Buffer.alloc(${MEBIBYTE});
    for (let i = 0; i < 96; i++) { data.writeUInt32LE(i); writeSync(fd, data, 0, data.length, i % 3 * data.length); }`;
  const options = { ...at, command: [process.execPath, '-e', program], cwd: at.directory };
  const recorder = `const { recordToFile } = await import('${RECORD}');
    const summary = await recordToFile(${JSON.stringify(options)});
    console.log(summary.changes, process.resourceUsage().maxRSS);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', recorder], {
    encoding: 'utf8',
    cwd: at.directory,
  });
  const [changes, kibibytes] = stdout.trim().split(' ').map(Number);
  assert.equal(changes, 97, stderr);
  assert.ok(kibibytes !== undefined && kibibytes < 192 * 1024, `${kibibytes} KiB for 96 MiB`);
  assert.ok(fs.statSync(at.tracePath).size > 96 * MEBIBYTE);
});

test('a trace can be written to what is no file', { skip: programMissing('sh') }, async (t) => {
  const at = place(t);
  const link = join(at.directory, 'link');
  const real = join(at.directory, 'real.trace');
  fs.writeFileSync(real, 'before');
  fs.symlinkSync('real.trace', link);
  await record({ ...at, tracePath: link }, [process.execPath, '-e', WRITER]);
  assert.equal(fs.readlinkSync(link), 'real.trace');
  assert.equal(readTraceFile(real).operations.length, 10);
});
