/** Whole Node programs under the recorder: published packages, ends of every kind, children, what it cannot see. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import type { Operation, Trace } from '../../src/lab/record/operation.ts';
import { recordProgram } from '../../src/lab/record/record-program.ts';
import { readTraceFile } from '../../src/lab/record/trace-reader.ts';
import { recordSource, tellAll } from '../support/recorded-programs.ts';
import { temporaryDirectory, type TestScope } from '../support/temporary-directory.ts';

const require = createRequire(import.meta.url);

function only(trace: Trace, kind: Operation['kind']): readonly Operation[] {
  return trace.operations.filter((operation) => operation.kind === kind);
}

function unmodelled(trace: Trace): string[] {
  return trace.operations.flatMap((one) => (one.kind === 'unmodelled' ? [one.what] : []));
}

for (const [name, call] of [
  ['write-file-atomic', `await library.default('root/a.json', 'new')`],
  ['atomically', `await library.writeFile('root/a.json', 'new')`],
] as const) {
  test(`the rename of ${name} is recorded with its line inside the package`, async (t) => {
    const url = pathToFileURL(require.resolve(name)).href;
    const source = `const library = await import(${JSON.stringify(url)}); ${call};`;
    const { trace } = await recordSource(t, source, { files: { 'a.json': 'old' } });
    const [rename] = only(trace, 'rename');
    assert.ok(rename !== undefined);
    const frames = trace.stacks[rename.stack] ?? [];
    const frame = frames.find(({ file }) => file.includes(`/node_modules/${name}/`));
    assert.ok(frame !== undefined, JSON.stringify(frames));
    const line = fs.readFileSync(frame.file, 'utf8').split('\n')[frame.line - 1] ?? '';
    assert.match(line, /rename/);
    assert.equal(only(trace, 'sync').length, 1);
    assert.deepEqual(unmodelled(trace), []);
  });
}

test('the stack reaches the code that asked, also through callbacks and promise chains', async (t) => {
  const { trace } = await recordSource(
    t,
    `import fs from 'node:fs';
function saveThen() { return fs.promises.writeFile('root/then', 'x').then(() => 0); }
function saveCallback(done) {
  fs.writeFile('root/callback', 'x', done); }
saveThen().then(() => saveCallback(() => {}));
`,
  );
  for (const operation of trace.operations) {
    if (operation.kind === 'mark') continue;
    const [frame] = trace.stacks[operation.stack] ?? [];
    assert.equal(
      frame?.line,
      operation.path === 'then' ? 2 : 4,
      `${operation.kind} ${operation.path}`,
    );
  }
});

test('calls that overlap are recorded as overlapping', async (t) => {
  const { trace } = await recordSource(
    t,
    `import { open } from 'node:fs/promises';
const handle = await open('root/f', 'w');
const write = handle.write('x');
await handle.sync();
await write;
`,
  );
  const [write] = only(trace, 'write');
  const [sync] = only(trace, 'sync');
  assert.ok(write?.end != null && sync !== undefined);
  assert.ok(write.start < sync.start && sync.start < write.end);
});

test('a call that is under way when the program exits has no end', async (t) => {
  const { trace } = await recordSource(
    t,
    `import fs from 'node:fs';
const fd = fs.openSync('root/f', 'w');
fs.write(fd, 'x', () => {});
process.exit(0);
`,
  );
  const [write] = only(trace, 'write');
  assert.equal(write?.end, null);
});

test('marks and lines of standard output are kept in their place', async (t) => {
  const mark = new URL('../../src/lab/record/mark.js', import.meta.url).href;
  const { trace } = await recordSource(
    t,
    `import fs from 'node:fs';
import { mark } from '${mark}';
fs.writeFileSync('root/a', '1');
mark('one');
process.stdout.write('half a ');
fs.writeFileSync('root/b', '2');
process.stdout.write('line\\nand a second\\nrest');
fs.writeSync(1, ' of it\\n');
console.error('not told');
process.on('exit', () => fs.writeFileSync('root/late', '3'));
`,
  );
  const lines = tellAll(trace).filter(
    (line) => line.startsWith('mark') || line.startsWith('create'),
  );
  assert.deepEqual(lines, [
    'create a file 644',
    'mark mark "one"',
    'create b file 644',
    'mark stdout "half a line\\n"',
    'mark stdout "and a second\\n"',
    'mark stdout "rest of it\\n"',
    'create late file 644',
    'mark exit "0"',
  ]);
});

test('calls that failed on a directory are left out', async (t) => {
  const { trace } = await recordSource(
    t,
    `import fs from 'node:fs';
fs.mkdirSync('root/d');
const fd = fs.openSync('root/d', 'r');
try { fs.ftruncateSync(fd, 1); } catch {}
try { fs.writeSync(fd, 'x'); } catch {}
`,
  );
  assert.deepEqual(tellAll(trace), ['create d directory 755', 'mark exit "0"']);
});

test('changes outside the root are counted, and what comes in from there is named', async (t) => {
  const { trace } = await recordSource(
    t,
    `import fs from 'node:fs';
fs.writeFileSync('outside', 'x');
fs.mkdirSync('other');
fs.renameSync('outside', 'root/came-in');
fs.writeFileSync('link-me', 'x');
fs.linkSync('link-me', 'root/linked-in');
fs.writeFileSync('root/goes-out', 'x');
fs.renameSync('root/goes-out', 'gone');
`,
  );
  assert.ok(trace.ignoredOutside >= 3, String(trace.ignoredOutside));
  const names = unmodelled(trace);
  assert.ok(names.includes('a file renamed into the root from outside: came-in'), names.join());
  assert.ok(names.includes('a file linked into the root from outside: linked-in'), names.join());
  assert.equal(only(trace, 'unlink')[0]?.path, 'goes-out');
});

test('a child that is not Node makes the recording incomplete, by name', async (t) => {
  const { trace } = await recordSource(
    t,
    `import { execFileSync, spawn } from 'node:child_process';
execFileSync('/bin/sh', ['-c', 'echo unseen > root/unseen; true']);
await new Promise((done) => spawn('true').on('exit', done));
`,
  );
  const names = unmodelled(trace);
  assert.ok(
    names.includes('a process that could not be recorded: sh -c echo unseen > root/unseen; true'),
    names.join('\n'),
  );
  assert.ok(names.includes('a process that could not be recorded: true'), names.join('\n'));
  assert.ok(names.includes('a name that was not recorded: unseen'), names.join('\n'));
});

test('a worker without the recorder makes the recording incomplete, by name', async (t) => {
  const { trace } = await recordSource(
    t,
    `import { Worker } from 'node:worker_threads';
await new Promise((done) => new Worker('0', { eval: true, env: {}, execArgv: [] }).on('exit', done));
`,
  );
  assert.deepEqual(unmodelled(trace), ['a thread that could not be recorded: worker 1']);
});

test('native code makes the recording incomplete, by name', async (t) => {
  const { trace } = await recordSource(
    t,
    `import fs from 'node:fs';
fs.writeFileSync('addon.node', 'not really');
try { process.dlopen({ exports: {} }, process.cwd() + '/addon.node'); } catch {}
`,
  );
  assert.deepEqual(unmodelled(trace), ['native code, which may write unseen: addon.node']);
});

test('a program that changes functions of fs is recorded all the same', async (t) => {
  const { trace } = await recordSource(
    t,
    `import fs from 'node:fs';
const { writeSync } = fs;
fs.writeSync = (...args) => writeSync(...args);
fs.writeFileSync('root/a', Buffer.from('x'));
Error.prepareStackTrace = () => 'mine';
fs.renameSync('root/a', 'root/b');
if (new Error().stack !== 'mine') throw new TypeError('the recorder left a trace');
`,
  );
  assert.deepEqual(tellAll(trace).slice(0, 4), [
    'create a file 644',
    'write a 0+1 "x"',
    'close a',
    'rename b from a',
  ]);
});

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

for (const [what, code, expected] of [
  ['exits with another code', 'process.exit(3)', /failed with exit code 3: /],
  ['throws', 'throw new Error("x")', /failed with exit code 1: /],
  ['is killed', 'process.kill(process.pid, "SIGKILL")', /was ended by SIGKILL: /],
] as const) {
  test(`a program that ${what} is refused by name, and nothing is left`, async (t) => {
    const { directory, root, tracePath } = place(t);
    const source = `require('fs').writeFileSync('root/a', 'x'); ${code}`;
    const command = [process.execPath, '-e', source];
    await assert.rejects(
      recordProgram({ root, command, tracePath, cwd: directory, output: 'ignore' }),
      { code: 'HOLDFAST_USAGE', message: expected },
    );
    assert.deepEqual(fs.readdirSync(directory), ['root']);
  });
}

test('what cannot be recorded is refused in one line', async (t) => {
  const { directory, root, tracePath } = place(t);
  const cases: [Partial<Parameters<typeof recordProgram>[0]>, RegExp][] = [
    [{ root: join(directory, 'missing') }, /^the root .*missing cannot be recorded: ENOENT/],
    [{ root: process.execPath }, /cannot be recorded: it is no directory$/],
    [{ tracePath: join(root, 'x.trace') }, /lies in the root .*; put it elsewhere$/],
    [{ tracePath: join(directory, 'no', 'x.trace') }, /cannot be written: no directory/],
    [{ command: [] }, /^no program to record/],
    [{ command: ['missing.mjs'] }, /^the program missing\.mjs is not there$/],
    [{ command: ['true'] }, /^true is not a Node program; record it with --via strace/],
    [{ root: '/' }, /./],
  ];
  for (const [change, message] of cases) {
    const command = [process.execPath, '-e', '0'];
    await assert.rejects(
      recordProgram({ root, command, tracePath, cwd: directory, output: 'ignore', ...change }),
      (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'));
        return true;
      },
    );
  }
  fs.mkdirSync(join(root, 'sub'));
  execFileSync('mkfifo', [join(root, 'sub', 'pipe')]);
  await assert.rejects(
    recordProgram({ root, command: [process.execPath, '-e', '0'], tracePath, output: 'ignore' }),
    /pipe is neither a file, a directory nor a link/,
  );
  assert.deepEqual(fs.readdirSync(directory), ['root']);
});

const REGISTER = new URL('../../src/lab/record/register.js', import.meta.url).href;

function runRegistered(
  { directory, root, tracePath }: Place,
  source: string,
  variables: Record<string, string> = {},
): ReturnType<typeof spawnSync> {
  return spawnSync(process.execPath, ['--import', REGISTER, '-e', source, 'argument'], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, HOLDFAST_ROOT: root, HOLDFAST_TRACE: tracePath, ...variables },
  });
}

test('a program preloaded with the recorder by hand leaves a whole trace and its own exit code', (t) => {
  const at = place(t);
  const source = `require('fs').writeFileSync('root/a', process.argv[1]); process.on('exit', () => require('fs').unlinkSync('root/a')); process.exitCode = 7;`;
  const { status, stderr } = runRegistered(at, source);
  assert.equal(status, 7, String(stderr));
  const lines = tellAll(readTraceFile(at.tracePath));
  assert.deepEqual(lines, [
    'create a file 644',
    'write a 0+8 "argument"',
    'close a',
    'unlink a',
    'mark exit "7"',
  ]);
  assert.deepEqual(fs.readdirSync(at.directory).toSorted(), ['root', 'x.trace']);
});

test('a preloaded program that is killed leaves a trace that is told to be cut', (t) => {
  const at = place(t);
  const { status, stderr } = runRegistered(at, 'process.kill(process.pid, "SIGKILL")');
  assert.equal(status, 2);
  assert.match(String(stderr), /ended by SIGKILL; .* is cut/);
  assert.throws(() => readTraceFile(at.tracePath), { message: /is cut after line \d+/ });
});

test('preloading the recorder without its variables says which are missing', (t) => {
  const at = place(t);
  const { status, stderr } = runRegistered(at, '0', { HOLDFAST_ROOT: '', HOLDFAST_TRACE: '' });
  assert.equal(status, 2);
  assert.match(String(stderr), /HOLDFAST_ROOT/);
});
