import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileChangeError } from '../../../src/base/errors.ts';
import { temporaryPath } from '../../../src/durable/temporary-file.ts';
import type { SystemErrorCode } from '../../../src/vfs/errno.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { MeteredVfs } from '../../../src/vfs/metered-vfs.ts';
import type { VfsCallName } from '../../../src/vfs/vfs-call.ts';
import { AtomicFile } from '../../../src/durable/atomic-file.ts';
import { atomicRig, DEAD, FORMS, put, rigSystem } from '../../support/atomic-rig.ts';
import { utf8 } from '../../support/vfs-helpers.ts';

for (const form of FORMS) {
  const rig = (platform?: string, memory?: MemoryVfs) => atomicRig(form, platform, memory);

  test(`${form}: a new file is there, with the usual mode, and nothing else`, async () => {
    const { replace, memory, text, names } = rig();
    await replace('/f', 'new');
    assert.equal(text('/f'), 'new');
    assert.equal(memory.statSync('/f').mode, 0o644);
    assert.deepEqual(names(), ['f']);
  });

  test(`${form}: a file is replaced as a whole, and keeps its mode and owner`, async () => {
    const { replace, memory, text, names } = rig();
    put(memory, '/f', 'what was there before', 0o4751);
    const file = memory.openSync('/f', { write: true });
    file.chownSync(12, 34);
    file.chmodSync(0o4751);
    file.closeSync();
    await replace('/f', 'new');
    const { mode, uid, gid } = memory.statSync('/f');
    assert.equal(text('/f'), 'new');
    assert.deepEqual({ mode, uid, gid }, { mode: 0o4751, uid: 12, gid: 34 });
    assert.deepEqual(names(), ['f']);
  });

  test(`${form}: each step has its place, and each sync what it needs before it`, async () => {
    const { replace, spy } = rig();
    await replace('/f', 'first');
    spy.calls.length = 0;
    await replace('/f', 'new');
    const wait = form === 'asynchronous' ? '' : '+';
    assert.deepEqual(spy.names, [
      ...(form === 'asynchronous' ? ['realpath+'] : []),
      'lstat+',
      // Which directory it is: the descriptor may be shared with others under way.
      ...(form === 'asynchronous' ? ['stat+'] : []),
      'openDirectory+',
      'open+',
      'file.write+',
      'file.stat+',
      `file.sync${wait}`,
      'file.close+',
      'rename+',
      `directory.sync${wait}`,
      'directory.close+',
    ]);
    const [open] = spy.calls.filter((call) => call.name === 'open');
    const { exclusive, noFollow, create } = open?.options ?? {};
    assert.deepEqual([exclusive, noFollow, create], [true, true, true]);
  });

  test(`${form}: beside the bare calls there are at most realpath, stat and one sweep`, async () => {
    const metered = new MeteredVfs(new MemoryVfs());
    const atomic = new AtomicFile(rigSystem(metered));
    const replace = async (path: string): Promise<void> => {
      if (form === 'asynchronous') await atomic.replace(path, utf8('x'));
      else atomic.replaceSync(path, utf8('x'));
    };
    const bare = {
      openDirectory: 1,
      open: 1,
      'file.write': 1,
      'file.sync': 1,
      'file.close': 1,
      rename: 1,
      'directory.sync': 1,
      'directory.close': 1,
    };
    const found = form === 'asynchronous' ? { realpath: 1, lstat: 1, stat: 1 } : { lstat: 1 };
    await replace('/f');
    assert.deepEqual(metered.counts(), { ...bare, ...found, readDirectory: 1 });
    metered.reset();
    await replace('/g');
    assert.deepEqual(metered.counts(), { ...bare, ...found });
    metered.reset();
    // Of a file that was there, mode and owner are compared with what the new one got.
    await replace('/f');
    assert.deepEqual(metered.counts(), { ...bare, ...found, 'file.stat': 1 });
  });

  test(`${form}: without fsync nothing is synced and no directory opened`, async () => {
    const { replace, spy, text } = rig();
    await replace('/f', 'new', { sync: false });
    assert.equal(text('/f'), 'new');
    assert.equal(spy.names.filter((name) => /sync|openDirectory/i.test(name)).length, 0);
  });

  test(`${form}: links are followed to the end and stay`, async () => {
    const { replace, memory, text, names } = rig();
    memory.mkdirSync('/d');
    put(memory, '/d/f', 'old');
    memory.symlinkSync('f', '/d/relative');
    memory.symlinkSync('/d/relative', '/link');
    await replace('/link', 'new');
    assert.equal(text('/d/f'), 'new');
    assert.deepEqual(
      [memory.readLinkSync('/link'), memory.readLinkSync('/d/relative')],
      ['/d/relative', 'f'],
    );
    assert.deepEqual([...names(), ...names('/d')], ['d', 'link', 'f', 'relative']);
  });

  test(`${form}: a link to nothing makes the file that it names`, async () => {
    const { replace, memory, text } = rig();
    memory.mkdirSync('/d');
    memory.symlinkSync('d/f', '/link');
    await replace('/link', 'new');
    assert.equal(text('/d/f'), 'new');
    assert.equal(memory.lstatSync('/link').kind, 'symlink');
  });

  for (const [path, code] of [
    ['/circle', 'ELOOP'],
    ['/d', 'EISDIR'],
    ['/to-d', 'EISDIR'],
    ['/new/', 'EISDIR'],
    ['', 'ENOENT'],
    ['/missing/f', 'ENOENT'],
    ['/f/g', 'ENOTDIR'],
  ] as const) {
    test(`${form}: '${path}' cannot be replaced and is ${code}, outcome old`, async () => {
      const { replace, memory, names } = rig();
      memory.symlinkSync('circle', '/circle');
      memory.mkdirSync('/d');
      memory.symlinkSync('d', '/to-d');
      put(memory, '/f', 'old');
      const before = names();
      await assert.rejects(replace(path, 'new'), { name: 'FileChangeError', code, outcome: 'old' });
      assert.deepEqual(names(), before);
    });
  }

  for (const [name, code] of [
    ['openDirectory', 'EMFILE'],
    ['open', 'EACCES'],
    ['file.write', 'EIO'],
    ['file.write', 'ENOSPC'],
    ['file.stat', 'EIO'],
    ['file.chmod', 'EIO'],
    ['file.sync', 'EIO'],
    ['file.close', 'EIO'],
    ['rename', 'EBUSY'],
    ['rename', 'EIO'],
  ] as readonly (readonly [VfsCallName, SystemErrorCode])[]) {
    test(`${form}: ${code} from ${name} leaves the old file, and nothing else`, async () => {
      const { replace, memory, spy, text, names } = rig();
      put(memory, '/f', 'old', 0o666);
      spy.refuse(name, code);
      await assert.rejects(replace('/f', 'new'), (error) => {
        assert.ok(error instanceof FileChangeError);
        assert.deepEqual([error.code, error.outcome, error.path], [code, 'old', '/f']);
        assert.ok(error.cause instanceof Error);
        return true;
      });
      assert.equal(text('/f'), 'old');
      assert.deepEqual(names(), ['f']);
      assert.equal(spy.names.filter((each) => each.startsWith('file.sync')).length <= 1, true);
      await replace('/f', 'next');
      assert.equal(text('/f'), 'next');
    });
  }

  test(`${form}: after a failed directory sync nobody knows, and it is not tried again`, async () => {
    const { replace, memory, spy, text, names } = rig();
    put(memory, '/f', 'old');
    spy.refuse('directory.sync', 'EIO');
    await assert.rejects(replace('/f', 'new'), { code: 'EIO', outcome: 'unknown' });
    assert.equal(text('/f'), 'new');
    assert.deepEqual(names(), ['f']);
    assert.equal(spy.names.filter((name) => name.startsWith('directory.sync')).length, 1);
  });

  test(`${form}: a rename that fails after it was done has an unknown outcome`, async () => {
    const { replace, memory, spy, names } = rig();
    put(memory, '/f', 'old');
    spy.refuse('rename', 'EIO', 1, true);
    await assert.rejects(replace('/f', 'new'), { code: 'EIO', outcome: 'unknown' });
    assert.deepEqual(names(), ['f']);
  });

  test(`${form}: when the temporary file cannot be removed the first error is told`, async () => {
    const { replace, memory, spy, text } = rig();
    put(memory, '/f', 'old');
    spy.refuse('file.sync', 'EIO');
    spy.refuse('unlink', 'EACCES');
    await assert.rejects(replace('/f', 'new'), { code: 'EIO', outcome: 'old' });
    assert.equal(text('/f'), 'old');
  });

  test(`${form}: on a nearly full disk it rejects, and the old file is whole`, async () => {
    const memory = new MemoryVfs({ capacityBytes: 100 });
    const { replace, text, names } = rig('linux', memory);
    await replace('/f', 'o'.repeat(60));
    await assert.rejects(replace('/f', 'n'.repeat(60)), { code: 'ENOSPC', outcome: 'old' });
    assert.equal(text('/f'), 'o'.repeat(60));
    assert.deepEqual(names(), ['f']);
    await replace('/f', 'n'.repeat(40));
    assert.equal(text('/f'), 'n'.repeat(40));
  });

  test(`${form}: what a dead process left is swept, once a directory`, async () => {
    const { replace, memory, names, spy } = rig();
    memory.mkdirSync('/d');
    for (const [directory, nonce] of [
      ['/', '1'],
      ['/d', '2'],
    ] as const) {
      put(memory, temporaryPath(directory, DEAD, nonce.repeat(16)), 'left');
    }
    await replace('/f', 'new');
    assert.deepEqual(names(), ['d', 'f']);
    assert.equal(names('/d').length, 1);
    await replace('/d/f', 'new');
    assert.deepEqual(names('/d'), ['f']);
    const later = temporaryPath('/', DEAD, '3'.repeat(16));
    put(memory, later, 'left');
    await replace('/g', 'new');
    assert.ok(names().includes(later.slice(1)));
    assert.equal(spy.names.filter((name) => name.startsWith('readDirectory')).length, 2);
  });

  test(`${form}: a directory that cannot be read is not swept, and written all the same`, async () => {
    const { replace, spy, text } = rig();
    spy.refuse('readDirectory', 'EACCES');
    await replace('/f', 'new');
    assert.equal(text('/f'), 'new');
  });

  test(`${form}: the caller sees the temporary file before it has its name`, async () => {
    const { replace, memory, names } = rig();
    let seen = '';
    const onTemporaryFile = (path: string): void => {
      seen = path;
      assert.equal(memory.statSync(path).kind, 'file');
    };
    await replace('/f', 'new', { onTemporaryFile });
    assert.match(seen, /^\/\.holdfast-.*\.tmp$/);
    assert.deepEqual(names(), ['f']);
  });

  test(`${form}: what the caller's function throws comes back as it is`, async () => {
    const { replace, memory, text, names } = rig();
    put(memory, '/f', 'old');
    const thrown = Object.assign(new Error('no'), { code: 'EIO' });
    const onTemporaryFile = (): void => {
      throw thrown;
    };
    await assert.rejects(replace('/f', 'new', { onTemporaryFile }), (error) => error === thrown);
    assert.equal(text('/f'), 'old');
    assert.deepEqual(names(), ['f']);
  });

  test(`${form}: on Windows a target that is held is tried again, for a bounded time`, async () => {
    for (const code of ['EPERM', 'EACCES', 'EBUSY'] as const) {
      const { replace, memory, spy, clock, text } = rig('win32');
      put(memory, '/f', 'old');
      spy.refuse('rename', code, 3);
      await replace('/f', 'new');
      assert.equal(text('/f'), 'new');
      assert.ok(clock.monotonicMs() > 0);
    }
    const { replace, memory, spy, clock, text, names } = rig('win32');
    put(memory, '/f', 'old');
    spy.refuse('rename', 'EPERM', Infinity);
    await assert.rejects(replace('/f', 'new'), { code: 'EPERM', outcome: 'old' });
    assert.equal(text('/f'), 'old');
    assert.deepEqual(names(), ['f']);
    assert.ok(clock.monotonicMs() > 1000 && clock.monotonicMs() < 5000);
  });

  test(`${form}: elsewhere, and for other errors, a rename is never tried again`, async () => {
    for (const [platform, code] of [
      ['linux', 'EPERM'],
      ['win32', 'EXDEV'],
    ] as const) {
      const { replace, spy } = rig(platform);
      spy.refuse('rename', code);
      await assert.rejects(replace('/f', 'new'), { code, outcome: 'old' });
      assert.equal(spy.names.filter((name) => name.startsWith('rename')).length, 1);
    }
  });

  test(`${form}: on Windows the new file is flushed under its name, and no directory`, async () => {
    const { replace, spy } = rig('win32');
    await replace('/f', 'new');
    const after = spy.calls.slice(spy.calls.findIndex((call) => call.name === 'rename') + 1);
    assert.deepEqual(
      after.map((call) => `${call.name} ${call.path}`),
      ['open /f', 'file.sync /f', 'file.close /f'],
    );
    assert.equal(after[0]?.options?.write, true);
    assert.ok(!spy.names.some((name) => name.startsWith('openDirectory')));
  });
}
