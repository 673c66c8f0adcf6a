/** Every system call that `--via strace` speaks of, made by Python through libc, and what the trace then says. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { programMissing, recordCommand, tellAll } from '../support/recorded-programs.ts';

const skip = programMissing('python3');

const PRELUDE = `
import ctypes, os, sys, platform
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
L = ctypes.c_long
def call(name, *args):
    if getattr(libc, name)(*args) < 0: raise OSError(ctypes.get_errno(), name)
def number(x86, other):
    return x86 if platform.machine() == 'x86_64' else other
def make(name, text=b'', flags=0):
    fd = os.open(name, os.O_CREAT | os.O_RDWR | flags, 0o644)
    if text: os.write(fd, text)
    return fd
os.chdir('root')
`;

/** What a Python program did, without what Python itself told. */
async function told(
  t: TestContext,
  program: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const { trace } = await recordCommand(
    t,
    ['python3', '-I', '-S', '-c', `${PRELUDE}${program}`],
    files,
  );
  const lines = tellAll(trace);
  assert.ok(lines.includes('mark exit "0"'), lines.join('\n'));
  return lines.filter((line) => !/^mark (?:exit "0"|stdout "")$/.test(line));
}

test(
  'descriptors that are duplicated, closed in ranges and left over an exec',
  { skip },
  async (t) => {
    const lines = await told(
      t,
      `
import fcntl, subprocess
a = make('a', b'1')
b = os.dup(a); os.close(a); os.write(b, b'2')
c = os.dup2(b, 7); os.close(b); os.write(c, b'3')
libc.dup3(c, 51, os.O_CLOEXEC); os.close(c); os.write(51, b'4')
d = fcntl.fcntl(51, fcntl.F_DUPFD, 9); os.write(d, b'5')
e = fcntl.fcntl(51, fcntl.F_DUPFD_CLOEXEC, 70); os.write(e, b'6')
os.set_inheritable(d, True)
subprocess.run(['sh', '-c', 'echo from the child >&9; test ! -e /proc/self/fd/51'],
    close_fds=False, check=True)
fcntl.fcntl(d, fcntl.F_SETFL, os.O_APPEND)
os.lseek(d, 0, 0); os.write(d, b'end')
os.closerange(7, 80)
f = make('f'); g = make('g')
libc.syscall(436, L(f), L(f), L(4)) # close_range, CLOSE_RANGE_CLOEXEC
os.set_inheritable(g, True)
os.execv('/bin/sh', ['sh', '-c', 'echo over exec >&%d; test ! -e /proc/self/fd/%d' % (g, f)])
`,
    );
    assert.deepEqual(lines, [
      'create a file 644',
      'write a 0+1 "1"',
      'write a 1+1 "2"',
      'write a 2+1 "3"',
      'write a 3+1 "4"',
      'write a 4+1 "5"',
      'write a 5+1 "6"',
      'write a 6+15 "from the child\\n"',
      'append a 21+3 "end"',
      'close a',
      'create f file 644',
      'create g file 644',
      'write g 0+10 "over exec\\n"',
    ]);
  },
);

test('children by fork, vfork and clone3, and an exec of a thread', { skip }, async (t) => {
  const lines = await told(
    t,
    `
import subprocess, threading, time
fd = make('fd', b'parent ', os.O_APPEND)
pid = os.fork()
if pid == 0:
    os.write(fd, b'fork '); os._exit(0)
os.waitpid(pid, 0)
subprocess.run(['sh', '-c', 'echo vfork > vfork; cd / && :'])
os.posix_spawn('/bin/sh', ['sh', '-c', 'echo spawned > spawned'], os.environ); os.wait()
args = (ctypes.c_uint64 * 8)(); args[4] = 17 # exit_signal SIGCHLD
pid = libc.syscall(435, args, L(64))
if pid == 0:
    os.write(fd, b'clone3 '); os._exit(0)
os.waitpid(pid, 0)
os.set_inheritable(fd, True)
def last():
    os.execv('/bin/sh', ['sh', '-c', 'echo thread >&%d; echo new > after' % fd])
threading.Thread(target=last).start()
time.sleep(30)
`,
  );
  assert.deepEqual(lines, [
    'create fd file 644',
    'append fd 0+7 "parent "',
    'append fd 7+5 "fork "',
    'create vfork file 644',
    'write vfork 0+6 "vfork\\n"',
    'close vfork',
    'create spawned file 644',
    'write spawned 0+8 "spawned\\n"',
    'close spawned',
    'append fd 12+7 "clone3 "',
    'append fd 19+7 "thread\\n"',
    'create after file 644',
    'write after 0+4 "new\\n"',
    'close after',
  ]);
});

test('names: relative to directories, without a name, exchanged, kept', { skip }, async (t) => {
  const lines = await told(
    t,
    `
os.mkdir('d'); d = os.open('d', os.O_RDONLY)
os.mkdir('in', dir_fd=d)
os.close(os.open('in/f', os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=d))
os.fchdir(d); os.close(make('here')); os.chdir('..')
os.symlink('here', 'link', dir_fd=d)
os.link('here', 'hard', src_dir_fd=d)
os.unlink('link', dir_fd=d)
os.rename('d/here', 'moved')
AT = -100
libc.renameat2(AT, b'moved', AT, b'hard', 2)   # RENAME_EXCHANGE
libc.renameat2(AT, b'moved', AT, b'kept', 1)   # RENAME_NOREPLACE
assert libc.renameat2(AT, b'kept', AT, b'hard', 1) == -1
t = os.open('.', os.O_TMPFILE | os.O_WRONLY, 0o640)
os.write(t, b'nameless')
assert libc.linkat(t, b'', AT, b'by-descriptor', 0x1000) == 0 or os.geteuid() != 0
u = os.open('d', os.O_TMPFILE | os.O_WRONLY, 0o640)
os.link('/proc/self/fd/%d' % u, 'by-proc', src_dir_fd=d, follow_symlinks=True)
os.truncate('by-proc', 9)
os.close(libc.creat(b'created', 0o604))
os.mknod('node', 0o604)
libc.fchownat(t, b'', os.getuid(), os.getgid(), 0x1000)
os.chmod('kept', 0o600)
os.unlink('d/in/f'); os.rmdir('d/in')
`,
  );
  assert.deepEqual(
    lines.filter((line) => !/^(?:close|attribute by)/.test(line)),
    [
      'create d directory 755',
      'create d/in directory 755',
      'create d/in/f file 600',
      'create d/here file 644',
      'create d/link symlink 777 here',
      'link hard',
      'unlink d/link',
      'rename moved from here',
      'rename kept from moved',
      'create ./(no name) file 640',
      'write ./(no name) 0+8 "nameless"',
      'link by-descriptor',
      'create d/(no name) file 640',
      'link by-proc',
      'truncate by-proc 9',
      'create created file 604',
      'create node file 604',
      `attribute ./(no name) owner ${process.getuid?.()}:${process.getgid?.()}`,
      'attribute kept mode 600',
      'unlink d/in/f',
      'unlink d/in',
    ].filter((line) => process.getuid?.() === 0 || !line.includes('by-descriptor')),
  );
});

test('an exchange swaps two files', { skip }, async (t) => {
  const lines = await told(t, `libc.renameat2(-100, b'one', -100, b'two', 2)`, {
    one: '1',
    two: '2',
  });
  assert.deepEqual(lines, ['rename two from one replacing']);
});

test(
  'data: vectors, flags of one call, allocation in all modes, copies and syncs',
  { skip },
  async (t) => {
    const lines = await told(
      t,
      `
fd = make('f')
os.writev(fd, [b'one', b'two'])
os.pwrite(fd, b'P', 1)
os.pwritev(fd, [b'a', b'b'], 0)
os.pwritev(fd, [b'D'], 0, os.RWF_DSYNC)
os.pwritev(fd, [b'S'], 0, os.RWF_SYNC)
os.pwritev(fd, [b'E'], 0, getattr(os, 'RWF_APPEND', 16))
os.pwritev(fd, [b'own'], -1, 0)
os.preadv(fd, [bytearray(2)], 0)
call('fallocate', fd, 0, L(0), L(4096))
call('fallocate', fd, 1, L(4096), L(4096))
call('fallocate', fd, 3, L(0), L(4096))
os.ftruncate(fd, 6000)
for mode, start, length in ((0x10, 4096, 4096), (0x11, 8000, 1000)):
    call('fallocate', fd, mode, L(start), L(length))
source = make('source', b'0123456789')
os.lseek(fd, 0, 0)
os.sendfile(fd, source, 2, 3)
os.copy_file_range(source, fd, 4, 1, 100)
r, w = os.pipe(); os.write(w, b'piped')
call('splice', r, None, fd, ctypes.byref(ctypes.c_int64(200)), L(5), 0)
for flags in (os.O_SYNC, os.O_DSYNC):
    s = os.open('f', os.O_WRONLY | flags); os.write(s, b'!'); os.close(s)
os.close(os.open('source', os.O_WRONLY | os.O_TRUNC))
os.fsync(fd); os.fdatasync(fd)
call('sync_file_range', fd, L(0), L(4096), 7)
here = os.open('/', os.O_RDONLY)
call('syncfs', os.open('.', os.O_RDONLY))
`,
    );
    const allocations = lines.filter((line) => line.startsWith('allocate'));
    // The bytes of a pipe are gone: they are read from the target in time, or named.
    const splice =
      lines.find((line) => line.includes('piped')) ??
      'unmodelled f a copy whose bytes were gone: f';
    assert.deepEqual(lines, [
      'create f file 644',
      'write f 0+6 "onetwo"',
      'write f 1+1 "P"',
      'write f 0+2 "ab"',
      'write f 0+1 "D" data',
      'write f 0+1 "S" all',
      'append f 6+1 "E"',
      'write f 6+3 "own"',
      ...allocations.slice(0, 3),
      'truncate f 6000',
      ...allocations.slice(3),
      'create source file 644',
      'write source 0+10 "0123456789"',
      'write f 0+3 "234"',
      'write f 100+4 "1234"',
      splice,
      'write f 0+1 "!" all',
      'close f',
      'write f 0+1 "!" data',
      'close f',
      'truncate source 0',
      'close source',
      'sync f all',
      'sync f data',
      'writeback f',
      'sync-all',
    ]);
    assert.deepEqual(allocations, [
      'allocate f extend 0+4096',
      'allocate f keep-size 4096+4096',
      'allocate f punch-hole 0+4096',
      'allocate f zero-range 4096+4096',
      'allocate f zero-range 8000+192',
      'allocate f keep-size 8192+808',
    ]);
  },
);

test(
  'a call that fails on the disk or for want of rights is kept, with its error',
  { skip },
  async (t) => {
    const lines = await told(
      t,
      `
import resource, signal
def fails(do):
    try: do()
    except OSError: return
    raise SystemExit('it did not fail')
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
fd = make('f', b'12345')
os.write(fd, b'6789ABCDEF')
fails(lambda: os.write(fd, b'more'))
fails(lambda: os.truncate('f', 100))
fails(lambda: os.ftruncate(fd, 100))
fails(lambda: os.rename('missing', 'x'))
`,
    );
    assert.deepEqual(lines, [
      'create f file 644',
      'write f 0+5 "12345"',
      'write f 5+5 "6789A" of 10',
      'write f 10+4 "more" EFBIG',
      'truncate f 100 EFBIG',
    ]);
  },
);

test(
  'what is sent over a connection is a mark, what stays in the program is none',
  { skip },
  async (t) => {
    const lines = await told(
      t,
      `
import socket
a, b = socket.socketpair(); a.send(b'own pair')
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()
c = socket.create_connection(s.getsockname()); d, _ = s.accept()
os.write(d.fileno(), b'write'); os.writev(d.fileno(), [b'wri', b'tev'])
d.send(b'send'); d.sendmsg([b'send', b'msg'])
u = socket.socket(socket.AF_UNIX); u.bind('../socket'); u.listen()
v = socket.socket(socket.AF_UNIX); v.connect('../socket'); w, _ = u.accept(); w.send(b'unix')
p = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); p.bind(('127.0.0.1', 0))
q = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); q.sendto(b'sendto', p.getsockname())
f = make('f', b'sent file'); os.sendfile(d.fileno(), f, 5, 4)
os.write(1, b'line\\n')
`,
    );
    assert.deepEqual(lines, [
      'mark mark "write"',
      'mark mark "writev"',
      'mark mark "send"',
      'mark mark "sendmsg"',
      'mark mark "unix"',
      'mark mark "sendto"',
      'create f file 644',
      'write f 0+9 "sent file"',
      'mark mark "file"',
      'mark stdout "line\\n"',
    ]);
  },
);

test('msync says of a mapping what a sync says of its file', { skip }, async (t) => {
  const lines = await told(
    t,
    `
import mmap
libc.mmap.restype = ctypes.c_void_p
fd = make('f', b'x' * 5000)
def mapped(protection): return libc.mmap(None, L(8192), protection, 1, fd, L(0))
at = mapped(mmap.PROT_READ)
call('msync', ctypes.c_void_p(at), L(8192), 4)
call('msync', ctypes.c_void_p(at), L(4096), 4)
call('msync', ctypes.c_void_p(at), L(8192), 1)
os.close(fd)
call('mprotect', ctypes.c_void_p(at), L(4096), 3)
private = open('f', 'r+b'); mmap.mmap(private.fileno(), 10, mmap.MAP_PRIVATE)
`,
  );
  assert.deepEqual(
    lines.slice(2).filter((line) => line !== 'close f'),
    ['sync f data', 'writeback f', 'writeback f', 'unmodelled f a shared writable mapping: f'],
  );
});

test('what no model can express is named', { skip }, async (t) => {
  const lines = await told(
    t,
    `
fd = make('f', b'x' * 8192)
supported = libc.fallocate(fd, 8, L(0), L(4096)) == 0
libc.fallocate(fd, 0x20, L(0), L(4096))
libc.renameat2(-100, b'f', -100, b'g', 4)
ring = libc.syscall(425, L(4), ctypes.create_string_buffer(120))
print(supported, ring >= 0, os.path.exists('g'))
`,
  );
  const [, collapses, ring, whiteout] =
    /mark stdout "(\w+) (\w+) (\w+)/.exec(lines.join('\n')) ?? [];
  const names = lines.flatMap((line) => /^unmodelled (.*)/.exec(line)?.[1] ?? []);
  const expected = [
    ...(collapses === 'True' ? [/fallocate FALLOC_FL_COLLAPSE_RANGE: f$/] : []),
    ...(collapses === 'True' ? [/fallocate FALLOC_FL_INSERT_RANGE: f$/] : []),
    ...(whiteout === 'True' ? [/a whiteout at the old name: f$/] : []),
    ...(ring === 'True' ? [/^io_uring$/] : []),
  ];
  assert.ok(expected.length > 0, lines.join('\n'));
  for (const name of expected) {
    assert.ok(
      names.some((one) => name.test(one)),
      `${name} is missing in\n${names.join('\n')}`,
    );
  }
});

test('system calls that touch nothing leave no word', { skip }, async (t) => {
  const lines = await told(
    t,
    `
os.getpid(); os.stat('.'); os.listdir('.'); os.sched_yield(); os.pipe(); os.access('.', 4)
libc.syscall(number(319, 279), b'memory', L(0)) # memfd_create
libc.syscall(number(318, 278), ctypes.create_string_buffer(8), L(8), L(0)) # getrandom
libc.syscall(L(99999))
`,
  );
  assert.deepEqual(lines, []);
});
