/** What the asynchronous form does when more than one call is under way, and on which thread. */

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';

import { AtomicQueue } from '../../../src/durable/atomic-queue.ts';
import { INLINE_BYTES_MAX } from '../../../src/durable/atomic-replacement.ts';
import { atomicRig, put } from '../../support/atomic-rig.ts';

test('calls for one file take effect one after the other, in their order', async () => {
  const { atomic, memory, spy, text } = atomicRig('asynchronous');
  const seen: string[] = [];
  put(memory, '/f', 'nothing');
  const writes = Array.from({ length: 5 }, (_, index) =>
    atomic.replace('/f', new TextEncoder().encode(`${index}`), {
      onTemporaryFile: async () => {
        seen.push(`${index} after ${text('/f')}`);
        await turn();
      },
    }),
  );
  await Promise.all(writes);
  assert.deepEqual(seen, ['0 after nothing', '1 after 0', '2 after 1', '3 after 2', '4 after 3']);
  assert.equal(text('/f'), '4');
  assert.equal(spy.calls.filter((call) => call.name === 'rename').length, 5);
});

test('a call that fails does not stop those behind it', async () => {
  const { atomic, spy, text } = atomicRig('asynchronous');
  spy.refuse('file.sync', 'EIO');
  const first = atomic.replace('/f', Buffer.from('first'));
  const second = atomic.replace('/f', Buffer.from('second'));
  await assert.rejects(first, { code: 'EIO' });
  await second;
  assert.equal(text('/f'), 'second');
});

test('two ways to one file are one queue', async () => {
  const { atomic, memory, spy, text } = atomicRig('asynchronous');
  memory.mkdirSync('/d');
  put(memory, '/d/f', 'old');
  memory.symlinkSync('/d', '/way');
  memory.symlinkSync('/d/f', '/link');
  const release = spy.hold('file.sync');
  const writes = ['/d/f', '/way/f', '/link', '/d/../d/f'].map((path, index) =>
    atomic.replace(path, Buffer.from(`${index}`)),
  );
  await turn();
  assert.equal(spy.calls.filter((call) => call.name === 'open').length, 1);
  release();
  await Promise.all(writes);
  assert.equal(text('/d/f'), '3');
});

test('different files are written side by side', async () => {
  const { atomic, spy } = atomicRig('asynchronous');
  const release = spy.hold('file.sync');
  const writes = ['/a', '/b'].map((path) => atomic.replace(path, Buffer.from('x')));
  await turn();
  assert.equal(spy.calls.filter((call) => call.name === 'file.sync').length, 2);
  release();
  await Promise.all(writes);
});

test('a thousand calls at once take a bounded number of descriptors', async () => {
  const { atomic, spy, names } = atomicRig('asynchronous');
  const release = spy.hold('file.sync');
  const writes = Array.from({ length: 1000 }, (_, index) =>
    atomic.replace(`/f${index}`, Buffer.from('x')),
  );
  await turn();
  const opened = spy.calls.filter((call) => call.name.startsWith('open')).length;
  assert.ok(opened > 2 && opened <= 65, String(opened));
  release();
  await Promise.all(writes);
  assert.equal(names().length, 1000);
});

test('a link that changes while a call waits is followed as it is then', async () => {
  const { atomic, memory, spy, text } = atomicRig('asynchronous');
  put(memory, '/a', 'old');
  put(memory, '/b', 'old');
  memory.symlinkSync('/a', '/link');
  const release = spy.hold('file.sync');
  const first = atomic.replace('/a', Buffer.from('first'));
  const second = atomic.replace('/link', Buffer.from('second'));
  await turn();
  memory.unlinkSync('/link');
  memory.symlinkSync('/b', '/link');
  release();
  await Promise.all([first, second]);
  assert.deepEqual([text('/a'), text('/b')], ['first', 'second']);
});

test('no sync and no large write of the asynchronous form is on the calling thread', async () => {
  const { atomic, spy, memory } = atomicRig('asynchronous');
  const waits = /^file\.(sync|datasync)|^directory\.sync/;
  for (const size of [0, 1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, 1_000_000]) {
    spy.calls.length = 0;
    await atomic.replace('/f', new Uint8Array(size));
    assert.equal(memory.statSync('/f').size, size);
    for (const call of spy.calls) {
      const large = call.name === 'file.write' && (call.transfer?.length ?? 0) > INLINE_BYTES_MAX;
      const device = waits.test(call.name) || large;
      assert.ok(!(device && call.blocking), `${call.name} of ${size} bytes`);
    }
  }
  // Taking the name from a large file frees its blocks, which is not for the calling thread either.
  const renames = spy.calls.filter((call) => call.name === 'rename');
  assert.deepEqual(
    renames.map((call) => call.blocking),
    [false],
  );
});

test('while another replacement is under way, nothing that changes anything blocks', async () => {
  const { atomic, spy, memory } = atomicRig('asynchronous');
  for (const path of ['/a', '/b', '/c']) put(memory, path, 'old', 0o4664);
  const release = spy.hold('file.sync');
  const other = atomic.replace('/a', Buffer.from('x'));
  spy.calls.length = 0;
  const writes = [
    atomic.replace('/b', Buffer.from('x')),
    atomic.replace('/c', Buffer.from('x'), { chown: { uid: 1, gid: 2 }, mode: 0o600 }),
  ];
  await turn();
  release();
  await Promise.all([other, ...writes]);
  const blocking = spy.calls.filter((call) => call.blocking && call.path !== '/');
  assert.deepEqual([...new Set(blocking.map((call) => call.name))], ['lstat']);
  assert.deepEqual([memory.statSync('/c').uid, memory.statSync('/c').mode], [1, 0o600]);
});

test('while a device is slow the event loop goes on', async () => {
  const { atomic, spy } = atomicRig('asynchronous');
  for (const name of ['file.sync', 'directory.sync'] as const) {
    const release = spy.hold(name);
    let done = false;
    const write = atomic.replace('/f', Buffer.from('x')).then(() => (done = true));
    for (let turns = 0; turns < 10; turns += 1) await turn();
    assert.equal(done, false);
    release();
    await write;
  }
});

test('renames that wait together share one directory sync, which begins after them', async () => {
  const { atomic, spy, names } = atomicRig('asynchronous');
  const release = spy.hold('directory.sync');
  const writes = Array.from({ length: 20 }, (_, index) =>
    atomic.replace(`/f${index}`, Buffer.from('x')),
  );
  await turn();
  release();
  await Promise.all(writes);
  const order = spy.calls.map((call) => call.name);
  assert.equal(order.filter((name) => name === 'directory.sync').length, 2);
  assert.equal(order.filter((name) => name === 'openDirectory').length, 1);
  assert.equal(order.filter((name) => name === 'directory.close').length, 1);
  assert.ok(order.lastIndexOf('directory.sync') > order.lastIndexOf('rename'));
  assert.equal(names().length, 20);
});

test('a failed directory sync fails for all that had renamed by then, and for none after', async () => {
  const { atomic, spy } = atomicRig('asynchronous');
  spy.refuse('directory.sync', 'EIO');
  const release = spy.hold('directory.sync');
  const writes = ['/a', '/b', '/c'].map((path) => atomic.replace(path, Buffer.from('x')));
  await turn();
  release();
  for (const result of await Promise.allSettled(writes)) {
    assert.equal(result.status, 'rejected');
    assert.equal((result.reason as { outcome: string }).outcome, 'unknown');
  }
  await atomic.replace('/d', Buffer.from('x'));
  assert.equal(spy.calls.filter((call) => call.name === 'openDirectory').length, 2);
});

test('the queue runs what need not wait at once, and forgets what is done', async () => {
  const queue = new AtomicQueue(2);
  const seen: string[] = [];
  const job = (name: string) => async (waited: boolean) => {
    seen.push(`${name} ${waited ? 'waited' : 'at once'}`);
    await turn();
    return name;
  };
  const all = [queue.run('k', job('a')), queue.run('k', job('b')), queue.run('l', job('c'))];
  assert.deepEqual(seen, ['a at once', 'c at once']);
  all.push(queue.run('m', job('d')));
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd']);
  assert.deepEqual(seen.slice(2).toSorted(), ['b waited', 'd waited']);
  seen.length = 0;
  await queue.run('k', job('e'));
  assert.deepEqual(seen, ['e at once']);
});
