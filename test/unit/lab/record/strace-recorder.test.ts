/** Lines of strace as no program of a test makes them at will: wild forks, execs of threads, calls cut short. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NamespaceTracker } from '../../../../src/lab/record/namespace-tracker.ts';
import { snapshotFileTree } from '../../../../src/lab/record/root-snapshot.ts';
import { StraceRecorder } from '../../../../src/lab/record/strace-recorder.ts';
import { treeOf } from '../../../../src/lab/record/trace-builder.ts';
import { TraceCollector } from '../../../../src/lab/record/trace-collector.ts';
import { tellAll } from '../../../support/recorded-programs.ts';

function hex(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

class Lines {
  readonly recorder: StraceRecorder;
  readonly #collector = new TraceCollector();
  readonly #tracker: NamespaceTracker;

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.#tracker = new NamespaceTracker({ rootPath: '/recorded', sink: this.#collector });
    snapshotFileTree(treeOf(files), this.#tracker.tree, this.#collector);
    this.recorder = new StraceRecorder(this.#tracker, {
      root: '/recorded',
      directory: '/recorded',
      umask: 0o22,
      output: { stdout: 'pipe:[1]', sharedWithError: false },
    });
  }

  say(...lines: string[]): this {
    for (const line of lines) this.recorder.line(line);
    return this;
  }

  told(): string[] {
    this.recorder.finish();
    const about = { command: [], root: '/recorded', ignoredOutside: 0 };
    return tellAll(this.#collector.trace(about));
  }
}

function open(pid: number, name: string, fd: number, flags = 'O_WRONLY|O_CREAT'): string {
  return `${pid} openat(AT_FDCWD</recorded>, "${hex(name)}", ${flags}, 0644) = ${fd}<${hex(`/recorded/${name}`)}>`;
}

function write(pid: number, fd: number, text: string): string {
  return `${pid} write(${fd}, "${hex(text)}", ${text.length}) = ${text.length}`;
}

test('more processes at one time than a program should have are refused, those that ended do not count', () => {
  const lines = new Lines().say('1 execve("/bin/sh", [], 0x0) = 0');
  for (let pid = 2; pid < 5000; pid += 1)
    lines.say(`1 fork() = ${pid}`, `${pid} +++ exited with 0 +++`);
  assert.throws(
    () => {
      for (let pid = 5000; pid < 8000; pid += 1) lines.say(`1 fork() = ${pid}`);
    },
    { code: 'HOLDFAST_USAGE', message: /more than 2000 processes and threads at one time/ },
  );
  assert.equal(lines.recorder.pids.length, 2000);
});

test('an exec of a thread takes the place of the first, with its descriptors and without those to close', () => {
  const told = new Lines()
    .say(
      '7 execve("/bin/a", [], 0x0) = 0',
      open(7, 'kept', 3),
      open(7, 'closed', 4, 'O_WRONLY|O_CREAT|O_CLOEXEC'),
    )
    .say('7 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD, exit_signal=0}, 88) = 8')
    .say(
      '8 execve("/bin/b", [], 0x0 <pid changed to 7 ...>',
      '7 +++ superseded by execve in pid 8 +++',
    )
    .say('7 <... execve resumed>) = 0', write(7, 3, 'in'), write(7, 4, 'lost'))
    .say('7 +++ exited with 0 +++')
    .told();
  assert.deepEqual(told, [
    'create kept file 644',
    'create closed file 644',
    'write kept 0+2 "in"',
    'mark exit "0"',
  ]);
});

test('a child of vfork has descriptors of its own and the memory of its parent until it execs', () => {
  const told = new Lines()
    .say(open(1, 'f', 3), '1 vfork( <unfinished ...>', '2 close(3) = 0', write(2, 3, 'nothing'))
    .say('2 execve("/bin/sh", [], 0x0) = 0', '1 <... vfork resumed>) = 2', write(1, 3, 'still'))
    .told();
  assert.deepEqual(told, ['create f file 644', 'write f 0+5 "still"']);
});

test('unshared descriptors are no longer those of the other threads', () => {
  const told = new Lines()
    .say(open(1, 'f', 3), '1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD}, 88) = 2')
    .say('2 unshare(CLONE_FILES) = 0', '2 close(3) = 0', write(1, 3, 'mine'))
    .told();
  assert.deepEqual(told, ['create f file 644', 'write f 0+4 "mine"']);
});

test('writes that a descriptor appends only by its own flag go where RWF_NOAPPEND says', () => {
  const vector = `[{iov_base="${hex('xy')}", iov_len=2}], 1`;
  const told = new Lines({ f: '12345' })
    .say(open(1, 'f', 3, 'O_WRONLY|O_APPEND'), `1 pwritev2(3, ${vector}, 1, RWF_NOAPPEND) = 2`)
    .say(`1 pwritev2(3, ${vector}, 1, 0) = 2`, open(1, 'f', 4, 'O_WRONLY'))
    .say(`1 pwritev2(4, ${vector}, 1, RWF_APPEND) = 2`)
    .told();
  assert.deepEqual(told, ['write f 1+2 "xy"', 'append f 5+2 "xy"', 'append f 7+2 "xy"']);
});

test('a copy that did not return before the end is named', () => {
  const told = new Lines({ f: '12345' })
    .say(
      open(1, 'f', 3),
      `1 copy_file_range(4</x>, NULL, 3<${hex('/recorded/f')}>, NULL, 9, 0 <unfinished ...>`,
    )
    .told();
  assert.deepEqual(told, ['unmodelled f a copy that did not return: f']);
});

test('messages by the dozen are marks, questions to a name server and lines to the log are none', () => {
  const message = (text: string): string =>
    `{msg_hdr={msg_iov=[{iov_base="${hex(text)}", iov_len=9}]}, msg_len=9}`;
  const told = new Lines()
    .say(
      `1 sendmmsg(5<UDP:[1.2.3.4:5->6.7.8.9:10]>, [${message('one')}, ${message('two')}], 3, 0) = 2`,
    )
    .say(`1 sendto(5<UDP:[1.2.3.4:5->6.7.8.9:53]>, "${hex('name')}", 4, 0, NULL, 0) = 4`)
    .say(
      `1 connect(6<UNIX-STREAM:[77]>, {sa_family=AF_UNIX, sun_path="${hex('/run/systemd/x')}"}, 10) = 0`,
    )
    .say(`1 sendto(6<UNIX-STREAM:[77->78]>, "${hex('who')}", 3, 0, NULL, 0) = 3`)
    .say(`1 sendto(7<UNIX-DGRAM:[79]>, "${hex('log')}", 3, 0, NULL, 0) = 3`)
    .say(`1 write(8<TCPv6:[[::1]:80->[::1]:81]>, "${hex('yes')}", 3) = 3`)
    .told();
  assert.deepEqual(told, ['mark mark "onetwo"', 'mark mark "yes"']);
});
