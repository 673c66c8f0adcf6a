/** Every form in which a Node program can call the file system: the recorder must see what strace sees. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { recordSource, straceMissing, tellAll } from '../support/recorded-programs.ts';

const skip = straceMissing();

const FILES = { 'a.json': '{"old":true}', log: 'one\n', 'sub/inner': 'x' };

/** What strace shows of a copy has no bytes: they are read from the files, which must be as they were until then. */
const PAUSE = `
function pause() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300); }
`;

/** Names that Node chooses at random. */
function withoutRandom(line: string): string {
  return line.replaceAll(/(root-|dir-)[A-Za-z0-9]{6}\b/g, '$1XXXXXX');
}

/** Records a program both ways; gives what the recorder saw. */
async function seenAlike(
  t: TestContext,
  source: string,
  order: 'exact' | 'any' = 'exact',
): Promise<string[]> {
  const program = `${source}${PAUSE}`;
  const recorded = await recordSource(t, program, { files: FILES });
  const traced = await recordSource(t, program, { files: FILES, via: 'strace' });
  const ours = tellAll(recorded.trace).map(withoutRandom);
  const theirs = tellAll(traced.trace).map(withoutRandom);
  if (order === 'exact') assert.deepEqual(ours, theirs);
  else assert.deepEqual(ours.toSorted(), theirs.toSorted());
  return ours;
}

test('blocking calls', { skip }, async (t) => {
  const lines = await seenAlike(
    t,
    `
import fs from 'node:fs';
process.chdir('root');
fs.writeFileSync('s', 'text');
fs.writeFileSync('b', Buffer.from('bytes'), { mode: 0o600 });
fs.writeFileSync('b', 'over', { flush: true });
fs.appendFileSync('log', 'two\\n');
fs.appendFileSync('log', Buffer.from('three\\n'));
const fd = fs.openSync('f', 'w+', 0o640);
fs.writeSync(fd, 'abc');
fs.writeSync(fd, Buffer.from('defgh'), 1, 3);
fs.writeSync(fd, 'Z', 0);
fs.writeSync(fd, 'ü', 4, 'latin1');
fs.writevSync(fd, [Buffer.from('v1'), Buffer.from('v2')]);
fs.writevSync(fd, [Buffer.from('w')], 2);
fs.readSync(fd, Buffer.alloc(2), 0, 2, null);
fs.writeSync(fd, 'tail');
fs.ftruncateSync(fd, 4);
fs.fsyncSync(fd);
fs.fdatasyncSync(fd);
fs.fchmodSync(fd, 0o600);
fs.fchownSync(fd, process.getuid(), process.getgid());
fs.futimesSync(fd, 1, 1);
fs.writeFileSync(fd, 'more');
fs.closeSync(fd);
fs.truncateSync('f', 2);
fs.chmodSync('f', 0o644);
fs.chownSync('f', process.getuid(), process.getgid());
fs.lchownSync('f', process.getuid(), process.getgid());
fs.linkSync('f', 'g');
fs.symlinkSync('f', 'l');
fs.writeFileSync('l', 'through the link');
fs.renameSync('g', 'a.json');
fs.mkdirSync('d');
fs.mkdirSync('d/e/f/g', { recursive: true });
fs.mkdirSync('d/e', { recursive: true });
fs.mkdtempSync('dir-');
fs.copyFileSync('f', 'copy');
pause();
fs.copyFileSync('log', 'copy');
pause();
fs.rmdirSync('d/e/f/g');
fs.unlinkSync('copy');
try { fs.renameSync('missing', 'x'); } catch {}
try { fs.writeFileSync('a.json', 'x', { flag: 'wx' }); } catch {}
const directory = fs.openSync('.', 'r');
fs.fsyncSync(directory);
fs.closeSync(directory);
console.log('done');
`,
  );
  assert.ok(lines.includes('append log 4+4 "two\\n"'), lines.join('\n'));
  assert.ok(lines.includes('mark stdout "done\\n"'));
  assert.ok(lines.includes('sync . all'));
});

test('calls with a callback', { skip }, async (t) => {
  await seenAlike(
    t,
    `
import fs from 'node:fs';
import { promisify } from 'node:util';
const call = (name, ...args) => promisify(fs[name])(...args);
process.chdir('root');
await call('writeFile', 's', 'text');
await call('writeFile', 's', Buffer.from('bytes'));
await call('appendFile', 'log', 'two\\n');
const fd = await call('open', 'f', 'w+');
await call('write', fd, 'abc');
await call('write', fd, Buffer.from('defgh'), 1, 3, 0);
await call('writev', fd, [Buffer.from('v1'), Buffer.from('v2')], 1);
await call('ftruncate', fd, 4);
await call('fsync', fd);
await call('fdatasync', fd);
await call('fchmod', fd, 0o600);
await call('close', fd);
await call('truncate', 'f', 2);
await call('chmod', 'f', 0o644);
await call('link', 'f', 'g');
await call('symlink', 'f', 'l');
await call('rename', 'g', 'a.json');
await call('mkdir', 'd/e/f', { recursive: true });
await call('mkdtemp', 'dir-');
await call('copyFile', 'f', 'copy');
pause();
await call('rmdir', 'd/e/f');
await call('unlink', 'copy');
await call('rm', 'd', { recursive: true });
`,
  );
});

test('promises and file handles', { skip }, async (t) => {
  await seenAlike(
    t,
    `
import { open, writeFile, appendFile, rename, mkdir, rm, link, symlink, copyFile, truncate, unlink, chmod, mkdtemp, rmdir }
  from 'node:fs/promises';
process.chdir('root');
await writeFile('s', 'text');
await writeFile('s', (function* () { yield 'one'; yield 'two'; })());
await writeFile('t', 'flushed', { flush: true });
await appendFile('log', 'two\\n');
const handle = await open('f', 'w+', 0o640);
await handle.write('abc');
await handle.write(Buffer.from('defgh'), 1, 3, 0);
await handle.writev([Buffer.from('v1'), Buffer.from('v2')]);
await handle.appendFile('more');
await handle.truncate(4);
await handle.sync();
await handle.datasync();
await handle.chmod(0o600);
await handle.writeFile('whole');
await handle.close();
await using(await open('log', 'r+'));
async function using(file) { await file.read(Buffer.alloc(3), 0, 3, null); await file.write('!'); await file.close(); }
await truncate('f', 2);
await chmod('f', 0o644);
await link('f', 'g');
await symlink('f', 'l');
await rename('g', 'a.json');
await mkdir('d/e/f', { recursive: true });
await mkdtemp('dir-');
await copyFile('f', 'copy');
pause();
await rmdir('d/e/f');
await unlink('copy');
await rm('d', { recursive: true });
`,
  );
});

test('streams', { skip }, async (t) => {
  await seenAlike(
    t,
    `
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
const stream = fs.createWriteStream('root/st', { flush: true });
stream.write('one');
await once(stream, 'open');
stream.write('two');
stream.end('three');
await once(stream, 'close');
await pipeline(fs.createReadStream('root/a.json'), fs.createWriteStream('root/log', { flags: 'a' }));
const handle = await open('root/h', 'w');
const second = handle.createWriteStream({ start: 2 });
second.end('at two');
await once(second, 'close');
`,
  );
});

test('flags, and paths in every form', { skip }, async (t) => {
  const lines = await seenAlike(
    t,
    `
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
const { O_WRONLY, O_CREAT, O_EXCL, O_DSYNC, O_SYNC, O_TRUNC, O_APPEND, O_RDWR, O_NOFOLLOW } = fs.constants;
const use = (path, flags, ...more) => { const fd = fs.openSync(path, flags, ...more); fs.writeSync(fd, 'x'); fs.closeSync(fd); };
use('root/d', O_WRONLY | O_CREAT | O_EXCL | O_DSYNC);
use('root/s', O_WRONLY | O_CREAT | O_SYNC, 0o600);
use('root/a.json', O_WRONLY | O_TRUNC);
use('root/log', O_RDWR | O_APPEND | O_NOFOLLOW);
for (const flag of ['a', 'ax', 'a+', 'as', 'as+', 'w', 'wx', 'w+', 'r+', 'rs+']) {
  const fresh = flag.includes('x') ? 'root/new-' + flag : 'root/log';
  const fd = fs.openSync(fresh, flag);
  fs.writeSync(fd, 'y', 0);
  fs.closeSync(fd);
}
fs.writeFileSync(Buffer.from('root/buffer'), 'b');
fs.writeFileSync(pathToFileURL(resolve('root/url ü')), 'u');
fs.writeFileSync('./root/../root/sub/./dotted', 'd');
fs.symlinkSync(resolve('root'), 'outside-link');
fs.writeFileSync('outside-link/through', 't');
fs.symlinkSync(resolve('root/log'), 'link-to-log');
fs.appendFileSync('link-to-log', 'through a link to a file');
fs.symlinkSync('..', 'root/up');
fs.writeFileSync('root/up/outside', 'not recorded');
fs.writeFileSync('root/up/root/inside', 'recorded');
`,
  );
  assert.ok(lines.includes('write d 0+1 "x" data'), lines.join('\n'));
  assert.ok(lines.includes('write s 0+1 "x" all'));
  assert.ok(lines.includes('create through file 644'));
  assert.ok(lines.includes('create inside file 644'));
  assert.ok(!lines.some((line) => line.includes('outside')));
});

test('copies and removals of whole trees', { skip }, async (t) => {
  const program = `
import fs from 'node:fs';
process.chdir('root');
fs.mkdirSync('from/deep', { recursive: true });
fs.writeFileSync('from/one', '1');
fs.writeFileSync('from/deep/two', '2');
fs.cpSync('from', 'sync', { recursive: true });
fs.cpSync('log', 'from/one');
await fs.promises.cp('from', 'promised', { recursive: true });
await new Promise((done) => fs.cp('from', 'called', { recursive: true }, done));
`;
  const names = (lines: readonly string[]): string[] =>
    lines
      .filter((line) => /^(?:create|write|unlink)/.test(line))
      .map((line) => line.replace(/ (?:file|directory) \\d+$/, ''))
      .toSorted();
  const recorded = await recordSource(t, program, { files: FILES });
  const traced = await recordSource(t, program, { files: FILES, via: 'strace' });
  // Newer Nodes copy in native code, with other modes in between and in another order.
  const creates = (lines: readonly string[]): string[] =>
    names(lines).map((line) => line.replace(/ (file|directory) [0-7]+$/, ' $1'));
  assert.deepEqual(creates(tellAll(recorded.trace)), creates(tellAll(traced.trace)));
  assert.ok(!tellAll(recorded.trace).some((line) => line.startsWith('unmodelled')));
  await seenAlike(
    t,
    `
import fs from 'node:fs';
fs.mkdirSync('root/tree/deep/er', { recursive: true });
for (const name of ['1', '2', 'deep/3', 'deep/er/4']) fs.writeFileSync('root/tree/' + name, name);
fs.rmSync('root/tree', { recursive: true });
fs.rmSync('root/missing', { force: true });
fs.rmSync('root/log');
try { fs.rmSync('root/sub'); } catch {}
`,
    'any',
  );
});

test(
  'workers and child processes of Node, also with an environment of their own',
  { skip },
  async (t) => {
    const lines = await seenAlike(
      t,
      `
import fs from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { fork, spawn, spawnSync, execFileSync } from 'node:child_process';
fs.writeFileSync('child.cjs', "require('fs').writeFileSync(process.argv[2], process.argv[2]); console.log('told', process.argv[2]);");
fs.writeFileSync('worker.mjs', "import { writeFileSync } from 'node:fs'; writeFileSync('root/worker-file', 'w'); console.log('from worker');");
await once(new Worker("require('fs').writeFileSync('root/worker-text', 'w')", { eval: true }), 'exit');
await once(new Worker(new URL('worker.mjs', import.meta.url)), 'exit');
await once(fork('child.cjs', ['root/forked']), 'exit');
await once(spawn(process.execPath, ['child.cjs', 'root/spawned'], { env: { HOME: '/' }, stdio: 'inherit' }), 'exit');
spawnSync(process.execPath, ['child.cjs', 'root/sync'], { env: {}, stdio: 'inherit' });
execFileSync(process.execPath, ['child.cjs', 'root/exec']);
`,
    );
    assert.ok(lines.includes('mark stdout "told root/sync\\n"'), lines.join('\n'));
    assert.ok(!lines.some((line) => line.includes('told root/exec')), 'its output was a pipe');
    assert.ok(!lines.some((line) => line.startsWith('unmodelled')), lines.join('\n'));
  },
);
