/** Programs that nobody here wrote, recorded through strace: every change explained, nothing left unnamed. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Trace } from '../../src/lab/record/operation.ts';
import { recordProgram } from '../../src/lab/record/record-program.ts';
import { programMissing, recordCommand, tellAll } from '../support/recorded-programs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function unmodelled(trace: Trace): string[] {
  return trace.operations.flatMap((one) => (one.kind === 'unmodelled' ? [one.what] : []));
}

const GIT = 'git -c user.name=n -c user.email=e@x -c core.fsync=all -c core.fsyncMethod=fsync';

test('git commit', { skip: programMissing('git') }, async (t) => {
  const script = `cd root && git init -q . && echo text > file && git add file && ${GIT} commit -qm one`;
  const { trace } = await recordCommand(t, ['sh', '-c', script]);
  assert.deepEqual(unmodelled(trace), []);
  const lines = tellAll(trace);
  assert.ok(lines.includes('create file file 644'), lines.join('\n'));
  assert.ok(lines.some((line) => /^rename \.git\/refs\/heads\/\w+ from /.test(line)));
  assert.ok(
    lines.some((line) => /^sync \.git\/.* all$/.test(line)),
    lines.join('\n'),
  );
  assert.equal(lines.at(-1), 'mark exit "0"');
});

const SQL = `create table t(a); insert into t values('first'); insert into t values('second'); select count(*) from t;`;

test(
  'a transaction of sqlite3 with a rollback journal',
  { skip: programMissing('sqlite3') },
  async (t) => {
    const { trace } = await recordCommand(t, ['sqlite3', 'root/db', SQL]);
    assert.deepEqual(unmodelled(trace), []);
    const lines = tellAll(trace);
    const sequence = [
      'create db-journal',
      'sync db-journal',
      'sync .',
      'write db',
      'sync db',
      'unlink db-journal',
      'mark stdout "2\\n"',
    ];
    let at = 0;
    for (const line of lines) if (line.startsWith(sequence[at] ?? 'none left')) at += 1;
    assert.equal(at, sequence.length, `${sequence[at]} is missing in\n${lines.join('\n')}`);
  },
);

test(
  'a transaction of sqlite3 with a write-ahead log names the shared mapping',
  { skip: programMissing('sqlite3') },
  async (t) => {
    const { trace } = await recordCommand(t, [
      'sqlite3',
      'root/db',
      `pragma journal_mode=wal; ${SQL}`,
    ]);
    assert.deepEqual(unmodelled(trace), ['a shared writable mapping: db-shm']);
    assert.ok(tellAll(trace).some((line) => line.startsWith('write db-wal 0+')));
  },
);

const PYTHON = `
import ctypes, os, threading
os.chdir('root')
fd = os.open('a', os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o640)
os.write(fd, b'one'); os.write(fd, b'two'); os.fdatasync(fd)
copy = os.dup(fd)
os.close(fd)
os.write(copy, b'three')
os.close(copy)
here = os.open('.', os.O_RDONLY | os.O_DIRECTORY)
os.rename('a', 'b', src_dir_fd=here, dst_dir_fd=here)
os.fsync(here)
nameless = os.open('.', os.O_TMPFILE | os.O_WRONLY, 0o600)
os.write(nameless, b'hidden')
os.link('/proc/self/fd/%d' % nameless, 'named', src_dir_fd=here, follow_symlinks=True)
os.posix_fallocate(nameless, 0, 100)
os.truncate('named', 3)
child = os.fork()
if child == 0:
    os.write(nameless, b'from the child')
    os._exit(0)
os.waitpid(child, 0)
os.write(nameless, b'after it')
def work():
    with open('thread', 'wb', buffering=0) as file: file.write(b't')
thread = threading.Thread(target=work); thread.start(); thread.join()
os.pwritev(nameless, [b'x', b'y'], 0, os.RWF_DSYNC)
ctypes.CDLL(None).syncfs(here)
print('done', flush=True)
`;

test(
  'a Python script with descriptors shared, duplicated and inherited',
  { skip: programMissing('python3') },
  async (t) => {
    const { trace } = await recordCommand(t, ['python3', '-c', PYTHON]);
    const ours = tellAll(trace).filter((line) => !line.startsWith('mark stdout ""'));
    assert.deepEqual(ours, [
      'create a file 640',
      'append a 0+3 "one"',
      'append a 3+3 "two"',
      'sync a data',
      'append a 6+5 "three"',
      'close a',
      'rename b from a',
      'sync . all',
      'create ./(no name) file 600',
      'write ./(no name) 0+6 "hidden"',
      'link named',
      'allocate ./(no name) extend 0+100',
      'truncate named 3',
      'write ./(no name) 6+14 "from the child"',
      'write ./(no name) 20+8 "after it"',
      'create thread file 644',
      'write thread 0+1 "t"',
      'close thread',
      'write ./(no name) 0+2 "xy" data',
      'sync-all',
      'mark stdout "done\\n"',
      'mark exit "0"',
    ]);
  },
);

test(
  'shell redirections, copies and moves',
  { skip: programMissing('cp', 'mv', 'dd') },
  async (t) => {
    const script = `cd root; exec > out; echo one; (echo two; echo three) >> out; cat out > both; cp both copy
    mv copy moved; dd if=both of=dd bs=2 count=2 conv=fsync status=none; ln -s moved link; rm -r sub; mkdir -p a/b; mv a c
    sync -d moved`;
    const { trace, root } = await recordCommand(t, ['sh', '-c', script], { 'sub/file': 'x' });
    assert.deepEqual(unmodelled(trace), []);
    assert.equal(fs.readFileSync(join(root, 'moved'), 'utf8'), 'one\ntwo\nthree\n');
    const lines = tellAll(trace);
    for (const expected of [
      'write out 0+4 "one\\n"',
      'append out 8+6 "three\\n"',
      'rename moved from copy',
      'sync dd all',
      'sync moved data',
      'unlink sub',
    ]) {
      assert.ok(lines.includes(expected), `${expected} is missing in\n${lines.join('\n')}`);
    }
  },
);

/** Statically linked, and part of every Debian. */
const STATIC = '/sbin/ldconfig';

test('a static binary', { skip: programMissing(STATIC) }, async (t) => {
  const { trace } = await recordCommand(t, [STATIC, '-X', '-C', 'root/cache']);
  assert.deepEqual(unmodelled(trace), []);
  const lines = tellAll(trace);
  assert.ok(lines.includes('sync cache~ all'), lines.join('\n'));
  assert.equal(lines.at(-2), 'rename cache from cache~');
});

test('many processes and threads at once', { skip: programMissing('sh') }, async (t) => {
  const script =
    'for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4; do echo $i$j >> root/f$i; done) & done; wait';
  const { trace } = await recordCommand(t, ['sh', '-c', script]);
  assert.deepEqual(unmodelled(trace), []);
  const writes = tellAll(trace).filter((line) => line.startsWith('append'));
  assert.equal(writes.length, 32);
  assert.ok(writes.includes('append f8 9+3 "84\\n"'), writes.join('\n'));
});

test(
  'a program that fails, is killed or cannot be run is refused by name',
  { skip: programMissing('sh') },
  async (t) => {
    const directory = temporaryDirectory(t);
    const root = join(directory, 'root');
    fs.mkdirSync(root);
    fs.writeFileSync(join(directory, 'no-program'), 'not a program', { mode: 0o755 });
    const cases: [string[], RegExp][] = [
      [['sh', '-c', 'exit 3'], /^the recorded program failed with exit code 3: sh -c exit 3$/],
      [['sh', '-c', 'kill -9 $$'], /^the recorded program was ended by SIGKILL: /],
      [['missing-program'], /^the program missing-program is not there$/],
      [['./no-program'], /no-program/],
    ];
    for (const [command, message] of cases) {
      const tracePath = join(directory, 'x.trace');
      await assert.rejects(
        recordProgram({
          root,
          command,
          via: 'strace',
          tracePath,
          cwd: directory,
          output: 'ignore',
        }),
        { code: 'HOLDFAST_USAGE', message },
      );
    }
    assert.deepEqual(fs.readdirSync(directory).toSorted(), ['no-program', 'root']);
  },
);

test(
  'the stack of the process at each call, where strace can tell it',
  { skip: stacksMissing() },
  async (t) => {
    const directory = temporaryDirectory(t);
    const root = join(directory, 'root');
    fs.mkdirSync(root);
    const command = ['sh', '-c', 'echo x > root/f'];
    const options = { root, command, via: 'strace', stacks: true, output: 'ignore' } as const;
    const trace = await recordProgram({ ...options, cwd: directory });
    const create = trace.operations.find(({ kind }) => kind === 'create');
    const files = (trace.stacks[create?.stack ?? -1] ?? []).map(({ file }) => file);
    assert.ok(
      files.some((file) => file.includes('libc')),
      files.join(),
    );
    assert.ok(
      files.some((file) => /\/(?:dash|bash|sh)$/.test(file)),
      files.join(),
    );
  },
);

function stacksMissing(): string | false {
  const missing = programMissing('sh');
  if (missing !== false) return missing;
  const { status } = spawnSync('strace', ['--stack-traces', '-o', '/dev/null', 'true']);
  return status === 0 ? false : 'this strace cannot unwind stacks';
}
